"""The API alone, in this process, on a port of its own: for tests that need other settings or a broken surrounding."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import uvicorn
from fastapi import FastAPI

from service.addresses import listen, url_of
from service.http.app import create_app
from service.http.server import server_config
from service.settings import Settings
from tests.support.callers import AUTHORIZED, KEY
from tests.support.polling import poll_until

NOBODY: Final = "127.0.0.1:1"  # where nothing listens


def away(**chosen: Any) -> Settings:
    """Settings that name servers which are not there."""
    servers = {"eventstore_uri": f"esdb://{NOBODY}?tls=false", "redis_uri": f"redis://{NOBODY}"}
    return Settings(**{**servers, "development_key": str(KEY), **chosen})


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """A connection, of an administrator, to an API with these settings, and the key of tests where they name none."""
    key = {} if settings.access_keys or settings.development_key else {"development_key": str(KEY)}
    with answering(create_app(settings.model_copy(update=key))) as client:
        yield client


@contextmanager
def answering(app: FastAPI, config: uvicorn.Config | None = None) -> Iterator[httpx.Client]:
    """A connection to this application, served as it is by default or as `config` says."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(config or server_config(app, app.state.settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        url = url_of(listening, by_tls=app.state.certificate is not None)
        poll_until(lambda: server.started, seconds=20, what="the start of the API")
        with httpx.Client(base_url=url, timeout=40, trust_env=False, headers=AUTHORIZED) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
