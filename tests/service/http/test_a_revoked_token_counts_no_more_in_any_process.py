"""A revocation is heeded by every API within seconds, stays known while the store is away, and needs none to start."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from fastapi import FastAPI
from structlog.testing import capture_logs

from infrastructure.access.errors import Unauthenticated
from infrastructure.access.revocations import Revocation, record_revocation
from infrastructure.access.verifier import TokenVerifier
from infrastructure.eventstore.client import command_client
from infrastructure.eventstore.streams import Streams
from service.history.sources import CODEC
from service.http.app import create_app
from tests.service.http.api_server import answering, away
from tests.support.access import development_key, token_for
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

HEEDED_WITHIN = 5  # seconds; some two, on a machine that does nothing else


@contextmanager
def verifier_at(uri: str, key: Path, **chosen: str) -> Iterator[TokenVerifier]:
    """That of an API which runs."""
    app: FastAPI = create_app(away(eventstore_uri=uri, development_key=str(key), **chosen))
    with answering(app):
        yield app.state.verifier


def revoke(uri: str, **meant: Any) -> None:
    async def run() -> None:
        client = await command_client(uri)
        streams, now = Streams(client, CODEC), datetime.now(UTC)
        try:
            said: dict[str, Any] = {
                "actor": "cli:ada",
                "why": "a lost laptop",
                "at": now,
                "until": now + timedelta(days=1),
            }
            await record_revocation(streams, Revocation(**meant, **said))
        finally:
            await streams.close()
            await client.close()

    asyncio.run(run())


def is_refused(verifier: TokenVerifier, token: str) -> Callable[[], bool]:
    def refused() -> bool:
        try:
            verifier.caller_of(token)
        except Unauthenticated:
            return True
        return False

    return refused


def await_refusal(verifier: TokenVerifier, token: str) -> None:
    poll_until(is_refused(verifier, token), seconds=HEEDED_WITHIN, what="the refusal of a revoked token")
    with pytest.raises(Unauthenticated, match="the token was revoked"):
        verifier.caller_of(token)


def test_every_api_heeds_it_at_once_and_after_a_start_and_while_the_store_is_away(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    anna, bert = token_for(key, subject="anna"), token_for(key, subject="bert")
    with EventStoreProcess(None) as store, verifier_at(store.uri, key) as one, verifier_at(store.uri, key) as other:
        token_id = one.caller_of(bert).token_id
        revoke(store.uri, subject="anna", before=datetime.now(UTC) + timedelta(seconds=1))
        revoke(store.uri, token_id=token_id)
        for verifier in (one, other):
            await_refusal(verifier, anna)
            await_refusal(verifier, bert)
        assert one.caller_of(token_for(key, subject="anna", tenant="acme")).subject == "anna"
        assert one.caller_of(token_for(key, subject="bert")).subject == "bert"
        with verifier_at(store.uri, key) as begun_later:
            assert is_refused(begun_later, anna)()
        store.kill()
        await_refusal(other, anna)


def test_an_api_that_starts_without_its_store_takes_tokens_and_says_so_once(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    with capture_logs() as lines, verifier_at("esdb://127.0.0.1:1?tls=false", key) as verifier:
        assert verifier.caller_of(token_for(key)).subject == "tester"
        poll_until(lambda: _told(lines), seconds=10, what="the line of the log")
    assert [line["log_level"] for line in _told(lines)] == ["warning"]


def test_one_that_starts_without_its_store_knows_what_others_have_left_in_redis(tmp_path: Path, redis_uri: str) -> None:
    key, rows = development_key(tmp_path), {"redis_uri": redis_uri, "namespace": f"revoked-{uuid4().hex[:12]}"}
    anna, bert, ada = (token_for(key, subject=subject) for subject in ("anna", "bert", "ada"))
    with EventStoreProcess(None) as server, verifier_at(server.uri, key, **rows) as one:
        revoke(server.uri, subject="anna", before=datetime.now(UTC) + timedelta(seconds=1))
        revoke(server.uri, token_id=one.caller_of(bert).token_id)
        await_refusal(one, anna)
        await_refusal(one, bert)
        with redis.Redis.from_url(redis_uri) as connection:
            copy = f"{rows['namespace']}:revocations"
            poll_until(lambda: b"anna" in (connection.get(copy) or b""), seconds=HEEDED_WITHIN, what="a copy of both")
            connection.delete(copy)
            poll_until(lambda: connection.get(copy) is not None, seconds=20, what="the copy that was lost")
    for store in ("127.0.0.1:1", "127.0.0.1:1,127.0.0.1:1"):
        with verifier_at(f"esdb://{store}?tls=false", key, **rows) as lonely:
            await_refusal(lonely, anna)
            await_refusal(lonely, bert)
            assert lonely.caller_of(ada).subject == "ada"


def _told(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "revocations_unread"]
