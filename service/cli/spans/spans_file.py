"""Reads the spans in a file that FOLDSTREAM_TRACES_FILE has named and in the older one, a line of JSON each."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from pydantic import AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.errors import FileUnusable
from service.telemetry.rotating_file import older_of

_FAILED: Final = "ERROR"


def _number_part(text: object) -> object:
    return text.removeprefix("0x") if isinstance(text, str) else text


_Id = Annotated[str, BeforeValidator(_number_part), Field(pattern="^[0-9a-f]{16}([0-9a-f]{16})?$")]


class Span(BaseModel):
    """A span as the file has it. `parent` is the id of another span; None at the root of a trace."""

    model_config = ConfigDict(frozen=True)

    name: str
    trace: _Id = Field(validation_alias=AliasPath("context", "trace_id"))
    id: _Id = Field(validation_alias=AliasPath("context", "span_id"))
    parent: _Id | None = Field(validation_alias="parent_id")
    began: datetime = Field(validation_alias="start_time")
    ended: datetime = Field(validation_alias="end_time")
    status: str = Field(validation_alias=AliasPath("status", "status_code"))
    attributes: dict[str, object] = Field(default_factory=dict)
    service: str = Field(validation_alias=AliasPath("resource", "attributes", "service.name"))

    @property
    def lasted(self) -> timedelta:
        """How long it took."""
        return self.ended - self.began

    @property
    def failed(self) -> bool:
        """Whether an error left it."""
        return self.status == _FAILED


@dataclass(slots=True)
class Unreadable:
    """The lines that are no spans, as a killed process leaves one: how many, and where the first is."""

    count: int = 0
    first: int = 0
    path: Path | None = None

    def take(self, path: Path, number: int) -> None:
        """One more."""
        self.path, self.first = self.path or path, self.first or number
        self.count += 1


def spans_in(path: Path, unreadable: Unreadable) -> Iterator[Span]:
    """The spans of the older file and of this one, in the order in which they ended; other lines are added to
    `unreadable`. Raises FileUnusable."""
    try:
        with ExitStack() as opened:
            for named, lines in reversed(_opened(path, opened)):
                yield from _readable(named, lines, unreadable)
    except OSError as error:
        raise FileUnusable(path, error.strerror or str(error)) from error


def _opened(path: Path, opened: ExitStack) -> list[tuple[Path, BinaryIO]]:
    """The file and the older one, which is the same where a process has just begun a new one.

    Just before it does, there is the older one alone.
    """
    older = older_of(path)
    try:
        lines = opened.enter_context(path.open("rb"))
    except FileNotFoundError:
        if not older.exists():
            raise
        return [(older, opened.enter_context(older.open("rb")))]
    if not older.exists():
        return [(path, lines)]
    before = opened.enter_context(older.open("rb"))
    is_same = os.path.samestat(os.fstat(lines.fileno()), os.fstat(before.fileno()))
    return [(path, lines)] if is_same else [(path, lines), (older, before)]


def _readable(path: Path, lines: Iterable[bytes], unreadable: Unreadable) -> Iterator[Span]:
    for number, line in enumerate(lines, 1):
        if (span := _span_in(line)) is None:
            unreadable.take(path, number)
        else:
            yield span


def _span_in(line: bytes) -> Span | None:
    try:
        return Span.model_validate_json(line)
    except ValidationError:
        return None
