"""What a source gives a setting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Source: TypeAlias = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True, slots=True)
class Given:
    """A value, its source, the variable, file or option of that, and the place that a refusal names."""

    value: object
    source: Source
    by: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Places:
    """The places of settings, by name.

    pydantic compares the private attributes of models, too. Settings are equal by their values, wherever those come
    from, so places are left out of the comparison.
    """

    of: Mapping[str, str] = field(default_factory=dict, compare=False)
