"""What a shell completes: verbs, options and the names that are in the code, so that no server is asked."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import typer
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script
from typer._completion_shared import install as install_script

from infrastructure.terminal import print_line, print_raw
from service.errors import FileUnusable

PROGRAM: Final = "foldstream"
"""Also where it runs by `python -m`."""
_VARIABLE: Final = "_FOLDSTREAM_COMPLETE"
Shell: TypeAlias = Literal["bash", "zsh", "fish"]


def prepare() -> None:
    """Lets the program answer the completion requests of shells."""
    completion_init()


def show(shell: Shell) -> None:
    """Prints the completion script of a shell. Raises OutputUnusable."""
    print_raw(get_completion_script(prog_name=PROGRAM, complete_var=_VARIABLE, shell=shell))


def install(shell: Shell) -> None:
    """Writes the script to where the shell reads it when it starts. Raises FileUnusable, OutputUnusable."""
    try:
        _, path = install_script(shell, PROGRAM, _VARIABLE)
    except OSError as error:
        raise FileUnusable(Path(error.filename or Path.home()), error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise FileUnusable(Path.home() / f".{shell}rc", "it is no text in UTF-8") from error
    print_line(f"{shell} completes {PROGRAM} by {path}, once it is started anew.")


def _then_exit(act: Callable[[Shell], None]) -> Callable[[Shell | None], None]:
    """The callback of an option that acts for the shell it names, and ends the program."""

    def callback(shell: Shell | None) -> None:
        if shell is not None:
            act(shell)
            raise typer.Exit

    return callback


Install: TypeAlias = Annotated[
    Shell | None,
    typer.Option(
        "--install-completion",
        callback=_then_exit(install),
        is_eager=True,
        help="Have a shell complete verbs, names.",
    ),
]
Show: TypeAlias = Annotated[
    Shell | None,
    typer.Option(
        "--show-completion", callback=_then_exit(show), is_eager=True, help="Print what --install-completion writes."
    ),
]


def projections(incomplete: str) -> list[str]:
    """The names of projections that begin so."""
    from service.consumers import PROJECTIONS  # noqa: PLC0415 - only who completes a name loads them

    return _beginning(incomplete, (projection.name for projection in PROJECTIONS))


def sagas(incomplete: str) -> list[str]:
    """The categories of sagas that begin so."""
    from service.consumers import SAGAS  # noqa: PLC0415 - only who completes a name loads them

    return _beginning(incomplete, (saga.category for saga in SAGAS))


def categories(incomplete: str) -> list[str]:
    """The categories of streams, of aggregates and sagas, that begin so."""
    from service.history.sources import BOUNDARIES  # noqa: PLC0415 - only who completes a name loads them

    return _beginning(incomplete, BOUNDARIES)


def recorded_actions(incomplete: str) -> list[str]:
    """The actions in the access log that begin so."""
    from service.access.recorded import RECORDED  # noqa: PLC0415 - only who completes a name loads them

    return _beginning(incomplete, sorted(action.value for action in RECORDED))


def roles(incomplete: str) -> list[str]:
    """The roles that begin so."""
    from service.access.policy import ROLES  # noqa: PLC0415 - only who completes a name loads them

    return _beginning(incomplete, ROLES)


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
