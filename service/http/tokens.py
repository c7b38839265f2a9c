"""Positions in the log as callers hold them: tokens and cursors, opaque text that is checked when it comes back."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from infrastructure.readmodels.position_token import PositionToken
from service.http.numbers import DIGITS, number_in

UNKNOWN: Final = "is none of those that this service gives out"
_LARGEST_POSITION: Final = 2**64 - 1
_LARGEST_SCORE: Final = 2**53
_LIST_FORMAT: Final = "1"
_BETWEEN: Final = "\0"
_NO_EVENT: Final = "00000000"
_HEX: Final = "[0-9a-f]{8}"
_WHOLE: Final = re.compile(rf"1\.({DIGITS})\.({_HEX})\.({_HEX})")
GIVEN: Final = rf"^1\.{DIGITS}\.{_HEX}\.{_HEX}$"
_TAKEN: Final = rf"^(?:1\.{DIGITS}\.{_HEX}\.{_HEX}|{DIGITS})$"
_FORM: Final = (
    "`1.<position in the log>.<8 hex digits of the id of the event there>.<8 hex digits of the store's identity>`"
)
DESCRIPTION: Final = f"A position token: a place in the log, opaque. Its form is {_FORM}; 00000000 names no event."
_EARLIER: Final = "Digits alone, as given out before, are taken and not compared with the log."


def write(token: PositionToken) -> str:
    """The text that stands for a place in the log; the same that was read, for one that a caller brought."""
    if token.store is None:
        return write_number(token.position)
    return f"1.{token.position}.{token.event or _NO_EVENT}.{token.store}"


def write_number(position: int) -> str:
    """A commit position as text, since JSON's numbers are not exact that far."""
    return str(position)


def write_cursor(position: int | None) -> str | None:
    """The text that stands for the beginning of a list's next part; None at its end."""
    return None if position is None else write_number(position)


def write_list_cursor(index: str, member: str | None) -> str | None:
    """The text that stands for what follows a member of an index; None at the end of the list."""
    if member is None:
        return None
    whole = f"{_LIST_FORMAT}{index}{_BETWEEN}{member}".encode()
    return urlsafe_b64encode(whole).decode().rstrip("=")


def read_list_cursor(index: str, text: str) -> str:
    """The member that the cursor stands for. Raises ValueError for what no list of that index has given out."""
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise ValueError(UNKNOWN) from error
    member = whole.removeprefix(f"{_LIST_FORMAT}{index}{_BETWEEN}")
    if write_list_cursor(index, member) != text:
        raise ValueError(f"{UNKNOWN} for a list with these filters")
    return member


def read(text: object) -> PositionToken:
    """The inverse of `write`. Raises ValueError for what no release has given out."""
    whole = _WHOLE.fullmatch(text) if isinstance(text, str) else None
    if whole is None:
        return PositionToken(_read(text, _LARGEST_POSITION))
    digits, event, store = whole.groups()
    return PositionToken(_read(digits, _LARGEST_POSITION), None if event == _NO_EVENT else event, store)


def _read_cursor(text: object) -> int:
    return _read(text, _LARGEST_SCORE)


def _read_trace_cursor(text: object) -> str:
    if not isinstance(text, str) or text[:1] not in {"l", "s"}:
        raise ValueError(UNKNOWN)
    return f"{text[0]}{_read(text[1:], _LARGEST_POSITION)}"


def _read(text: object, largest: int) -> int:
    number = number_in(text, largest)
    if number is None:
        raise ValueError(UNKNOWN)
    return number


Token = Annotated[
    PositionToken,
    BeforeValidator(read),
    WithJsonSchema({"type": "string", "pattern": _TAKEN, "description": f"{DESCRIPTION} {_EARLIER}"}),
]
Cursor = Annotated[int, BeforeValidator(_read_cursor), WithJsonSchema({"type": "string", "pattern": f"^{DIGITS}$"})]
ListCursor = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]+$"})]
TraceCursor = Annotated[
    str, BeforeValidator(_read_trace_cursor), WithJsonSchema({"type": "string", "pattern": f"^[ls]{DIGITS}$"})
]
