"""What the keys of the three read models must be: a plain fold of the log, by code that the product does not know."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from infrastructure.eventstore.client import translated
from tests.infrastructure.eventstore.operator import Operator
from tests.infrastructure.readmodels.summed import group_sizes, groups_of

Row: TypeAlias = dict[str, Any]
Keys: TypeAlias = dict[str, Any]
"""Of one generation: what follows its number in a key, `p0}:ids` for instance, and the value."""


class _Entry(NamedTuple):
    """A record of the log."""

    tally: str
    version: int
    position: int
    id: str
    kind: str
    event: Row


class _Word(NamedTuple):
    """A record of a skip, or of the end of one."""

    number: int
    is_skip: bool
    namespace: str
    projection: str
    tally: str
    version: int


class LogFold:
    """Reads on in the log of one category."""

    def __init__(self, category: str, partitions: int) -> None:
        self._pattern: Final = f"{category}-.*"
        self._partitions: Final = partitions
        self._entries: Final[list[_Entry]] = []
        self._words: Final[list[_Word]] = []
        self.newest: Final[list[tuple[int, str | None]]] = [(-1, None)] * partitions

    @property
    def events(self) -> int:
        return len(self._entries)

    def read_on(self, operator: Operator) -> None:
        """Reads what came since, up to where the connection ends. Raises StoreUnavailable where it does."""
        last = max(position for position, _ in self.newest)
        after = None if last < 0 else last
        with translated(operator.reader.address):
            for record in operator.client.read_all(
                commit_position=after, filter_include=(self._pattern,), filter_by_stream_name=True, timeout=60.0
            ):
                if record.commit_position is not None and record.commit_position > last:
                    self._take(record)
        while records := operator.reader.page("foldstream-skips", len(self._words), 500):
            self._words.extend(map(_word, records))

    def expected(self, projection: str, namespace: str) -> Keys:
        """The keys of all partitions of this read model."""
        keys: Keys = {}
        for number in range(self._partitions):
            words = [
                word
                for word in self._words
                if (word.namespace, word.projection, self._partition(word.tally)) == (namespace, projection, number)
            ]
            absent = _absent(words)
            own = [each for each in self._entries if self._partition(each.tally) == number]
            fold = _PartitionFold(each for each in own if (each.tally, each.version) not in absent)
            keys |= {f"p{number}}}:{name}": value for name, value in fold.keys(projection).items()}
            position, event_id = self.newest[number]
            keys[f"p{number}}}:checkpoint"] = {
                "rows": len(fold.rows(projection)),
                "blocked": 0 if projection == "raises" else len(fold.blocked),
                "skips": words[-1].number + 1 if words else 0,
                "anchor": position,
                "event": event_id,
            }
        return keys

    def _partition(self, tally: str) -> int:
        return int(tally[-1], 16) % self._partitions

    def _take(self, record: Any) -> None:
        tally, position = record.stream_name.partition("-")[2], record.commit_position
        event = json.loads(record.data) if record.type.startswith("Tally") else {}
        self.newest[self._partition(tally)] = (position, str(record.id))
        self._entries.append(_Entry(tally, record.stream_position, position, str(record.id), record.type, event))


class _PartitionFold:
    """Of the events of one partition that are not skipped."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._tallies: Final[dict[str, Row]] = {}
        self._changes: Final[dict[str, Row]] = {}
        self._history: Final = defaultdict[str, dict[str, float]](dict)
        self.blocked: Final[dict[str, Row]] = {}
        for entry in entries:
            self._fold_tally(entry)
            self._fold_change(entry)

    def rows(self, projection: str) -> dict[str, Row]:
        return self._changes if projection == "raises" else self._tallies

    def keys(self, projection: str) -> Keys:
        """All but the checkpoint."""
        rows = self.rows(projection)
        indexes = self._history if projection == "raises" else _open_by_owner(rows)
        keys: Keys = {f"index:{index}": entries for index, entries in indexes.items()}
        for each, row in rows.items():
            keys[f"row:{each}"] = {member: _as_json(value) for member, value in row.items()}
        if rows:
            keys["ids"] = dict.fromkeys(rows, 0.0)
        if self.blocked and projection != "raises":
            keys["blocked"] = self.blocked
        keys["sizes"] = {"": "1"} | {index: str(len(each)) for index, each in indexes.items()}
        return keys | _sums_of(rows) if projection == "summed" else keys

    def _fold_tally(self, entry: _Entry) -> None:
        tally, row = entry.tally, self._tallies.get(entry.tally)
        if tally in self.blocked:
            self.blocked[tally]["waiting"] += entry.kind != "TallyRemarked"
        elif entry.kind == "TallyOpened":
            opened = {"owner": entry.event["owner"], "total": 0, "opened": entry.position, "version": entry.version}
            self._tallies[tally] = opened
        elif entry.kind == "TallyRaised" and row is not None and entry.event["by"] < 0:
            place = {"version": entry.version, "position": entry.position, "event_id": entry.id}
            self.blocked[tally] = {**place, "waiting": 0}
        elif entry.kind == "TallyRaised" and row is not None:
            self._tallies[tally] = {**row, "total": row["total"] + entry.event["by"], "version": entry.version}
        elif entry.kind == "TallyClosed":
            self._tallies.pop(tally, None)

    def _fold_change(self, entry: _Entry) -> None:
        row = self._changes.get(entry.tally)
        if entry.kind == "TallyOpened":
            owner, total = entry.event["owner"], 0
        elif entry.kind == "TallyRaised" and row is not None:
            owner, total = row["owner"], row["total"] + entry.event["by"]
        else:
            return
        self._changes[entry.tally] = {"owner": owner, "total": total, "position": entry.position}
        self._history[f"history:{owner}"][f"{entry.position}:{total}"] = float(entry.position)


def _word(record: Any) -> _Word:
    told = json.loads(record.data)
    tally = told["stream"].partition("-")[2]
    is_skip = record.type == "EventSkipped"
    return _Word(record.version, is_skip, told["namespace"], told["projection"], tally, told["version"])


def _absent(words: Iterable[_Word]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for word in words:
        (found.add if word.is_skip else found.discard)((word.tally, word.version))
    return found


def _open_by_owner(rows: dict[str, Row]) -> dict[str, dict[str, float]]:
    indexes = defaultdict[str, dict[str, float]](dict)
    for row in rows.values():
        indexes[f"owner:{row['owner']}"][str(row["opened"])] = float(row["opened"])
    return indexes


def _sums_of(rows: dict[str, Row]) -> Keys:
    """As Redis has them: counters are texts, weights are floats."""
    groups = groups_of(rows.values())
    written: dict[str, type] = {name: str if name.startswith("sum:") else float for name in groups}
    found = {name: {key: written[name](by) for key, by in members.items()} for name, members in groups.items()}
    return {**found, "groups": group_sizes(groups)}


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
