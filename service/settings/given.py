"""What a source gives a setting."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

Source: TypeAlias = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True, slots=True)
class Given:
    """A value, its source, the variable, file or option of that, and the place that a refusal names."""

    value: object
    source: Source
    by: str | None
    place: str


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that another may be meant for."""
    return next(iter(get_close_matches(name, known, n=1)), None)
