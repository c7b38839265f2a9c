"""What the kinds of values of settings share: each is read from a text, checked, and shown as such a text."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Kind(ABC):
    """A kind of value, which stands in the annotation of a setting. Refusals are ValueErrors that repeat no value."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What a value may be, in a table."""

    def of_text(self, text: str) -> object:
        """The value that a variable's text says. Raises ValueError."""
        return self.checked(text)

    def of_toml(self, value: object, folder: Path) -> object:
        """The value that a file in this folder says. Raises ValueError, also for a value of another type."""
        if not isinstance(value, str):
            raise ValueError("should be text, in quotes")
        return self.of_text(value)

    def checked(self, value: Any) -> object:
        """The value. Raises ValueError where it is of the right type and can't be used."""
        return value

    def shown(self, value: Any) -> str:
        """How a variable would say it, without what is secret."""
        return str(value)

    def as_json(self, value: Any) -> object:
        """How JSON says it, without what is secret."""
        return self.shown(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda value: None if value is None else self.checked(value), handler(source)
        )


@dataclass(frozen=True, slots=True)
class WhenUnset:
    """What holds where a setting has no value."""

    text: str
