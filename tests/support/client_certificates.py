"""A door before an event store in secure mode that lets in only clients with a certificate of its authority."""

import asyncio
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import trustme

from tests.support.canaries import watch_key
from tests.support.secure import SecureEventStore

_CHUNK: Final = 65_536


class CertifiedDoor:
    """Takes connections over TLS on a port of 127.0.0.1, asks for a certificate, and passes on what they carry."""

    def __init__(self, store: SecureEventStore) -> None:
        self._store: Final = store
        self._authority: Final = trustme.CA()
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(target=self._loop.run_forever, name="door", daemon=True)
        self._inside = ssl.create_default_context(cafile=store.files.ca)
        self._inside.set_alpn_protocols(["h2"])
        self._outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._outside.load_cert_chain(store.files.certificate, store.files.key)
        self._outside.set_alpn_protocols(["h2"])
        self._outside.verify_mode = ssl.CERT_REQUIRED
        self._authority.configure_trust(self._outside)
        self.port = 0

    @property
    def uri(self) -> str:
        """What a client without a certificate would connect to."""
        return self._store.uri().replace(self._store.target, f"127.0.0.1:{self.port}")

    def write_certificate(self, folder: Path, authority: trustme.CA | None = None) -> tuple[Path, Path]:
        """The files of a client's certificate and its key, signed by this authority, else by the one that counts."""
        issued = (authority or self._authority).issue_cert("foldstream")
        files = folder / "client.crt", folder / "client.key"
        files[0].write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        files[1].write_bytes(issued.private_key_pem.bytes())
        watch_key(issued.private_key_pem.bytes())
        return files

    def __enter__(self) -> Self:
        self._thread.start()
        opening = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._outside)
        server = asyncio.run_coroutine_threadsafe(opening, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back = await asyncio.open_connection("127.0.0.1", self._store.port, ssl=self._inside)
        await asyncio.gather(_pass_on(reader, back[1]), _pass_on(back[0], writer))

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
