"""A Redis Cluster over TLS: the server that the URI names, and those that it tells of."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.servers import servers_at
from tests.support.polling import poll_until
from tests.support.redis_cluster import ClusterServer
from tests.support.secure import Certificates


@asynccontextmanager
async def tls_before(server: ClusterServer, files: Certificates) -> AsyncIterator[int]:
    """The port where the server, which speaks no TLS itself, is reached over TLS; it tells the cluster of that port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(forward(reader, far_writer), forward(far_reader, writer))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with listening:
        port = int(listening.sockets[0].getsockname()[1])
        server.ask("CONFIG SET", "cluster-announce-port", port)
        yield port


def written_and_read(uri: str) -> object:
    with connect(uri, "a") as connection:
        connection.set("a", "1")
        return connection.get("a")


async def read(uri: str) -> object:
    servers = servers_at(uri, 5.0)
    try:
        return await (await servers.at("a")).get("a")
    finally:
        await servers.aclose()


def test_workers_and_queries_trust_the_authority_that_the_uri_names(tmp_path: Path) -> None:
    files = Certificates(tmp_path).write()
    server = ClusterServer(tmp_path / "server").start()
    server.ask("CLUSTER ADDSLOTSRANGE", 0, 16_383)
    poll_until(lambda: server.info("cluster_state") == "ok", seconds=20, what="a cluster of one server")

    async def test() -> None:
        async with tls_before(server, files) as port:
            uri = f"rediss+cluster://127.0.0.1:{port}"
            trusting = f"{uri}?ssl_ca_certs={files.ca}"
            assert await asyncio.to_thread(written_and_read, trusting) == b"1"
            assert await read(trusting) == b"1"
            with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                await asyncio.to_thread(written_and_read, uri)
            with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
                await read(uri)

    asyncio.run(test())
    server.kill()
