"""States as JSON, and back: what is read is what was written, or nothing."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

Shown: TypeAlias = dict[str, Any]
_KIND: Final = "is"  # which no field can be called


def shown(state: Any) -> Shown:
    """A state as JSON: its fields, and as `is` the name of its class."""
    kind: Any = type(state)
    return {_KIND: kind.__name__, **_adapter(kind).dump_python(state, mode="json")}


def state_in(said: Shown, kinds: Mapping[str, type]) -> Any:
    """The state that is shown as just this, of one of these classes by their names.

    Raises ValueError for anything else: an unknown class, a member too many or too few, a value that is none.
    """
    kind: Any = kinds.get(said.get(_KIND, ""))
    if kind is None:
        raise ValueError(f"{said.get(_KIND)!r} is none of {', '.join(kinds)}")
    members = {name: value for name, value in said.items() if name != _KIND}
    state = _adapter(kind).validate_json(json.dumps(members))
    if shown(state) != said:
        raise ValueError(f"{kind.__name__} has other members")
    return state


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
