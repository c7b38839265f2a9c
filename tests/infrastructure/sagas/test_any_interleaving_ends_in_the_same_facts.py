"""Two steps that are pending together end in the same facts, in whatever order and however often all is heard."""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.message import Command, Event
from domain.saga import Ask
from infrastructure.sagas.instance import Instance
from tests.infrastructure.sagas.errand import (
    Errand,
    ErrandBegun,
    Errands,
    ThingFetched,
    ThingMissing,
    ThingReturned,
    new_tag,
)
from tests.infrastructure.sagas.shelf import PutBack, ShelfEvent, Taken, TakingDeclined, shelf

SHELVES: Final = ("a", "b")
ERRANDS: Final = Errands(new_tag())
[ASKED] = ERRANDS.saga.reacts_to
MESSAGE: Final = ASKED(errand_id="0", shelves=SHELVES)  # type: ignore[call-arg]  # the class is made by `Errands`
Deed = tuple[str, int, int]


@dataclass
class Counter:
    """The errand's stream, the shelves' streams, and what each command left, by its id."""

    stock: dict[str, int]
    own: list[Event] = field(default_factory=list)
    shelves: dict[str, list[ShelfEvent]] = field(default_factory=lambda: {shelf_id: [] for shelf_id in SHELVES})
    answers: dict[UUID, list[ShelfEvent]] = field(default_factory=dict)
    sent: list[tuple[UUID, Ask]] = field(default_factory=list)

    def instance(self, length: int | None = None) -> Instance[Errand]:
        """As a worker has it that read so much of the stream."""
        instance = Instance(ERRANDS.saga, "errand-0")
        for number, event in enumerate(self.own[:length]):
            instance.append([event], UUID(int=number), UUID(int=number), number)
        return instance

    def do(self, deed: str, number: int, which: int) -> None:
        if deed == "deliver":
            self.own += self.instance().observe(MESSAGE)
        elif deed == "ask":
            self._ask(number % (len(self.own) + 1), which)
        elif self.sent:
            self._hear(*self.sent[which % len(self.sent)])

    def _ask(self, length: int, which: int) -> None:
        """A worker that may be behind asks for one of what it has pending."""
        instance = self.instance(length)
        if pending := [ask for ask in instance.pending if isinstance(ask, Ask)]:
            ask = pending[which % len(pending)]
            command_id = uuid5(instance.cause_of(ask.step), ask.step)
            if command_id not in self.answers:
                self.answers[command_id] = self._decided(ask.command)
            self.sent.append((command_id, ask))

    def _decided(self, command: Command) -> list[ShelfEvent]:
        stream = self.shelves[command.aggregate_id]
        number = self.stock[command.aggregate_id] - sum(isinstance(event, Taken) for event in stream)
        events: list[ShelfEvent] = shelf.decide(command, number)  # type: ignore[arg-type]  # only shelves are asked
        stream += events
        return events

    def _hear(self, command_id: UUID, ask: Ask) -> None:
        """An answer is taken where its step is pending still, under this id: else its append would be refused."""
        instance = self.instance()
        if ask in instance.pending and uuid5(instance.cause_of(ask.step), ask.step) == command_id:
            facts = ERRANDS.saga.on_reply(ask, self.answers[command_id], instance.state)
            after = ERRANDS.saga.state_after(instance.state, facts)
            assert ask.step not in {each.step for each in ERRANDS.saga.pending(after)}
            self.own += facts

    def finish(self) -> None:
        """Everything is delivered, asked and heard at last."""
        self.do("deliver", 0, 0)
        for _ in range(10):
            for which in range(len(self.instance().pending)):
                self.do("ask", len(self.own), which)
            for sent in list(self.sent):
                self._hear(*sent)
        assert self.instance().pending == []


deeds: Final = st.lists(
    st.tuples(st.sampled_from(["deliver", "ask", "hear"]), st.integers(0, 9), st.integers(0, 9)), max_size=30
)


def ended(stock: dict[str, int], done: list[Deed]) -> Counter:
    counter = Counter(stock)
    for deed in done:
        counter.do(*deed)
    counter.finish()
    return counter


@settings(deadline=None)
@given(deeds)
def test_both_are_fetched_once(done: list[Deed]) -> None:
    counter = ended({"a": 1, "b": 1}, done)
    begun, *fetched = counter.own
    assert begun == ErrandBegun(errand_id="0", shelves=SHELVES)
    assert sorted(map(repr, fetched)) == [repr(ThingFetched(shelf_id=shelf_id)) for shelf_id in SHELVES]
    assert counter.shelves == {shelf_id: [Taken(errand_id="0")] for shelf_id in SHELVES}


@settings(deadline=None)
@given(deeds)
def test_where_one_is_missing_the_other_is_not_kept(done: list[Deed]) -> None:
    """Whether it was fetched before that was known is chance; then it is put back once."""
    counter = ended({"a": 1, "b": 0}, done)
    facts: list[Any] = counter.own[1:]
    fetched = [ThingFetched(shelf_id="a"), ThingReturned(shelf_id="a")] if ThingFetched(shelf_id="a") in facts else []
    assert [fact for fact in facts if fact != ThingMissing(shelf_id="b")] == fetched
    assert facts.count(ThingMissing(shelf_id="b")) == 1
    assert counter.shelves["b"] == [TakingDeclined(errand_id="0")]
    if fetched:
        assert counter.shelves["a"] == [Taken(errand_id="0"), PutBack(errand_id="0")]
