"""Skips as the workers of a process read and record them, in any of its threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import SKIPS_STREAM, Skip
from tests.infrastructure.readmodels.reader import WAIT
from tests.infrastructure.readmodels.test_skips_are_what_the_records_come_to import skip
from tests.infrastructure.readmodels.workers import deployment
from tests.support.polling import poll_until


@pytest.fixture
def watch(deployed: Deployment) -> Iterator[SkipWatch]:
    watch = SkipWatch(deployed)
    yield watch
    watch.close()


def own_records(deployed: Deployment) -> int:
    """How many are recorded in the namespace."""
    with open_reader(deployed.eventstore_uri) as reader:
        records = reader.page(SKIPS_STREAM, 0, 10_000) or ()
    return sum(Skip.model_validate_json(record.data).namespace == deployed.namespace for record in records)


def test_of_several_who_skip_one_event_one_records_it(deployed: Deployment, watch: SkipWatch) -> None:
    word, others = skip(3, namespace=deployed.namespace), [SkipWatch(deployed) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        before = list(pool.map(lambda each: each.skip(word), [watch, watch, watch, *others]))
    assert sorted(each is None for each in before) == [False] * 5 + [True]
    assert own_records(deployed) == 1
    assert {each.of("tallies").of("tally-1", 3) for each in (watch, *others)} == {word}
    assert (watch.unskip(word), watch.unskip(word)) == (word, None)
    assert own_records(deployed) == 2
    assert watch.of("tallies").standing == {}
    poll_until(lambda: not others[0].of("tallies").standing, seconds=WAIT, what="the end of the skip to be read")
    for each in others:
        each.close()


def test_without_a_store_nothing_is_known_in_any_thread(eventstore_uri: str, redis_uri: str, namespace: str) -> None:
    away = deployment("esdb://127.0.0.1:1?tls=false", redis_uri, namespace)
    watch = SkipWatch(away)

    def asked(_: int) -> str:
        with pytest.raises(StoreUnavailable) as refusal:
            watch.of("tallies")
        return str(refusal.value)

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(asked, range(3)))) == 1
    assert away.outages.eventstore.is_missed_by("skips")
    with pytest.raises(StoreUnavailable):
        watch.skip(skip(3, namespace=namespace))
