"""Which streams get snapshots, how often, and what a stored state's meaning hangs on."""

import json
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from infrastructure.eventstore.shapes import fields_of
from infrastructure.snapshots.state import StateJson, dump_state, load_state

FORMAT: Final = 1
Reason: TypeAlias = Literal["undecodable", "other-stream", "other-schema", "newer-than-stream", "segments-missing"]


class Unusable(Exception):
    """A snapshot or a segment is of no use, for this reason; `version` is the one that it says it is of."""

    def __init__(self, reason: Reason, version: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.version: Final = version


@dataclass(frozen=True)  # no slots, so that the fingerprint is reckoned once
class SnapshotRule:
    """That the streams of a category get a snapshot each `every` events, of states of one of these classes.

    `revision` is raised where old histories come to other states than they did, though the classes are the same.
    """

    category: str
    states: tuple[type, ...]
    every: int = 100
    revision: int = 1

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that a stored state's meaning hangs on: the classes' fields, the revision, the format.

        New events, and new words for a class in its docstring, leave what was stored as good as it was.
        """
        classes = {name: fields_of(kind) for name, kind in self.kinds.items()}
        meaning = json.dumps([self.category, FORMAT, self.revision, classes], sort_keys=True)
        return sha256(meaning.encode()).hexdigest()[:16]

    @cached_property
    def kinds(self) -> dict[str, type]:
        """The classes by their names."""
        return {kind.__name__: kind for kind in self.states}

    def state_in(self, dumped: StateJson, version: int) -> Any:
        """The state that was stored so. Raises Unusable."""
        try:
            return load_state(dumped, self.kinds)
        except ValueError as error:
            raise Unusable("undecodable", version) from error

    def stored(self, state: Any) -> StateJson:
        """How a state is stored. Raises ValueError where it could not be read back."""
        dumped = dump_state(state)
        if load_state(dumped, self.kinds) != state:
            raise ValueError(f"a {type(state).__name__} of {self.category} does not read back as it was")
        return dumped
