"""The programs of `serve`, in the order of their start: embedded servers, unless real ones are named, then workers."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from service.consumers import PROJECTIONS
from service.settings import Settings, variable_of

_MOST_WORKERS: Final = 16
FOLDSTREAM: Final = (sys.executable, "-P", "-m", "service")


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its command, and how it is started and stopped.

    `variables`: those of the environment that it has beside ours. `uri`: where it answers, if it does. `ready`: how the
    line on its output begins by which it says that it can be used; None where nothing waits for it. `verb`: the name
    that it gives itself, where several do the same; they are stopped together. `files`: descriptors that it inherits.
    `grace`: seconds that it has to stop in order. `keeps`: the folder that has what can't be made again; once it was
    there, nothing is begun without it.
    """

    name: str
    command: tuple[str, ...]
    uri: str | None = None
    ready: str | None = None
    verb: str | None = None
    files: tuple[int, ...] = ()
    grace: float = 10.0
    keeps: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        """What follows the name of our program."""
        return self.command[len(FOLDSTREAM) :]

    @property
    def kind(self) -> str:
        """What it runs: the verb of the command line."""
        return self.verb or self.name


@dataclass(frozen=True, slots=True)
class ServeContext:
    """What the processes of one `serve` share. `pipe` closes when the supervisor ends, however it ends."""

    data: Path
    settings: Settings
    socket: Path
    eventstore_port: int
    api_socket: int
    api_url: str
    pipe: int
    lock: int
    log: str

    @property
    def own(self) -> dict[str, str]:
        """The addresses of the embedded servers, by the setting that would name a real one."""
        addresses = {
            "eventstore_uri": f"esdb://127.0.0.1:{self.eventstore_port}?tls=false",
            "redis_uri": f"unix://{quote(str(self.socket))}",
        }
        return {name: uri for name, uri in addresses.items() if getattr(self.settings, name) is None}

    @property
    def folders(self) -> list[Path]:
        """Those of the embedded servers."""
        return [self.data / setting.removesuffix("_uri") for setting in self.own]


def servers(context: ServeContext) -> list[Program]:
    """The embedded servers, each omitted if a real one is named."""
    port = str(context.eventstore_port)
    eventstore = ("eventstore", "--host", "127.0.0.1", "--port", port, "--data", str(context.data / "eventstore"))
    redis = ("redis", "--data", str(context.data / "redis"), "--socket", str(context.socket))
    arguments = {"eventstore_uri": eventstore, "redis_uri": redis}
    return [_server(context, arguments[setting], uri) for setting, uri in context.own.items()]


def workers(context: ServeContext) -> list[Program]:
    """The processes that use the servers."""
    programs = (
        *_projections(context),
        Program("sagas", _command(context, "sagas")),
        Program("api", _api_command(context), context.api_url, files=(context.api_socket,)),
    )
    return [_bound(context, each) for each in programs]


def _api_command(context: ServeContext) -> tuple[str, ...]:
    """It also shows how the other processes fare."""
    kept = [part for folder in context.folders for part in ("--kept", str(folder))]
    return _command(context, "api", "--listen", str(context.api_socket), *kept)


def _projections(context: ServeContext) -> list[Program]:
    """One process or several; each goes on with what was leased to it when it is started again."""
    number = context.settings.projection_workers or _processors_for_projections(context.settings)
    names = ["projections"] if number == 1 else [f"projections-{each}" for each in range(1, number + 1)]
    run = uuid4().hex
    return [
        Program(name, _command(context, "projections", "--worker", f"{run}-{name}"), verb="projections")
        for name in names
    ]


def _processors_for_projections(settings: Settings) -> int:
    """As many as there are, but no more than there is work for, or than are good for one Redis."""
    categories = {projection.category for projection in PROJECTIONS}
    return min(len(os.sched_getaffinity(0)), len(categories) * settings.partitions, _MOST_WORKERS)


def _server(context: ServeContext, arguments: Sequence[str], uri: str) -> Program:
    name, command = arguments[0], _command(context, *arguments)
    keeps = context.data / "eventstore" if name == "eventstore" else None
    return _bound(context, Program(name, command, uri, ready=f"{name}_ready ", keeps=keeps))


def _command(context: ServeContext, *arguments: str) -> tuple[str, ...]:
    return (*FOLDSTREAM, "--log", context.log, *arguments, "--stop-when-closed", str(context.pipe))


def _bound(context: ServeContext, program: Program) -> Program:
    """The program with what all of them have: the pipe and the lock, and the settings that `serve` chose."""
    return replace(program, files=(context.pipe, context.lock, *program.files), variables=_variables(context))


def _variables(context: ServeContext) -> dict[str, str]:
    chosen = dict(context.own)
    if context.settings.development_key is not None:
        chosen["development_key"] = context.settings.development_key
    return {variable_of(name): value for name, value in chosen.items()}
