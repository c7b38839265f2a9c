"""Commands whose `--help` is printed as everything else is."""

from shutil import get_terminal_size
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from infrastructure.terminal import print_raw

_NARROWEST: Final = 40  # characters of a line; the parser's own bound is 50
_WIDEST: Final = 78


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]  # an attribute of the parser
    """Leaves the half of each line to what is said of an option, if need be on a line of its own."""

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 2), col_spacing)


def print_help(context: typer.Context) -> None:
    """Prints the help of a command, as wide as the terminal (or COLUMNS) within bounds. Raises OutputUnusable."""
    context.terminal_width = max(_NARROWEST, min(get_terminal_size().columns, _WIDEST))
    context.formatter_class = _Formatter
    print_raw(context.get_help())


class HelpfulCommand(TyperCommand):
    def get_help_option(self, ctx: Any) -> Any:
        return _printed_here(super().get_help_option(ctx))


class HelpfulGroup(TyperGroup):
    def get_help_option(self, ctx: Any) -> Any:
        return _printed_here(super().get_help_option(ctx))


def _printed_here(option: Any) -> Any:
    def show(context: typer.Context, _option: object, asked: bool) -> None:
        if asked and not context.resilient_parsing:
            print_help(context)
            context.exit()

    if option is not None:
        option.callback = show
    return option
