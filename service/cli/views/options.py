"""The options of `foldstream rebuild` that make a view of the past, and what they may mean together."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

import typer

from service.cli.ago import parse_duration
from service.cli.options import parse_time

DEFAULT_TTL: Final = timedelta(days=1)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)


def parse_view(text: str) -> str:
    """The name of a view. Raises BadParameter."""
    from infrastructure.views.definition import NAME  # noqa: PLC0415 - a command loads only what it runs

    if not re.fullmatch(NAME, text):
        raise typer.BadParameter(f"{text!r} should be 1 to 32 characters of a-z, 0-9 and -")
    return text


def parse_ttl(text: str) -> timedelta:
    """How long a view stays: from a minute to 366 days. Raises BadParameter."""
    try:
        ttl = parse_duration(text)
    except OverflowError:
        ttl = None
    if ttl is None or not SHORTEST <= ttl <= LONGEST:
        raise typer.BadParameter(f"{text!r} should be a time such as 90m, 12h or 7d, from 1m to 366d")
    return ttl


@dataclass(frozen=True, slots=True)
class Place:
    """A position of the log, and the digits of the store that a token names."""

    position: int
    store: str | None = None


def parse_place(text: str) -> Place:
    """A position of the log, as digits or as a token. Raises BadParameter."""
    from service.http import tokens  # noqa: PLC0415 - a command loads only what it runs

    try:
        token = tokens.read(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} should be a position, or a token such as Foldstream-Position") from error
    return Place(token.position, token.store)


Into: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--into", parser=parse_view, metavar="NAME", help="Build a view of the past, which queries read by this name."
    ),
]
AsOf: TypeAlias = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", parser=parse_time, metavar="TIME", help="As of that time, by the event store's clock [default: now]."
    ),
]
ToPosition: TypeAlias = Annotated[
    Place | None,
    typer.Option("--to-position", parser=parse_place, metavar="P", help="Or up to that position of the log, or token."),
]
FromTime: TypeAlias = Annotated[
    datetime | None,
    typer.Option("--from-time", parser=parse_time, metavar="TIME", help="With what happened after that alone."),
]
FromPosition: TypeAlias = Annotated[
    Place | None,
    typer.Option("--from-position", parser=parse_place, metavar="P", help="Or after that position."),
]
Ttl: TypeAlias = Annotated[
    timedelta | None,
    typer.Option("--ttl", parser=parse_ttl, metavar="TIME", help="Remove the view after so long [default: 1d]."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """Of what past a view is, and for how long it stays."""

    name: str
    as_of: datetime | None = None
    to_position: Place | None = None
    from_time: datetime | None = None
    from_position: Place | None = None
    ttl: timedelta | None = None

    def require_one_meaning(self) -> None:
        """Raises BadParameter where two ends or two beginnings are given, or what is not past."""
        if self.as_of is not None and self.to_position is not None:
            raise typer.BadParameter("give either --as-of or --to-position")
        if self.from_time is not None and self.from_position is not None:
            raise typer.BadParameter("give either --from-time or --from-position")
        now = datetime.now(UTC)
        for option, at in (("--as-of", self.as_of), ("--from-time", self.from_time)):
            if at is not None and at > now:
                raise typer.BadParameter(f"{option} is not past")
        if self.as_of is not None and self.from_time is not None and self.from_time > self.as_of:
            raise typer.BadParameter("--from-time is after --as-of")
        first, last = self.from_position, self.to_position
        if first is not None and last is not None and first.position > last.position:
            raise typer.BadParameter("--from-position is after --to-position")
