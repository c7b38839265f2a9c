"""Which streams get snapshots, how often, and which stored states are still valid."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from infrastructure.eventstore.shapes import fields_of
from infrastructure.snapshots.state import StateJson, dump_state, load_state

FORMAT: Final = 1
Reason: TypeAlias = Literal["undecodable", "other-stream", "other-schema", "newer-than-stream", "segments-missing"]


class Unusable(Exception):
    """A snapshot or a segment can't be used, for this reason; `version` is the one that it claims."""

    def __init__(self, reason: Reason, version: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.version: Final = version


@dataclass(frozen=True)  # no slots, so that the fingerprint is computed once
class SnapshotRule:
    """The streams of a category get a snapshot every `every` events; their states are of one of these classes.

    `revision` has to be raised when old histories fold to other states than before, though the classes are the same.
    `fits` tells whether what is kept beside a state, as JSON, belongs to it.
    """

    category: str
    states: tuple[type, ...]
    every: int = 100
    revision: int = 1
    fits: Callable[[Any, Mapping[str, Any]], bool] = lambda state, notes: not notes

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that decides whether a stored state is valid: the classes' fields, the revision, the format.

        New events and other docstrings do not change it.
        """
        classes = {name: fields_of(kind) for name, kind in self.kinds.items()}
        meaning = json.dumps([self.category, FORMAT, self.revision, classes], sort_keys=True)
        return sha256(meaning.encode()).hexdigest()[:16]

    @cached_property
    def kinds(self) -> dict[str, type]:
        """The classes by their names."""
        return {kind.__name__: kind for kind in self.states}

    def state_in(self, dumped: StateJson, version: int) -> Any:
        """The state that was dumped so. Raises Unusable."""
        try:
            return load_state(dumped, self.kinds)
        except ValueError as error:
            raise Unusable("undecodable", version) from error

    def stored(self, state: Any) -> StateJson:
        """The state as it is stored. Raises ValueError for one that could not be read back."""
        dumped = dump_state(state)
        if load_state(dumped, self.kinds) != state:
            raise ValueError(f"a {type(state).__name__} of {self.category} does not read back as it was")
        return dumped
