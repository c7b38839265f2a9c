"""Metrics while the event store is silent: answered soon, with what was found last and its age; one look for all."""

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.infrastructure.eventstore.silent_store import SilentStore, running
from tests.service.http.api_server import away, serving
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

AT_ONCE = 40
STORE = 'foldstream_check_state{check="eventstore",state='


def scrape(http: httpx.Client) -> str:
    """The metrics; fails where they take longer than a scraper with many targets would like."""
    began = time.monotonic()
    text = http.get("/metrics").text
    assert time.monotonic() - began < 1.0
    return text


def age(text: str) -> float | None:
    found = re.search(r"^foldstream_checks_age_seconds (.+)$", text, re.MULTILINE)
    return None if found is None else float(found[1])


def test_what_was_found_last_is_shown_with_its_age_until_there_is_more(redis_uri: str) -> None:
    with EventStoreProcess(None) as store, serving(away(eventstore_uri=store.uri, redis_uri=redis_uri)) as http:
        poll_until(lambda: f'{STORE}"ok"}} 1.0' in scrape(http), seconds=10, what="a store that is found")
        store.process.send(signal.SIGSTOP)
        try:
            silent_since = time.monotonic()
            poll_until(lambda: time.monotonic() - silent_since > 1.2, seconds=2, what="findings that are too old")
            text = scrape(http)
            assert f'{STORE}"ok"}} 1.0' in text
            old = age(text)
            assert old is not None
            assert 1.2 < old < 5
            poll_until(lambda: f'{STORE}"away"}} 1.0' in scrape(http), seconds=10, what="the silence of the store")
        finally:
            store.process.send(signal.SIGCONT)
        poll_until(lambda: f'{STORE}"ok"}} 1.0' in scrape(http), seconds=20, what="a store that answers")


def test_before_anything_was_found_there_is_no_age(redis_uri: str) -> None:
    with running(SilentStore()) as uri, serving(away(eventstore_uri=uri, redis_uri=redis_uri)) as http:
        text = scrape(http)
        assert (age(text), STORE in text) == (None, False)
        poll_until(lambda: f'{STORE}"away"}} 1.0' in scrape(http), seconds=10, what="the silence of the store")


def test_all_probes_at_once_are_one_look(redis_uri: str) -> None:
    store = SilentStore()
    with running(store) as uri, serving(away(eventstore_uri=uri, redis_uri=redis_uri)) as http:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(lambda _: http.get("/health/ready"), range(AT_ONCE)))
        assert len({answer.text for answer in answers}) == 1
        assert {answer.status_code for answer in answers} == {503}
    assert sum(store.most_held.values()) < 10
