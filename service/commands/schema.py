"""The command `foldstream schema`: how events are stored, and whether a store holds any that can't be read."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import typer

from service.settings import Settings

app = typer.Typer(
    help="Show how events are stored, and find those that today's code can't read.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def moment(text: str) -> datetime:
    """RFC 3339 with an offset, or a day, which begins at midnight in UTC."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither a day nor a time such as 2026-03-01T15:00:00Z") from error
    if given.tzinfo is None:
        if len(text) > len("2026-03-01"):
            raise typer.BadParameter(f"{text!r} does not say its offset from UTC; for UTC put a Z behind it")
        return given.replace(tzinfo=UTC)
    return given


Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Since: TypeAlias = Annotated[
    datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Only what was written since then.")
]
Until: TypeAlias = Annotated[
    datetime | None, typer.Option("--to", parser=moment, metavar="TIME", help="Only what was written before then.")
]


@app.command("list")
def list_(as_json: Json = False) -> int:
    """List every name and version that is read, with its fields and what it is read as."""
    from service.schema import show_shapes  # noqa: PLC0415 - a command loads only what it runs

    return show_shapes(json=as_json)


@app.command()
def check(
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show at most; all are counted.")] = 1000,
    as_json: Json = False,
) -> int:
    """Read the store, and report every event that this release can't read; exit code 1 if there is one."""
    from infrastructure.eventstore.schema_check import Window  # noqa: PLC0415 - a command loads only what it runs
    from service.schema import show_unreadable  # noqa: PLC0415 - a command loads only what it runs

    if since is not None and until is not None and until <= since:
        raise typer.BadParameter("--to is not after --from")
    return show_unreadable(Settings.from_environment().eventstore, Window(since, until), limit, json=as_json)
