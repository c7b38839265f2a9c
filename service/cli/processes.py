"""The commands that run until they are stopped: everything on one machine, or one process by itself."""

import socket
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from service.addresses import listen
from service.cli.options import DEFAULT_DATA, Folder, Host, Pipe, Port, parse_path
from service.cli.projections import commands as projections
from service.cli.sagas import commands as sagas
from service.cli.surroundings import folders_in, settings_at
from service.cli.verbs import epilog, pass_on_options, with_shared_options
from service.settings import Settings

WorkerData: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        parser=parse_path, metavar="DIR", help="The folder of a running `foldstream serve`, whose servers are used."
    ),
]


def serve(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data: Folder = DEFAULT_DATA,
) -> int:
    """Run everything on this machine: servers that are not named in the environment, workers and the API."""
    from service.supervisor.startup import serve  # noqa: PLC0415 - a command loads only what it runs

    serve(host=host, port=port, data=data, settings=settings_at(None), log=context.obj)
    return 0


def api(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    inherited: Annotated[
        int | None,
        typer.Option("--listen", min=3, metavar="FD", help="A listening socket that is inherited; systemd's is 3."),
    ] = None,
    data: WorkerData = None,
    kept: Annotated[list[Path] | None, typer.Option("--kept", hidden=True)] = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the HTTP API."""
    from service.workers.api import run_api  # noqa: PLC0415 - a command loads only what it runs

    settings, listening = settings_at(data), _listening(host, port, inherited)
    return run_api(settings, listening, stop_when_closed, kept or folders_in(data))


def _worker_settings(data: Path | None, pipe: int | None) -> Settings:
    """The settings of a worker. A child of `serve` leaves the port for metrics to the API: two can't share it."""
    settings = settings_at(data)
    return settings if pipe is None else settings.model_copy(update={"metrics_port": None})


def _listening(host: str, port: int, inherited: int | None) -> socket.socket:
    return listen(host, port) if inherited is None else socket.socket(fileno=inherited)


def _projections(
    context: typer.Context,
    data: WorkerData = None,
    worker: Annotated[str | None, typer.Option("--worker", hidden=True)] = None,
    stop_when_closed: Pipe = None,
) -> int:
    """Run the projections: they fold the log into the read models; any number of these processes share the work.

    With a further word, look at them.
    """
    if context.invoked_subcommand is not None:
        pass_on_options(context)
        return 0
    from service.workers.projections import run_projections  # noqa: PLC0415 - a command loads only what it runs

    return run_projections(_worker_settings(data, stop_when_closed), stop_when_closed, worker)


_PROJECTIONS_EXAMPLE: Final = "projections --eventstore 'esdb://node1:2113?tls=false' --redis redis://redis:6379/0"
projections.app.callback(invoke_without_command=True, epilog=epilog(_PROJECTIONS_EXAMPLE))(
    with_shared_options(_projections, ("eventstore", "redis"), serves=True)
)


def _sagas(context: typer.Context, data: WorkerData = None, stop_when_closed: Pipe = None) -> int:
    """Run the saga coordinators; any number of these processes share the work.

    With a further word, act on an instance.
    """
    if context.invoked_subcommand is not None:
        pass_on_options(context)
        return 0
    from service.workers.sagas import run_sagas  # noqa: PLC0415 - a command loads only what it runs

    return run_sagas(_worker_settings(data, stop_when_closed), stop_when_closed)


sagas.app.callback(invoke_without_command=True, epilog=epilog("sagas --eventstore 'esdb://node1:2113?tls=false'"))(
    with_shared_options(_sagas, ("eventstore", "redis"), serves=True)
)


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
