"""States as JSON, and back: a state is read exactly as it was written, or refused."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

StateJson: TypeAlias = dict[str, Any]
_KIND: Final = "is"  # no field can have this name, a keyword


def dump_state(state: Any) -> StateJson:
    """A state as JSON: its fields, and as `is` the name of its class."""
    kind: Any = type(state)
    return {_KIND: kind.__name__, **_adapter(kind).dump_python(state, mode="json")}


def load_state(dumped: StateJson, kinds: Mapping[str, type]) -> Any:
    """The state that `dump_state` made this of, one of these classes by their names.

    Raises ValueError for anything else: an unknown class, a member too many or too few, an invalid value.
    """
    kind: Any = kinds.get(dumped.get(_KIND, ""))
    if kind is None:
        raise ValueError(f"{dumped.get(_KIND)!r} is none of {', '.join(kinds)}")
    members = {name: value for name, value in dumped.items() if name != _KIND}
    state = _adapter(kind).validate_json(json.dumps(members))
    if dump_state(state) != dumped:
        raise ValueError(f"{kind.__name__} has other members")
    return state


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
