"""A server that is killed again and again while clients contend for its streams keeps its word to all of them."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from esdbclient import EventStoreDBClient

from tests.infrastructure.embedded.eventstoredb.durability.clients import STREAMS, Consumer, Writer, logged
from tests.infrastructure.embedded.eventstoredb.durability.history import History, Logged
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until

WRITERS = 6
MOST_APPENDS = 80  # acknowledged in a round before the kill
logger = structlog.get_logger()


class Siege:
    """The server, its clients, and the log as far as it was read."""

    def __init__(self, process: EventStoreProcess, seed: int) -> None:
        self.process = process
        self.writers = [Writer(seed * 1000 + number) for number in range(WRITERS)]
        self.consumers = [Consumer(STREAMS[0]), Consumer(None)]
        self.log: list[Logged] = []
        self._random = random.Random(seed)
        with EventStoreDBClient(process.uri) as client:
            for consumer in self.consumers:
                consumer.create(client)

    def round(self) -> None:
        """Kills the server under load and starts it again."""
        enough = self._acknowledged() + self._random.randint(1, MOST_APPENDS)
        threads = [self._begin(writer) for writer in self.writers]
        for consumer in self.consumers:
            consumer.gone.clear()
            self._begin(consumer)
        poll_until(lambda: self._acknowledged() >= enough, seconds=30, what="appends")
        self.process.kill()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert all(consumer.gone.wait(30) for consumer in self.consumers)
        self.process.start()

    def faults(self) -> list[str]:
        """What the server that was started again has broken."""
        with EventStoreDBClient(self.process.uri) as client:
            self.log += logged(client, self.log[-1].position if self.log else 0)
            return [*self._history().faults(), *self._checkpoint_faults(client)]

    def unanswered(self) -> list[int]:
        """How many events each group never delivered, once its consumer has taken all it could get."""
        with EventStoreDBClient(self.process.uri) as client:
            missing = []
            for consumer in self.consumers:
                wanted = {consumer.place(event) for event in self.log if consumer.stream in (None, event.stream)}
                consumer.drain(client, wanted)
                missing.append(len(wanted - consumer.answered))
        return missing

    def figures(self) -> str:
        attempts = [attempt for writer in self.writers for attempt in writer.attempts]
        refused = sum(attempt.refused_at is not None for attempt in attempts)
        unheard = sum(attempt.ended is None for attempt in attempts)
        return (
            f"{len(attempts)} appends: {self._acknowledged()} acknowledged, {refused} refused, {unheard} unheard of;"
            f" {len(self.log)} events"
        )

    def _begin(self, client: Writer | Consumer) -> threading.Thread:
        thread = threading.Thread(target=client.run, args=(self.process.uri,), daemon=True)
        thread.start()
        return thread

    def _acknowledged(self) -> int:
        return sum(attempt.position is not None for writer in self.writers for attempt in list(writer.attempts))

    def _history(self) -> History:
        return History(self.log, [attempt for writer in self.writers for attempt in writer.attempts])

    def _checkpoint_faults(self, client: EventStoreDBClient) -> list[str]:
        """A checkpoint beyond an event that nobody acknowledged."""
        faults = []
        for consumer in self.consumers:
            checkpoint = consumer.checkpoint(client)
            places = [consumer.place(event) for event in self.log if consumer.stream in (None, event.stream)]
            passed = [place for place in places if place <= checkpoint and place not in consumer.answered]
            faults += [f"checkpoint {checkpoint} is beyond {place}" for place in passed]
        return faults


def besiege(folder: Path, rounds: int, seed: int) -> tuple[list[str], list[int]]:
    """What the server broke in any round, and how many events each group never delivered."""
    faults = []
    with EventStoreProcess(folder) as process:
        siege = Siege(process, seed)
        for number in range(rounds):
            siege.round()
            faults += [f"round {number}: {fault}: {siege.figures()}" for fault in siege.faults()]
        unanswered = siege.unanswered()
        logger.info("siege_ended", kills=rounds, figures=siege.figures())
    return faults, unanswered


def test_servers_killed_at_any_moment_keep_their_word(folder: Path) -> None:
    with ThreadPoolExecutor(2) as side_by_side:
        sieges = [side_by_side.submit(besiege, folder / str(seed), 4, seed) for seed in (20, 21)]
    assert [siege.result() for siege in sieges] == [([], [0, 0])] * 2


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(4))
def test_a_server_killed_hundreds_of_times_keeps_its_word(folder: Path, seed: int) -> None:
    assert besiege(folder, rounds=75, seed=seed) == ([], [0, 0])
