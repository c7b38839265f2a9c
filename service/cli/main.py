"""The command line: `foldstream serve` for everything on one machine, and a command for each process by itself."""

import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn, TypeAlias

import structlog
import typer
from typer.exceptions import TyperException

from infrastructure import terminal
from infrastructure.eventstore.errors import EventStoreError
from infrastructure.history.errors import HistoryError
from infrastructure.terminal import OutputUnusable, print_error, print_line
from service import logs
from service.addresses import listen
from service.cli import eventstore
from service.cli.help_option import HelpfulGroup, print_help
from service.cli.history import commands as history
from service.cli.options import DEFAULT_DATA, Folder, Host, Json, Pipe, Port, parse_path
from service.cli.schema import commands as schema
from service.cli.snapshots import commands as snapshots
from service.cli.surroundings import settings_at
from service.cli.verbs import epilog, server, verb
from service.errors import ServiceError
from service.settings import Settings, SettingsError, unknown_variables

_log: Final = structlog.get_logger("foldstream")
INTERRUPTED: Final = 130  # as shells count it
WorkerData: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        parser=parse_path, metavar="DIR", help="The folder of a running `foldstream serve`, whose servers are used."
    ),
]
app = typer.Typer(
    name="foldstream",
    cls=HelpfulGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(
    eventstore.app, name="eventstore", short_help="Run the embedded event store, which speaks EventStoreDB's protocol."
)
app.add_typer(schema.app, name="schema")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(history.app)


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
) -> None:
    """Event-sourced commands, exactly-once Redis read models and sagas on EventStoreDB."""
    if context.invoked_subcommand is None:
        print_help(context)
        return
    context.obj = log or logs.default_form()
    logs.set_up(context.obj, context.invoked_subcommand or "foldstream")


@server(app, example="serve --port 8000 --data data")
def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Folder = DEFAULT_DATA,
) -> int:
    """Run everything on this machine: servers that are not named in the environment, workers and the API."""
    from service.supervisor.startup import serve  # noqa: PLC0415 - a command loads only what it runs

    serve(host=host, port=port, data=data, settings=_settings(None), log=context.obj)
    return 0


@server(app, example="api --host 0.0.0.0 --port 8000")
def api(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    inherited: Annotated[int | None, typer.Option("--listen", min=3, hidden=True)] = None,
    data: WorkerData = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the HTTP API."""
    from service.workers.api import run_api  # noqa: PLC0415 - a command loads only what it runs

    return run_api(_settings(data, stop_when_closed), _listening(host, port, inherited), stop_when_closed)


def _settings(data: Path | None, pipe: int | None = None) -> Settings:
    """The settings. Variables that are none are warned of, by `serve` for its children too, which hold its pipe."""
    if pipe is None and (unknown := unknown_variables()):
        _log.warning("settings_unknown", did_you_mean=unknown)
    return settings_at(data)


def _listening(host: str, port: int, inherited: int | None) -> socket.socket:
    return listen(host, port) if inherited is None else socket.socket(fileno=inherited)


@server(app, example="projections --eventstore 'esdb://node1:2113?tls=false' --redis redis://redis:6379/0")
def projections(data: WorkerData = None, stop_when_closed: Pipe = None) -> int:
    """Run the projections: they fold the log into the read models."""
    from service.workers.projections import run_projections  # noqa: PLC0415 - a command loads only what it runs

    return run_projections(_settings(data, stop_when_closed), stop_when_closed)


@server(app, example="sagas --eventstore 'esdb://node1:2113?tls=false'")
def sagas(data: WorkerData = None, stop_when_closed: Pipe = None) -> int:
    """Run the saga coordinators; any number of these processes share the work."""
    from service.workers.sagas import run_sagas  # noqa: PLC0415 - a command loads only what it runs

    return run_sagas(_settings(data, stop_when_closed), stop_when_closed)


@server(app, example="redis --data data/redis", uses=())
def redis(
    data: Folder,
    path: Annotated[
        Path | None,
        typer.Option(
            "--socket",
            parser=parse_path,
            metavar="PATH",
            help="The unix socket to listen on [default: one in the folder].",
        ),
    ] = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the embedded Redis, on a unix socket."""
    from infrastructure.embedded.redis import run  # noqa: PLC0415 - a command loads only what it runs

    return run(socket=path, data=data, stop_when_closed=stop_when_closed)


@verb(app, example="demo")
def demo(as_json: Json = False) -> int:
    """Show the main job end to end, in a fresh temporary folder; exit code 3 if a check does not hold."""
    from service.demo.run import run_demo  # noqa: PLC0415 - a command loads only what it runs

    return run_demo(as_json=as_json)


def main() -> NoReturn:
    """Runs the command that was asked for. A refusal is one line on stderr; exit code 1, for wrong usage 2."""
    terminal.prepare()
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
    try:
        return int(app(standalone_mode=False) or 0)
    except TyperException as refusal:
        return _refuse(refusal.format_message(), refusal.exit_code)
    except (ServiceError, SettingsError, EventStoreError, HistoryError) as refusal:
        return _refuse(str(refusal), 1)
    except typer.Abort:
        return INTERRUPTED


def _interrupt(*_: object) -> NoReturn:
    """SIGTERM is as Ctrl-C to whoever does not take it otherwise: nothing is left half done."""
    raise KeyboardInterrupt


def _refuse(reason: str, code: int) -> int:
    registered = (*app.registered_commands, *history.app.registered_commands)
    commands = {command.name or command.callback.__name__ for command in registered if command.callback is not None}
    commands |= {str(group.name) for group in app.registered_groups}
    name = next((argument for argument in sys.argv[1:] if argument in commands), None)
    who = f"foldstream {name}" if name else "foldstream"
    print_error(f"{who}: {' '.join(reason.split())}")
    return code
