"""What a saga decides changes with its version alone: instances that are under way were promised the other."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from domain.booking.saga import booking_within
from domain.booking.saga import saga as booking
from domain.engine_events import PREFIX
from domain.fulfilment.events import GoodsSecured
from domain.fulfilment.saga import saga as fulfilment
from domain.message import Event
from domain.saga import Ask, Saga
from domain.value import changed
from infrastructure.sagas.recorded_decisions import compared
from service.consumers import SAGAS
from tests.infrastructure.eventstore.samples import CODEC
from tests.infrastructure.sagas.fingerprints import COMMAND, RECORDED, objections, record_missing


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_no_saga_decides_otherwise_without_a_new_version(saga: Saga[Any, Any]) -> None:
    assert objections(saga, RECORDED) == []


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_every_version_that_runs_is_recorded_and_none_after_it(saga: Saga[Any, Any]) -> None:
    recorded = {path.name for path in RECORDED.glob(f"{saga.category}.*.json")}
    assert recorded == {f"{saga.category}.{version}.json" for version in range(1, saga.version + 1)}


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.category)
def test_the_recorded_histories_tell_of_all_its_events(saga: Saga[Any, Any]) -> None:
    """Of all its versions together: one may tell what another does not."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in RECORDED.glob(f"{saga.category}.*.json")]
    turns = [turn for file in files for turns in file["histories"].values() for turn in turns]
    told = {fact["name"] for turn in turns for fact in turn["facts"] if not fact["name"].startswith(PREFIX)}
    assert told == {event.stored_name for event in saga.events}


def _asks(state: Any) -> list[Ask]:
    return [ask for ask in fulfilment.pending(state) if isinstance(ask, Ask)]


def _renamed(state: Any) -> list[Ask]:
    return [replace(ask, step=ask.step.replace("charge", "pay")) for ask in _asks(state)]


def _more(state: Any) -> list[Ask]:
    """Reserves one more of each."""
    return [
        replace(ask, command=ask.command.model_copy(update={"quantity": 7})) if "reserve" in ask.step else ask
        for ask in _asks(state)
    ]


def _nameless(ask: Ask, reply: Sequence[Event], state: Any) -> list[Any]:
    facts = fulfilment.on_reply(ask, reply, state)
    return [changed(fact, sku="") if isinstance(fact, GoodsSecured) else fact for fact in facts]


def _broken(state: Any) -> list[Ask]:
    raise KeyError("sku")


CHANGED: Final[dict[str, tuple[Saga[Any, Any], str]]] = {
    "a step's name": (replace(fulfilment, pending=_renamed), '"step": "pay"'),
    "a command": (replace(fulfilment, pending=_more), '"quantity": 7'),
    "what an answer means": (replace(fulfilment, on_reply=_nameless), '"sku": ""'),
    "what a message means": (replace(fulfilment, observe=lambda event, state: []), "[], where it was"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_change_is_told_with_what_to_do_about_it(what: str, tmp_path: Path) -> None:
    after, told = CHANGED[what]
    record_missing([fulfilment], tmp_path)
    before = (tmp_path / "fulfilment.2.json").read_bytes()
    assert objections(fulfilment, tmp_path) == []
    [objection] = objections(after, tmp_path)
    assert objection.startswith("fulfilment decides otherwise after ")
    assert told in objection
    assert objection.endswith(
        "If that is meant, declare `version=3` with the released one among its `former` and record it by"
        f" `{COMMAND}`; what was released is never edited"
    )
    record_missing([after], tmp_path)
    assert (tmp_path / "fulfilment.2.json").read_bytes() == before


def test_a_deadline_that_is_declared_or_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    """How long it is, is not: a deployment chooses that."""
    record_missing([booking], tmp_path)
    assert objections(booking_within(timedelta(days=1)), tmp_path) == []
    [objection] = objections(replace(booking, deadlines=lambda state: ()), tmp_path)
    assert ': [], where it was ["reserve-' in objection
    [objection] = objections(replace(booking, on_deadline=lambda name, state: []), tmp_path)
    assert ": [], where it was [{" in objection


def test_a_new_version_is_recorded_beside_the_one_before(tmp_path: Path) -> None:
    record_missing([fulfilment], tmp_path)
    released = replace(fulfilment, former=())
    third = replace(released, version=3, pending=_renamed, former=(released,))
    assert objections(third, tmp_path) == [f"fulfilment.3.json is missing: record it by `{COMMAND}`"]
    record_missing([third], tmp_path)
    assert objections(third, tmp_path) == []
    [first] = json.loads((tmp_path / "fulfilment.3.json").read_text(encoding="utf-8"))["histories"]["shipped"][:1]
    assert [fact["name"] for fact in first["facts"]] == ["SagaVersionSet", "FulfilmentStarted"]
    [objection] = objections(replace(third, former=(replace(released, pending=_more),)), tmp_path)
    assert objection.startswith("fulfilment decides otherwise after 2 events of fulfilment.2.json: ")


def _without(recorded: dict[str, Any]) -> None:
    del recorded["histories"]["shipped"][0]["facts"]


def _unknown(recorded: dict[str, Any]) -> None:
    recorded["histories"]["shipped"][0]["heard"][0]["name"] = "Confirmed"


@pytest.mark.parametrize(("damage", "told"), [(_without, "KeyError('facts')"), (_unknown, "UnknownShape('Confirmed")])
def test_a_history_that_can_not_be_read_is_named(
    damage: Callable[[dict[str, Any]], None], told: str, tmp_path: Path
) -> None:
    record_missing([fulfilment], tmp_path)
    path = tmp_path / "fulfilment.2.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))
    damage(recorded)
    path.write_text(json.dumps(recorded), encoding="utf-8")
    [finding] = [each.finding for each in compared(fulfilment, CODEC, tmp_path) if each.finding is not None]
    assert (finding.instance, finding.what) == ("fulfilment.2.json: shipped", "unreadable")
    assert finding.recorded.startswith(told)


def test_code_that_fails_is_a_difference(tmp_path: Path) -> None:
    record_missing([fulfilment], tmp_path)
    findings = [each.finding for each in compared(replace(fulfilment, pending=_broken), CODEC, tmp_path)]
    told = {finding and (finding.what, finding.prefix, finding.today) for finding in findings}
    assert told == {("command", 2, "KeyError('sku')")}
