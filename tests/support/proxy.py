"""A TCP proxy of a test's own, between a service and a server, which breaks the network between them on command."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from service.addresses import lasting_port
from tests.support.network_faults import Direction, Faults

ResultT = TypeVar("ResultT")


class Proxy:
    """Listens on a port of 127.0.0.1 that stays the same, in a thread; `target` is a host with a port, or a socket's
    path. Each fault holds for the connections that there are and for new ones, until another one or `heal`."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self.port: Final = lasting_port()
        self.target: Final = target
        self.faults = Faults()
        self.pairs: Final[set[_Pair]] = set()
        self.accepted = 0
        self._loop: Final = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread: Final = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def refuse(self) -> None:
        """Ends all connections by a reset, and refuses new ones, as where the server's process is gone."""
        self._wait(self._close())

    def cut(self) -> None:
        """Ends all connections by a reset, once; new ones are taken."""
        self._do(self._abort)

    def delay(self, seconds: float) -> None:
        """Bytes come so much later, in both directions."""
        self._break(Faults(delay=seconds))

    def throttle(self, bytes_per_second: float) -> None:
        """No more bytes than these pass, in each direction of each connection."""
        self._break(Faults(bytes_per_second=bytes_per_second))

    def go_silent(self) -> None:
        """Takes connections and bytes, and forwards nothing, as where a firewall drops all packets.

        What was held is forwarded by `heal`, as the sender's system would send it again; so is what came late.
        """
        self._break(Faults(silent=True))

    def forget(self) -> None:
        """Forwards nothing of the connections that there are, ever again; new ones are served, as after a firewall has
        lost its table."""
        self._do(self._forget)

    def half_close(self) -> None:
        """Tells clients that the server sends nothing more, and goes on to take what they send."""
        self._break(Faults(half_closed=True))

    def heal(self) -> None:
        """All is well again."""
        self._break(Faults())
        self._wait(self._listen())

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _break(self, faults: Faults) -> None:
        def apply() -> None:
            self.faults = faults
            for pair in tuple(self.pairs):
                pair.apply()

        self._do(apply)

    def _do(self, act: Callable[[], None]) -> None:
        async def run() -> None:
            act()

        self._wait(run())

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(partial(_Pair, self, self._loop), "127.0.0.1", self.port)

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._abort()

    def _forget(self) -> None:
        for pair in self.pairs:
            pair.forget()

    def _abort(self) -> None:
        for pair in tuple(self.pairs):
            pair.abort()


class _Pair(asyncio.Protocol):
    """A client's connection, and that to the server which belongs to it."""

    def __init__(self, proxy: Proxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy: Final = proxy
        self._loop: Final = loop
        self._client: asyncio.Transport
        self._to_server: Direction | None = None
        self._to_client: Final = Direction(lambda: proxy.faults, loop, self._close_if_over)

    def connection_made(self, transport: Any) -> None:
        self._client = transport
        self._proxy.accepted += 1
        self._proxy.pairs.add(self)
        self._to_server = Direction(lambda: self._proxy.faults, self._loop, self._close_if_over)
        self._to_server.reads_from(transport)
        self._to_client.writes_to(transport)
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        other = partial(_Server, self)
        try:
            if isinstance(self._proxy.target, str):
                server, _ = await self._loop.create_unix_connection(other, self._proxy.target)
            else:
                server, _ = await self._loop.create_connection(other, *self._proxy.target)
        except OSError:
            self.abort()
            return
        assert self._to_server is not None
        self._to_client.reads_from(server)
        self._to_server.writes_to(server)
        self.apply()

    def apply(self) -> None:
        """Does what follows from the faults that there are now."""
        assert self._to_server is not None
        self._to_client.is_closed = self._to_client.is_closed or self._proxy.faults.half_closed
        for direction in (self._to_client, self._to_server):
            direction.go_on()

    def _close_if_over(self) -> None:
        """Neither end sends anything more."""
        if self._to_client.has_ended and self._to_server is not None and self._to_server.has_ended:
            self._to_client.close()
            self._to_server.close()

    def forget(self) -> None:
        """Nothing is forwarded any more."""
        assert self._to_server is not None
        self._to_server.is_forgotten = self._to_client.is_forgotten = True

    def abort(self) -> None:
        """Ends both, by a reset."""
        self._proxy.pairs.discard(self)
        self._connecting.cancel()
        for direction in (self._to_client, self._to_server):
            if direction is not None:
                direction.abort()

    def data_received(self, data: bytes) -> None:
        assert self._to_server is not None
        self._to_server.take(data)

    def eof_received(self) -> bool:
        assert self._to_server is not None
        self._to_server.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.abort()

    def server_sent(self, data: bytes) -> None:
        self._to_client.take(data)

    def server_ended(self) -> None:
        self._to_client.end()


class _Server(asyncio.Protocol):
    def __init__(self, pair: _Pair) -> None:
        self._pair: Final = pair

    def data_received(self, data: bytes) -> None:
        self._pair.server_sent(data)

    def eof_received(self) -> bool:
        self._pair.server_ended()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._pair.abort()
