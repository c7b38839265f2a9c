"""A line between a client and a server that can fall silent, be cut or refuse, also in the middle of a call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest


class Line:
    """Forwards bytes both ways.

    While it is muted the server hears, but its answers are lost. With `mute_at` it falls silent when these bytes
    pass on the way to the server; with `cut_at` the connection ends there, once, before they arrive.
    """

    def __init__(self, uri: str) -> None:
        target = urlsplit(uri)
        assert target.hostname is not None
        assert target.port is not None
        self._host, self._port, self._query = target.hostname, target.port, target.query
        self._server: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()
        self._held: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._muted = self._refusing = False
        self._passed = asyncio.Event()
        self._turned_away = asyncio.Event()
        self.mute_at: bytes | None = None
        self.cut_at: bytes | None = None
        self.cuts = 0
        self.address = ""

    async def open(self) -> str:
        """Listens; the URI to connect to instead of the server's."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return f"esdb://{self.address}?{self._query}"

    def mute(self) -> None:
        self._muted = True
        self._passed.clear()

    def hold(self) -> None:
        """No answer passes any more on the connections that there are; others are not affected."""
        self._held |= self._writers

    def refuse(self) -> None:
        """Cuts every connection, and each new one as soon as it is made."""
        self._refusing = True
        self._turned_away.clear()
        self._cut()

    async def refused(self) -> None:
        """Waits until a connection was turned away since then."""
        await asyncio.wait_for(self._turned_away.wait(), 10.0)

    def restore(self) -> None:
        """Cuts what lost its answers, and forwards again."""
        self._muted = self._refusing = False
        self.mute_at = self.cut_at = None
        self._cut()

    async def heard(self) -> None:
        """Waits until the server was sent something since the line was muted."""
        await asyncio.wait_for(self._passed.wait(), 10.0)

    async def close(self) -> None:
        self._server.close()
        self._cut()
        if self._connections:
            await asyncio.wait(self._connections, timeout=5.0)

    def _cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        self._held.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.close()
            self._turned_away.set()
            return
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._ask(reader, far_writer), self._answer(far_reader, writer))

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if self.cut_at is not None and self.cut_at in data:
                self.cut_at, self.cuts = None, self.cuts + 1
                self._cut()
                return
            if self.mute_at is not None and self.mute_at in data:
                self.mute()
            writer.write(data)
            self._passed.set()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if not self._muted and writer not in self._held:
                writer.write(data)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def line_to(uri: str) -> AsyncIterator[tuple[Line, str]]:
    """A line to this server and the URI that leads over it; it can't look into what is encrypted."""
    if "tls=false" not in uri.lower() or "," in uri:
        pytest.skip("needs a single server that is spoken to in plain text")
    line = Line(uri)
    through = await line.open()
    try:
        yield line, through
    finally:
        await line.close()
