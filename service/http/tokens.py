"""Positions in the log as callers hold them: tokens and cursors, opaque text that is checked when it comes back."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_LARGEST_POSITION: Final = 2**64 - 1
_LARGEST_SCORE: Final = 2**53
_GRAMMAR: Final = "^(0|[1-9][0-9]{0,19})$"


def write(position: int) -> str:
    """The text that stands for a commit position."""
    return str(position)


def write_cursor(position: int | None) -> str | None:
    """The text that stands for the beginning of a list's next part; None at its end."""
    return None if position is None else write(position)


def _read(text: object, largest: int) -> int:
    if not isinstance(text, str) or not re.fullmatch(_GRAMMAR, text) or int(text) > largest:
        raise ValueError("is none of those that this service gives out")
    return int(text)


def _read_position(text: object) -> int:
    return _read(text, _LARGEST_POSITION)


def _read_cursor(text: object) -> int:
    return _read(text, _LARGEST_SCORE)


_AS_TEXT: Final = WithJsonSchema({"type": "string", "pattern": _GRAMMAR})
PositionToken = Annotated[int, BeforeValidator(_read_position), _AS_TEXT]
Cursor = Annotated[int, BeforeValidator(_read_cursor), _AS_TEXT]
