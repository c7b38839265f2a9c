"""A snapshot that was stored by any release is what today's code would fold, or has another fingerprint."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from domain.accounts.account import Account
from domain.decider import Decider
from infrastructure.aggregates.snapshot import SnapshotRule
from infrastructure.aggregates.states import Shown, shown
from service.consumers import DECIDERS, SNAPSHOTS
from tests.infrastructure.eventstore.samples import CODEC, SAMPLES, STORIES, load, record

STATES: Final = SAMPLES / "states"
States = dict[str, list[Shown]]
PAIRS: Final = tuple(zip(DECIDERS, SNAPSHOTS, strict=True))


def states_of(decider: Decider[Any, Any, Any]) -> States:
    """The state after each record of every recorded stream of this category."""
    stories = {path.stem: load(path) for path in sorted(STORIES.glob("*.json"))}
    return {
        name: list(_states(decider, story["stream"], story["records"]))
        for name, story in stories.items()
        if story["stream"].partition("-")[0] == decider.category
    }


def _states(decider: Decider[Any, Any, Any], stream: str, samples: Iterable[str]) -> Iterable[Shown]:
    state = decider.initial
    for number, sample in enumerate(samples):
        for recorded in CODEC.events_in(record(sample, stream, number)):
            state = decider.evolve(state, recorded.event)
        yield shown(state)


def objections(decider: Decider[Any, Any, Any], rule: SnapshotRule, folder: Path) -> list[str]:
    """What has to be done before this decider may go on from the snapshots that were stored."""
    path, states = folder / f"{rule.category}.{rule.fingerprint}.json", states_of(decider)
    if not path.exists():
        return [f"add {path.name}: {json.dumps(states)}"]
    recorded = load(path)
    changed = [name for name, told in recorded.items() if states.get(name) != told]
    if changed:
        told = f"{rule.category}: {', '.join(changed)} come to other states than those in {path.name}"
        remedy = f"raise the revision of its SnapshotRule in service/consumers.py to {rule.revision + 1}"
        return [f"{told}, and snapshots of such are stored: {remedy}"]
    missing = {name: told for name, told in states.items() if name not in recorded}
    return [f"add to {path.name}: {json.dumps(missing)}"] if missing else []


def test_no_decider_folds_otherwise_under_the_same_fingerprint() -> None:
    assert [said for decider, rule in PAIRS for said in objections(decider, rule, STATES)] == []


def test_every_decider_has_recorded_streams() -> None:
    assert [decider.category for decider in DECIDERS if not states_of(decider)] == []


def _account() -> tuple[Decider[Any, Any, Any], SnapshotRule]:
    return next((decider, rule) for decider, rule in PAIRS if decider.category == "account")


def _record(folder: Path, decider: Decider[Any, Any, Any], rule: SnapshotRule) -> None:
    (folder / f"{rule.category}.{rule.fingerprint}.json").write_text(json.dumps(states_of(decider)))


def test_a_decider_that_folds_otherwise_is_told_which_revision_to_raise(tmp_path: Path) -> None:
    decider, rule = _account()
    _record(tmp_path, decider, rule)

    def generous(state: Any, event: Any) -> Any:
        after = decider.evolve(state, event)
        return replace(after, credit_limit=after.balance) if isinstance(after, Account) else after

    changed = replace(decider, evolve=generous)
    assert objections(decider, rule, tmp_path) == []
    [told] = objections(changed, rule, tmp_path)
    assert told.startswith("account: account")
    assert told.endswith("raise the revision of its SnapshotRule in service/consumers.py to 2")
    raised = replace(rule, revision=2)
    assert objections(changed, raised, tmp_path) == [
        f"add account.{raised.fingerprint}.json: {json.dumps(states_of(changed))}"
    ]
    _record(tmp_path, changed, raised)
    assert objections(changed, raised, tmp_path) == []


def test_a_new_stream_is_told_where_its_states_are_to_be_recorded(tmp_path: Path) -> None:
    decider, rule = _account()
    states = states_of(decider)
    first, *others = states
    path = tmp_path / f"account.{rule.fingerprint}.json"
    path.write_text(json.dumps({name: states[name] for name in others}))
    assert objections(decider, rule, tmp_path) == [f"add to {path.name}: {json.dumps({first: states[first]})}"]
