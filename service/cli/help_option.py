"""Commands whose `--help` is printed as everything else is."""

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from infrastructure.terminal import print_raw


def print_help(context: typer.Context) -> None:
    """Prints the help of a command. Raises OutputUnusable."""
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
