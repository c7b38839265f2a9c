"""The command line: `foldstream serve` for everything on one machine, and a command for each process by itself."""

import signal
import sys
from importlib.metadata import version
from typing import Annotated, Final, Literal, NoReturn

import typer
from typer.exceptions import TyperException

from infrastructure import terminal
from infrastructure.access.errors import KeysUnusable, Unauthenticated
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.history.errors import HistoryError
from infrastructure.terminal import OutputUnusable, print_error, print_line
from infrastructure.uri import without_logins
from service import logs
from service.access.action import OPEN, Action
from service.cli import completion, eventstore, processes
from service.cli.access import commands as access
from service.cli.health import health
from service.cli.help_option import HelpfulGroup, print_help
from service.cli.history import commands as history
from service.cli.options import DEFAULT_DATA, Data, Json, with_options
from service.cli.parked import commands as parked
from service.cli.poison import commands as poison
from service.cli.projections import commands as projections
from service.cli.rebuild import commands as rebuilds
from service.cli.sagas import commands as sagas
from service.cli.schema import commands as schema
from service.cli.snapshots import commands as snapshots
from service.cli.spans.commands import spans
from service.cli.streams import commands as streams
from service.cli.subscriptions import commands as subscriptions
from service.cli.surroundings import both_servers, folders_in
from service.cli.tenants.commands import tenants
from service.cli.tokens import commands as tokens
from service.cli.verbs import epilog, server, verb
from service.cli.views import commands as views
from service.errors import ServiceError
from service.settings import SettingsError

WRONG_USAGE: Final = 2  # an option that can't be used, and likewise a setting
INTERRUPTED: Final = 130  # as shells count it
app = typer.Typer(
    name=completion.PROGRAM,
    cls=HelpfulGroup,
    add_completion=False,  # its own options print past what keeps a terminal safe
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(
    eventstore.app, name="eventstore", short_help="Run the embedded event store, which speaks EventStoreDB's protocol."
)
app.add_typer(
    projections.app, name="projections", short_help="Run the projections: they fold the log into the read models."
)
app.add_typer(sagas.app, name="sagas", short_help="Run the saga coordinators; any number share the work.")
app.add_typer(parked.app, name="parked")
app.add_typer(poison.app, name="poison")
app.add_typer(schema.app, name="schema")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(subscriptions.app, name="subscriptions")
app.add_typer(
    tokens.app,
    name="token",
    short_help="Print a token signed by a data folder's development key; or revoke one.",
)
app.add_typer(views.app, name="views")
app.add_typer(history.app)
app.add_typer(access.app)
app.add_typer(streams.app)


def _print_version(asked: bool) -> None:
    if asked:
        print_line(f"foldstream {version('foldstream')}")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog=epilog("serve --port 8000 --data data\nhistory stock:mug-blue"))
def options(
    context: typer.Context,
    log: Annotated[
        Literal["console", "json"] | None,
        typer.Option(help="How to log [default: console, where errors go to a terminal, else json]."),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which this is.")
    ] = False,
    _install: completion.Install = None,
    _show: completion.Show = None,
) -> None:
    """Event-sourced commands, exactly-once Redis read models and sagas on EventStoreDB."""
    if context.invoked_subcommand is None:
        print_help(context)
        return
    context.obj = log or logs.default_form()
    logs.set_up(context.obj, context.invoked_subcommand or "foldstream")


server(app, example="serve --port 8000 --data data")(processes.serve)
server(app, example="api --host 0.0.0.0 --port 8000")(processes.api)
server(app, example="redis --data data/redis", uses=())(processes.redis)
verb(app, action=OPEN, example="spans traces.jsonl\nspans traces.jsonl 0af76519")(spans)
verb(app, action=Action.LIST_TENANTS, example="tenants --json", uses=("eventstore",))(tenants)
verb(app, action=Action.READ_PROJECTIONS, example="lag order_summary --watch", uses=("eventstore", "redis"))(
    projections.lag
)
verb(app, action=Action.AUDIT_READ_MODELS, example="audit order_summary --all", uses=("eventstore", "redis"))(
    with_options(projections.AuditOptions)(projections.audit)
)
verb(
    app,
    action=Action.REBUILD_READ_MODELS,
    example="rebuild order_summary --keep --why 'a handler was mended'\n"
    "rebuild order_summary --into end-of-march --as-of 2026-04-01",
    uses=("eventstore", "redis"),
)(with_options(rebuilds.RebuildOptions)(rebuilds.rebuild))


@verb(app, action=OPEN, example="demo")
def demo(as_json: Json = False) -> int:
    """Show the main job end to end, in a fresh temporary folder; exit code 3 if a check does not hold."""
    from service.demo.run import run_demo  # noqa: PLC0415 - a command loads only what it runs

    return run_demo(as_json=as_json)


@verb(app, action=OPEN, example="config --json", uses=("eventstore", "redis"))
def config(as_json: Json = False) -> int:
    """Show each setting, its value and where that comes from; secrets are hidden."""
    from service.cli.settings_report import print_settings  # noqa: PLC0415 - a command loads only what it runs

    return print_settings(as_json=as_json)


@verb(app, action=Action.EXAMINE, example="doctor --data data", uses=("eventstore", "redis"))
def doctor(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """Check a deployment, line by line, and say what to do; exit code 3 if a line has failed."""
    from service.cli.doctor.report import print_findings  # noqa: PLC0415 - a command loads only what it runs

    return print_findings(both_servers(data), folders_in(data), as_json=as_json)


verb(app, action=OPEN, example="health ready --port 9464")(health)


def main() -> NoReturn:
    """Runs the command that was asked for. A refusal is one line on stderr; exit code 1, for wrong usage 2."""
    terminal.prepare()
    completion.prepare()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = _run()
        terminal.flush_output()
    except OutputUnusable as refusal:
        code = _refuse(str(refusal), 1)
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def _run() -> int:
    if (unreadable := next((each for each in sys.argv[1:] if not _is_text(each)), None)) is not None:
        return _refuse(f"the argument {unreadable!r} is no text in UTF-8", WRONG_USAGE)
    try:
        return int(app(prog_name=completion.PROGRAM, standalone_mode=False) or 0)
    except TyperException as refusal:
        return _refuse(refusal.format_message(), refusal.exit_code)
    except SettingsError as refusal:
        return _refuse(str(refusal), WRONG_USAGE)
    except (ServiceError, EventStoreError, HistoryError, KeysUnusable, Unauthenticated) as refusal:
        return _refuse(str(refusal), 1)
    except typer.Abort:
        return INTERRUPTED


def _is_text(argument: str) -> bool:
    """Whether it is text in UTF-8: of other bytes Python makes lone surrogates, which can be sent nowhere."""
    return not any("\ud800" <= char <= "\udfff" for char in argument)


def _interrupt(*_: object) -> NoReturn:
    """SIGTERM is as Ctrl-C to whoever does not take it otherwise: nothing is left half done."""
    raise KeyboardInterrupt


def _refuse(reason: str, code: int) -> int:
    registered = [
        command for each in (app, history.app, access.app, streams.app) for command in each.registered_commands
    ]
    commands = {command.name or command.callback.__name__ for command in registered if command.callback is not None}
    commands |= {str(group.name) for group in app.registered_groups}
    name = next((argument for argument in sys.argv[1:] if argument in commands), None)
    who = f"foldstream {name}" if name else "foldstream"
    print_error(f"{who}: {without_logins(' '.join(reason.split()))}")
    return code
