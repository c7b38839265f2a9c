"""Settings that are numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeGuard

from service.settings.kind import Kind

_DIGITS: Final = re.compile("[0-9]{1,9}")
_DECIMAL: Final = re.compile(r"[01](\.[0-9]{1,6})?")


@dataclass(frozen=True)
class WholeNumber(Kind):
    """A whole number within bounds, which its refusal names; where there are `choices`, one of these."""

    lowest: int
    highest: int
    unit: str = ""
    choices: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        return self._listed() if self.choices else f"{self.lowest:,} to {self.highest:,} {self.unit}".strip()

    def of_text(self, text: str) -> int:
        return self.checked(read_number(text))

    def of_toml(self, value: object, folder: Path) -> int:
        return self.checked(whole(value))

    def as_json(self, value: int) -> int:
        return value

    def checked(self, value: int | None) -> int:
        if value is None or value not in (self.choices or range(self.lowest, self.highest + 1)):
            form = self._listed() if self.choices else f"a whole number from {self.lowest} to {self.highest}"
            raise ValueError(f"should be {form}")
        return value

    def _listed(self) -> str:
        *others, last = map(str, self.choices)
        return f"{', '.join(others)} or {last}"


def one_of(*numbers: int) -> WholeNumber:
    """One of these numbers, in their order."""
    return WholeNumber(numbers[0], numbers[-1], choices=numbers)


@dataclass(frozen=True)
class Ratio(Kind):
    """A number from 0 to 1."""

    @property
    def allowed(self) -> str:
        return "0 to 1, such as 0.05"

    def of_text(self, text: str) -> float:
        return self.checked(float(text) if _DECIMAL.fullmatch(text) else -1.0)

    def of_toml(self, value: object, folder: Path) -> float:
        return self.checked(float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0)

    def as_json(self, value: float) -> float:
        return value

    def checked(self, value: float) -> float:
        if not 0 <= value <= 1:
            raise ValueError("should be a number from 0 to 1, such as 0.05")
        return value


@dataclass(frozen=True, slots=True)
class PerProjection:
    """A number for every projection but those that are named."""

    default: int
    exceptions: Mapping[str, int] = field(default_factory=dict)

    def of(self, projection: str) -> int:
        return self.exceptions.get(projection, self.default)


@dataclass(frozen=True)
class NumberPerProjection(Kind):
    """A whole number for all, numbers by name, or both: `1000`, `stock_levels=50,order_summary=5000`."""

    default: int
    highest: int
    unit: str

    @property
    def allowed(self) -> str:
        return f"1 to {self.highest:,} {self.unit}, such by name, or both"

    def of_text(self, text: str) -> PerProjection:
        numbers = dict[str, int]()
        for part in text.split(","):
            name, _, number = (word.strip() for word in part.rpartition("="))
            found = read_number(number)
            if not self._is_usable(found) or ("=" in part and not name):
                raise ValueError(
                    f"should be a whole number from 1 to {self.highest}, or such as name=number, with commas"
                )
            if name in numbers:
                raise ValueError(f"has two numbers for {name or 'all'}")
            numbers[name] = found
        return PerProjection(numbers.pop("", self.default), numbers)

    def of_toml(self, value: object, folder: Path) -> PerProjection:
        """A number for all, or a table of numbers by projection, with `default` for the others."""
        numbers = value if isinstance(value, dict) else {"default": value}
        found = {str(name): whole(number) for name, number in numbers.items()}
        usable = {name: number for name, number in found.items() if self._is_usable(number)}
        if usable.keys() != found.keys():
            form = "or a table of such by projection, with default for the others"
            raise ValueError(f"should be a whole number from 1 to {self.highest}, {form}")
        return PerProjection(usable.pop("default", self.default), usable)

    def as_json(self, value: PerProjection) -> object:
        return {"default": value.default, **value.exceptions} if value.exceptions else value.default

    def shown(self, value: PerProjection) -> str:
        return ",".join([str(value.default), *(f"{name}={number}" for name, number in value.exceptions.items())])

    def _is_usable(self, number: int | None) -> TypeGuard[int]:
        return number is not None and 1 <= number <= self.highest


def whole(value: object) -> int | None:
    """The value where it is a whole number, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_number(text: str) -> int | None:
    """The whole number of a text, None where there is none."""
    return int(text) if _DIGITS.fullmatch(text) else None
