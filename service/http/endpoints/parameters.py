"""Numbers, times and texts as requests carry them: of exactly one form, checked before anything is looked up."""

import re
from datetime import date, datetime
from typing import Annotated, Final, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from infrastructure.views.definition import NAME
from service.http.numbers import number_in
from service.times import read_day, read_time

LARGEST_PAGE: Final = 100
_LONGEST_WAIT: Final = 30  # seconds
LARGEST: Final = 10**18 - 1
"""The largest number of eighteen digits."""
_SECONDS: Final = re.compile(r"(0|[1-9][0-9]?)(\.[0-9]{1,3})?")


def spelled(words: str) -> WrapValidator:
    """Says in words what text has to be where it does not match the pattern of its type."""

    def read(text: object, read_text: ValidatorFunctionWrapHandler) -> object:
        try:
            return read_text(text)
        except ValidationError as error:
            if error.errors()[0]["type"] == "string_pattern_mismatch":
                raise ValueError(words) from error
            raise

    return WrapValidator(read)


def whole_number(lowest: int, highest: int | None = None) -> BeforeValidator:
    """Reads decimal digits without sign or leading zeros, eighteen at most."""
    bounds = f"from {lowest} on" if highest is None else f"from {lowest} to {highest}"

    def read(text: object) -> int:
        number = number_in(text, LARGEST if highest is None else highest)
        if number is None or number < lowest:
            raise ValueError(f"should be a whole number {bounds}")
        return number

    return BeforeValidator(read)


def _read_time(text: object) -> datetime:
    try:
        return read_time(str(text))
    except ValueError as error:
        if re.search(r" [0-9:]+$", str(text)):  # what a `+` in a URL is read as
            raise ValueError(f"{error}; in a URL, the + of an offset is %2B") from error
        raise


def _read_day(text: object) -> date:
    return read_day(str(text))


def _read_seconds(text: object) -> float:
    seconds = float(text) if isinstance(text, str) and _SECONDS.fullmatch(text) else None
    if seconds is None or seconds > _LONGEST_WAIT:
        raise ValueError(f"should be a number of seconds from 0 to {_LONGEST_WAIT}")
    return seconds


def _read_view_name(text: object) -> str:
    if not isinstance(text, str) or re.fullmatch(NAME, text) is None:
        raise ValueError("should be the name of a view: 1 to 32 characters of a-z, 0-9 and -")
    return text


Time: TypeAlias = Annotated[
    datetime, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
Day: TypeAlias = Annotated[date, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "format": "date"})]
Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(_read_seconds),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _LONGEST_WAIT, "multipleOf": 0.001, "default": 2}),
]
Limit: TypeAlias = Annotated[
    int,
    whole_number(1, LARGEST_PAGE),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 20}),
]


ViewName: TypeAlias = Annotated[
    str,
    BeforeValidator(_read_view_name),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{NAME}$",
            "description": "A view of the past, made by `foldstream rebuild --into`, to be read instead.",
        }
    ),
]


class NoParameters(BaseModel):
    """The query of a request that takes none."""

    model_config = ConfigDict(extra="forbid")
