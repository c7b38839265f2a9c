"""Starts `serve` with what its processes share: the folder, the API's socket, and a pipe that closes with it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.embedded.folder import shortage, socket_path
from service.addresses import lasting_port, listen, url_of
from service.errors import DataFolderUnusable
from service.http.certificate import certificate_of
from service.projection_names import require_known_projections
from service.settings import Settings
from service.supervisor import folder
from service.supervisor.development_key import with_development_key
from service.supervisor.execution import execute
from service.supervisor.fork_server import fork_server
from service.supervisor.programs import ServeContext, servers, workers
from service.supervisor.supervisor import Supervisor
from service.token_verifier import require_usable_keys


def serve(*, host: str, port: int, data: Path, settings: Settings, log: str) -> None:
    """Runs everything until it is told to stop. `log` is the form of the children's log.

    Raises ServiceError, SettingsError, KeysUnusable.
    """
    require_known_projections(settings)  # a process would refuse it as well, once its servers run
    require_usable_keys(settings)
    certificate = certificate_of(settings)
    data = data.absolute()
    with (
        fork_server() as forks,  # before there is a thread, a lock or a socket
        folder.lock_folder(data) as lock,
        socket_path(data / "run" / "redis.sock") as socket,
        listen(host, port) as api,
        _pipe() as pipe,
    ):
        settings = with_development_key(settings, data)
        context = ServeContext(
            data=data,
            settings=settings,
            socket=socket,
            eventstore_port=lasting_port(),
            api_socket=api.fileno(),
            api_url=url_of(api, by_tls=certificate is not None),
            pipe=pipe,
            lock=lock,
            log=log,
        )
        _require_room(context)
        start = execute if forks is None else forks.start
        asyncio.run(Supervisor(data, settings, api, start).run(servers(context), workers(context)))


def _require_room(context: ServeContext) -> None:
    """Raises DataFolderUnusable where an embedded server would find a full disk."""
    if context.own and (full := shortage(context.data)):
        raise DataFolderUnusable(context.data, full.removeprefix("; "))


@contextmanager
def _pipe() -> Iterator[int]:
    """The end of a pipe that children watch: it closes with this process, even when that is killed."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)
