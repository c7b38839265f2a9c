"""Every state that a release stored is what today's code folds, or has another fingerprint."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from domain.accounts.account import Account
from domain.decider import Decider
from domain.saga import Saga
from domain.stream_name import StreamName
from infrastructure.snapshots.rule import SnapshotRule
from infrastructure.snapshots.state import StateJson, dump_state
from service.consumers import DECIDERS, SAGAS, SNAPSHOTS
from tests.infrastructure.eventstore.samples import CODEC, SAMPLES, STORIES, evolve_of, load, record

STATES: Final = SAMPLES / "states"
States = dict[str, list[StateJson]]
Source: TypeAlias = Decider[Any, Any, Any] | Saga[Any, Any]
SOURCES: Final[tuple[Source, ...]] = (*DECIDERS, *SAGAS)
PAIRS: Final = tuple(zip(SOURCES, SNAPSHOTS, strict=True))


def states_of(source: Source) -> States:
    """The state after each record of every recorded stream of this category."""
    stories = {path.stem: load(path) for path in sorted(STORIES.glob("*.json"))}
    return {
        name: list(_states(source, story["stream"], story["records"]))
        for name, story in stories.items()
        if StreamName.parse(story["stream"]).category == source.category
    }


def _states(source: Source, stream: str, samples: Iterable[str]) -> Iterable[StateJson]:
    state = source.initial
    for number, sample in enumerate(samples):
        for recorded in CODEC.events_in(record(sample, stream, number)):
            state = evolve_of(source)(state, recorded.event)
        yield dump_state(state)


def objections(source: Source, rule: SnapshotRule, folder: Path) -> list[str]:
    """What has to be done before this one may go on from the snapshots that were stored."""
    path, states = folder / f"{rule.category}.{rule.fingerprint}.json", states_of(source)
    if not path.exists():
        return [f"add {path.name}: {json.dumps(states)}"]
    recorded = load(path)
    changed = [name for name, expected in recorded.items() if states.get(name) != expected]
    if changed:
        fault = f"{rule.category}: {', '.join(changed)} come to other states than those in {path.name}"
        remedy = f"raise the revision of its SnapshotRule in service/consumers.py to {rule.revision + 1}"
        return [f"{fault}, and snapshots of such are stored: {remedy}"]
    missing = {name: expected for name, expected in states.items() if name not in recorded}
    return [f"add to {path.name}: {json.dumps(missing)}"] if missing else []


def test_none_folds_otherwise_under_the_same_fingerprint() -> None:
    assert [each for decider, rule in PAIRS for each in objections(decider, rule, STATES)] == []


def test_every_decider_and_saga_has_recorded_streams() -> None:
    assert [source.category for source in SOURCES if not states_of(source)] == []


def _account() -> tuple[Decider[Any, Any, Any], SnapshotRule]:
    return next(
        (decider, rule) for decider, rule in zip(DECIDERS, SNAPSHOTS, strict=False) if rule.category == "account"
    )


def _record(folder: Path, decider: Decider[Any, Any, Any], rule: SnapshotRule) -> None:
    (folder / f"{rule.category}.{rule.fingerprint}.json").write_text(json.dumps(states_of(decider)))


def test_a_decider_that_folds_otherwise_has_to_raise_its_revision(tmp_path: Path) -> None:
    decider, rule = _account()
    _record(tmp_path, decider, rule)

    def generous(state: Any, event: Any) -> Any:
        after = decider.evolve(state, event)
        return replace(after, credit_limit=after.balance) if isinstance(after, Account) else after

    changed = replace(decider, evolve=generous)
    assert objections(decider, rule, tmp_path) == []
    [objection] = objections(changed, rule, tmp_path)
    assert objection.startswith("account: account")
    assert objection.endswith("raise the revision of its SnapshotRule in service/consumers.py to 2")
    raised = replace(rule, revision=2)
    assert objections(changed, raised, tmp_path) == [
        f"add account.{raised.fingerprint}.json: {json.dumps(states_of(changed))}"
    ]
    _record(tmp_path, changed, raised)
    assert objections(changed, raised, tmp_path) == []


def test_a_new_stream_has_to_be_recorded(tmp_path: Path) -> None:
    decider, rule = _account()
    states = states_of(decider)
    first, *others = states
    path = tmp_path / f"account.{rule.fingerprint}.json"
    path.write_text(json.dumps({name: states[name] for name in others}))
    assert objections(decider, rule, tmp_path) == [f"add to {path.name}: {json.dumps({first: states[first]})}"]
