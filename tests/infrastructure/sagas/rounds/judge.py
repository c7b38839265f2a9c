"""Whether the streams of sagas and of what they asked are such as one uninterrupted run could have left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from domain.engine_events import PREFIX, SagaSignalled
from domain.message import Recorded
from domain.saga import Saga
from domain.stream_name import StreamName
from infrastructure.sagas.replay import Answer, Replay, Turn, answered, unanswered

Streams = Mapping[str, Sequence[Recorded[Any]]]


def faults(sagas: Sequence[Saga[Any, Any]], streams: Streams) -> list[str]:
    """What no uninterrupted run could have left, in words."""
    found = [fault for stream, recorded in streams.items() for fault in _repeated(stream, recorded)]
    categories = {saga.category: saga for saga in sagas}
    targets = [stream for stream in streams if StreamName.parse(stream).category not in categories]
    for stream, recorded in streams.items():
        saga = categories.get(StreamName.parse(stream).category)
        if saga is not None and recorded:
            found += _undecided(saga, stream, streams, targets)
    return found


def _repeated(stream: str, recorded: Sequence[Recorded[Any]]) -> list[str]:
    """The commands that left the same event more than once in a stream."""
    facts = [each for each in recorded if not each.event.stored_name.startswith(PREFIX)]
    left = Counter((each.metadata.command_id, each.event) for each in facts)
    return [f"{stream}: {event} {number} times by {by}" for (by, event), number in left.items() if number > 1]


def _undecided(saga: Saga[Any, Any], stream: str, streams: Streams, targets: Sequence[str]) -> list[str]:
    """Facts that this saga would not have made of what led to them, and effects of which it has not heard."""
    replay = Replay(saga, stream)
    replay.take(streams[stream])
    answers = [answer for target in targets for answer in _answers(target, streams[target], replay)]
    found = [str(finding) for finding in unanswered(replay, answers)]
    for turn in replay.turns:
        explained, finding = answered(turn, answers, stream)
        if finding is not None:
            found.append(str(finding))
        elif not explained and not _is_observed(saga, turn, stream, streams):
            found.append(f"{stream} after {turn.prefix}: nothing leads to {turn.facts}")
    if found:
        found.append(f"{stream} tells {[each.event for each in streams[stream]]}")
    if replay.instance.pending or not replay.instance.standing.is_clear:
        found.append(f"{stream}: {replay.asked} is pending, or it stands")
    return found


def _answers(target: str, recorded: Sequence[Recorded[Any]], replay: Replay) -> list[Answer]:
    """What commands of the instance left there."""
    caused = [each for each in recorded if each.metadata.causation_id in replay.places]
    return [_answer(target, list(told)) for _, told in groupby(caused, lambda each: each.metadata.command_id)]


def _answer(target: str, events: Sequence[Recorded[Any]]) -> Answer:
    last = events[-1].metadata
    told = tuple(each.event for each in events)
    return Answer(target, last.causation_id, last.command_id, last.digest, events[-1].id, told)


def _is_observed(saga: Saga[Any, Any], turn: Turn, stream: str, streams: Streams) -> bool:
    """Whether the facts follow from a message, a signal, or a deadline that the state declares."""
    heard = _record(turn.cause, streams)
    if heard is None:
        return False
    if isinstance(heard.event, SagaSignalled):
        return turn.saga.on_signal(heard.event.name, heard.event.payload, turn.state) == list(turn.facts)
    if any(heard.event.stored_name in event.stored_names() for event in saga.woken_by):
        return saga.instance_of(heard.event) in stream and turn.facts_of_message(heard.event) is None
    passed = [turn.saga.on_deadline(deadline.name, turn.state) for deadline in turn.saga.deadlines(turn.state)]
    return heard.stream == stream and list(turn.facts) in passed


def _record(event_id: UUID, streams: Streams) -> Recorded[Any] | None:
    return next((each for recorded in streams.values() for each in recorded if each.id == event_id), None)
