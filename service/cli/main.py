"""The command line: `foldstream serve` for everything on one machine, and a command for each process by itself."""

import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from typer.exceptions import TyperException

from infrastructure.eventstore.errors import EventStoreError
from infrastructure.history.errors import HistoryError
from service import logs
from service.addresses import listen
from service.cli import eventstore
from service.cli.history import commands as history
from service.cli.options import Host, Pipe, Port
from service.cli.schema import commands as schema
from service.cli.snapshots import commands as snapshots
from service.errors import ServiceError
from service.settings import Settings, SettingsError

app = typer.Typer(
    name="foldstream",
    help="Event-sourced commands, exactly-once Redis read models and sagas on EventStoreDB.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(eventstore.app, name="eventstore")
app.add_typer(schema.app, name="schema")
app.add_typer(snapshots.app, name="snapshots")
app.add_typer(history.app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"foldstream {version('foldstream')}")
        raise typer.Exit


@app.callback()
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
    """What goes for every command."""
    context.obj = log or logs.default_form()
    logs.set_up(context.obj, context.invoked_subcommand or "foldstream")


@app.command()
def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Annotated[Path, typer.Option(help="The folder that everything is kept in.")] = Path("data"),
) -> int:
    """Run everything on this machine: servers that are not named in the environment, workers and the API."""
    from service.supervisor.startup import serve  # noqa: PLC0415 - a command loads only what it runs

    serve(host=host, port=port, data=data, settings=Settings.from_environment(), log=context.obj)
    return 0


@app.command()
def api(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    inherited: Annotated[int | None, typer.Option("--listen", min=3, hidden=True)] = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the HTTP API."""
    from service.workers.api import run_api  # noqa: PLC0415 - a command loads only what it runs

    return run_api(Settings.from_environment(), _listening(host, port, inherited), stop_when_closed)


def _listening(host: str, port: int, inherited: int | None) -> socket.socket:
    return listen(host, port) if inherited is None else socket.socket(fileno=inherited)


@app.command()
def projections(stop_when_closed: Pipe = None) -> int:
    """Run the projections: they fold the log into the read models."""
    from service.workers.projections import run_projections  # noqa: PLC0415 - a command loads only what it runs

    return run_projections(Settings.from_environment(), stop_when_closed)


@app.command()
def sagas(stop_when_closed: Pipe = None) -> int:
    """Run the saga coordinators; any number of these processes share the work."""
    from service.workers.sagas import run_sagas  # noqa: PLC0415 - a command loads only what it runs

    return run_sagas(Settings.from_environment(), stop_when_closed)


@app.command()
def redis(
    data: Annotated[Path, typer.Option(help="The folder that the data are kept in.")],
    path: Annotated[
        Path | None, typer.Option("--socket", help="The unix socket to listen on [default: one in the folder].")
    ] = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the embedded Redis, on a unix socket."""
    from infrastructure.embedded.redis import run  # noqa: PLC0415 - a command loads only what it runs

    return run(socket=path, data=data, stop_when_closed=stop_when_closed)


@app.command()
def demo() -> int:
    """Show the main job end to end, in a fresh temporary folder; exit code 0 only if every check holds."""
    from service.demo.run import run_demo  # noqa: PLC0415 - a command loads only what it runs

    return run_demo()


def main() -> NoReturn:
    """Runs the command that was asked for. A refusal is one line on stderr; exit code 1, for wrong usage 2."""
    try:
        code = app(standalone_mode=False)
    except TyperException as refusal:
        code = _refuse(refusal.format_message(), refusal.exit_code)
    except (ServiceError, SettingsError, EventStoreError, HistoryError) as refusal:
        code = _refuse(str(refusal), 1)
    except (KeyboardInterrupt, typer.Abort):
        code = 130  # as shells count a Ctrl-C that came before there was anything to stop
    sys.exit(code)


def _refuse(reason: str, code: int) -> int:
    registered = (*app.registered_commands, *history.app.registered_commands)
    commands = {command.name or command.callback.__name__ for command in registered if command.callback is not None}
    commands |= {str(group.name) for group in app.registered_groups}
    name = next((argument for argument in sys.argv[1:] if argument in commands), None)
    who = f"foldstream {name}" if name else "foldstream"
    typer.echo(f"{who}: {' '.join(reason.split())}", err=True)
    return code
