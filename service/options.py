"""Options of the command line that several commands have, and a way to take many of them together."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from inspect import Parameter, Signature
from typing import Annotated, Any, ClassVar, Protocol, TypeAlias, TypeVar, get_type_hints

import typer

Host: TypeAlias = Annotated[str, typer.Option(help="The address to listen on.")]
Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 for a free one.")]
# How a supervisor binds its children to itself; no one else has a use for it.
Pipe: TypeAlias = Annotated[int | None, typer.Option("--stop-when-closed", min=3, hidden=True)]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


OptionsT = TypeVar("OptionsT", bound=_Dataclass)
Command: TypeAlias = Callable[[typer.Context, OptionsT], int]


def together(options: type[OptionsT]) -> Callable[[Command[OptionsT]], Callable[..., int]]:
    """Makes a command, whose options are the fields of a dataclass, from a function that takes it as a whole."""

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
