"""The options that several commands share, and a way for a command to take its options as one dataclass."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeAlias, TypeVar, get_type_hints

import typer

from domain.stream_name import checked_tenant
from service.cli.ago import parse_ago, parse_duration
from service.times import read_day_or_time


def parse_path(text: str) -> Path:
    """A path; the empty text, which would be the folder one stands in, is none."""
    if not text:
        raise typer.BadParameter("the empty text is no path")
    return Path(text)


def parse_stream(text: str) -> str:
    """The name of a stream; the empty text names none."""
    if not text.strip():
        raise typer.BadParameter("it names no stream")
    return text


def parse_host(text: str) -> str:
    """The name or address of a host; the empty text, which would be every address of this machine, is none."""
    if not text:
        raise typer.BadParameter("the empty text is no host; 0.0.0.0 is every address of this machine")
    return text


Host: TypeAlias = Annotated[str, typer.Option(parser=parse_host, metavar="HOST", help="The address to listen on.")]
Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 for a free one.")]
# Binds a child to its supervisor; nobody else needs it.
Pipe: TypeAlias = Annotated[int | None, typer.Option("--stop-when-closed", min=3, hidden=True)]


DEFAULT_DATA: Final = Path("data")
_OLDEST: Final = timedelta(days=36_500)


def parse_time(text: str) -> datetime:
    """Parses RFC 3339 with an offset, a day, which begins at midnight in UTC, or how long ago it is: `2h`, `7d`."""
    if (ago := parse_ago(text, datetime.now(UTC))) is not None:
        return ago
    try:
        return read_day_or_time(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}; or how long ago, such as 2h or 7d") from error


def parse_age(text: str) -> timedelta:
    """So many seconds, or `15m`, `2h`, `7d`, of a hundred years at most."""
    try:
        age = timedelta(seconds=int(text)) if text.isdecimal() else parse_duration(text)
    except OverflowError:
        age = None
    if age is None or age > _OLDEST:
        raise typer.BadParameter(f"{text!r} should be a number of seconds, or such as 15m, 2h or 7d")
    return age


Folder: TypeAlias = Annotated[
    Path, typer.Option("--data", parser=parse_path, metavar="DIR", help="The folder that everything is kept in.")
]
Data: TypeAlias = Annotated[
    Path,
    typer.Option(
        parser=parse_path,
        metavar="DIR",
        help="The folder of a running `foldstream serve`, whose servers are used where none are named.",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def parse_tenant(text: str) -> str:
    """What a tenant may be called."""
    try:
        return checked_tenant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Tenant: TypeAlias = Annotated[
    str,
    typer.Option(parser=parse_tenant, metavar="TENANT", help="Whose it is; `foldstream tenants` lists all."),
]
Since: TypeAlias = Annotated[
    datetime | None, typer.Option("--from", parser=parse_time, metavar="TIME", help="Only what was written since then.")
]
Until: TypeAlias = Annotated[
    datetime | None, typer.Option("--to", parser=parse_time, metavar="TIME", help="Only what was written before then.")
]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


OptionsT = TypeVar("OptionsT", bound=_Dataclass)
Command: TypeAlias = Callable[[typer.Context, OptionsT], int]


def with_options(options: type[OptionsT]) -> Callable[[Command[OptionsT]], Callable[..., int]]:
    """Makes a command whose options are the fields of a dataclass from a function that takes the dataclass."""

    def made(run: Command[OptionsT]) -> Callable[..., int]:
        def command(context: typer.Context, **given: Any) -> int:
            return run(context, options(**given))

        hints = {"context": typer.Context, **get_type_hints(options, include_extras=True)}
        defaults = {
            field.name: Parameter.empty if field.default is MISSING else field.default for field in fields(options)
        }
        command.__annotations__ = hints
        command.__signature__ = Signature(  # type: ignore[attr-defined]  # what `inspect` and typer look at first
            [
                Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name, Parameter.empty), annotation=hint)
                for name, hint in hints.items()
            ]
        )
        command.__name__, command.__doc__ = run.__name__, run.__doc__
        return command

    return made
