"""The API stops while clients are in the queue of its socket, their requests sent: each of them is answered."""

import socket
from contextlib import ExitStack
from typing import Final

import uvicorn

from service.addresses import listen, url_of
from service.http.app import create_app
from service.http.server import ApiServer, server_config
from tests.service.http.api_server import away
from tests.service.http.wire import ALIVE, GET, connected, parsed, until_closed

CLIENTS: Final = 3


class StoppedAtOnce(ApiServer):
    """Stops when clients have connected and sent their requests, before it accepts any of them."""

    def __init__(self, config: uvicorn.Config, url: str, opened: ExitStack) -> None:
        super().__init__(config, lambda: None)
        self._url: Final = url
        self._opened: Final = opened
        self.clients: list[socket.socket] = []

    async def on_tick(self, counter: int) -> bool:
        self.clients = [self._opened.enter_context(connected(self._url)) for _ in range(CLIENTS)]
        for client in self.clients:
            client.sendall(GET + b"\r\n")
        return True


def test_each_is_answered_and_its_connection_ended() -> None:
    listening = listen("127.0.0.1", 0)
    settings = away()
    with ExitStack() as opened:
        server = StoppedAtOnce(server_config(create_app(settings), settings), url_of(listening), opened)
        server.run(sockets=[listening])
        for client in server.clients:
            [answer] = parsed(until_closed(client))
            assert (answer.body, answer.headers["connection"]) == (ALIVE, "close")
