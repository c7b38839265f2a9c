"""The command `foldstream eventstore`: the embedded event store by itself, and the passwords of its users."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from infrastructure.embedded.eventstoredb.access.security import Security
from infrastructure.embedded.eventstoredb.errors import StartRefused
from infrastructure.terminal import print_error, print_json, print_line
from service.access.action import Action
from service.cli.help_option import HelpfulGroup
from service.cli.options import Host, Json, Pipe, Port, parse_path, with_options
from service.cli.verbs import epilog, verb, with_shared_options

app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the event store."""

    host: Host = "127.0.0.1"
    port: Port = 2113
    data: Annotated[
        Path | None, typer.Option(parser=parse_path, metavar="DIR", help="The folder that the log is kept in.")
    ] = None
    memory: Annotated[bool, typer.Option("--memory", help="Keep the log in memory only.")] = False
    projections: Annotated[
        bool | None,
        typer.Option(
            "--projections/--no-projections",
            help="Start or stop the system projections: $ce-, $et-, … [default: as they were; in a new log stopped].",
        ),
    ] = None
    tls_cert: Annotated[Path | None, typer.Option(help="Secure mode: the certificate (chain), as PEM.")] = None
    tls_key: Annotated[Path | None, typer.Option(help="Secure mode: its private key, as PEM.")] = None
    users: Annotated[Path | None, typer.Option(help="Secure mode: the users, as `passwd` writes them.")] = None
    stop_when_closed: Pipe = None

    @property
    def security(self) -> Security | None:
        """The files of secure mode, or None. Raises BadParameter if only some are given."""
        given = (self.tls_cert, self.tls_key, self.users)
        if self.tls_cert is None or self.tls_key is None or self.users is None:
            if any(given):
                raise typer.BadParameter(
                    "secure mode needs --tls-cert, --tls-key and --users together: without TLS passwords would go"
                    " over the wire in clear text, without users every password would be right"
                )
            return None
        return Security(self.tls_cert, self.tls_key, self.users)


def _eventstore(context: typer.Context, options: Options) -> int:
    """Run the embedded event store, which speaks EventStoreDB's protocol.

    In secure mode callers need TLS and a password; each user may do everything: access control lists of streams are
    stored and not enforced.
    """
    if context.invoked_subcommand is not None:
        return 0
    from infrastructure.embedded.eventstoredb.command import run  # noqa: PLC0415 - a command loads only what it runs

    if (options.data is None) != options.memory:
        raise typer.BadParameter("give either --data DIR or --memory")
    return run(
        host=options.host,
        port=options.port,
        data=options.data,
        stop_when_closed=options.stop_when_closed,
        projections=options.projections,
        security=options.security,
    )


app.callback(invoke_without_command=True, epilog=epilog("eventstore --data data/eventstore --port 2113"))(
    with_shared_options(with_options(Options)(_eventstore), (), serves=True)
)


@verb(app, action=Action.CHANGE_STORE_USERS, example="eventstore passwd users ops")
def passwd(
    file: Annotated[Path, typer.Argument(help="The file of users; made if there is none.")],
    user: Annotated[str, typer.Argument(help="Who gets the password; added if the file does not know them.")],
) -> int:
    """Set a user's password: asked for on a terminal, else the first line of the input."""
    from infrastructure.embedded.eventstoredb.access.passwd import run  # noqa: PLC0415 - loads only what it runs

    return run(file=file, user=user)


@verb(app, action=Action.BACK_UP_STORE, example="eventstore backup data/eventstore backups/monday")
def backup(
    folder: Annotated[Path, typer.Argument(parser=parse_path, metavar="FOLDER", help="The folder of the log.")],
    to: Annotated[Path, typer.Argument(parser=parse_path, metavar="TO", help="A new folder, or an empty one.")],
    as_json: Json = False,
) -> int:
    """Copy the log of an embedded event store, which may run meanwhile, and look through the copy."""
    from infrastructure.embedded.eventstoredb.storage.backup import back_up  # noqa: PLC0415 - loads only what it runs

    try:
        made = back_up(folder, to)
    except StartRefused as refusal:
        print_error(f"foldstream eventstore backup: {refusal}")
        return 1
    if as_json:
        print_json({"folder": str(made.folder), "position": made.position, "bytes": made.size_bytes})
    else:
        print_line(f"{made.folder}: up to position {made.position}, {made.size_bytes:,} bytes")
    return 0
