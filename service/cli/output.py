"""What commands print: text and tables for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence

import typer
from rich.console import Console, RenderableType

from service.tables import build_table


def print_table(columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table, each row on one line."""
    print_whole(build_table(columns, rows))


def print_whole(content: RenderableType) -> None:
    """Prints with lines that are never wrapped, so that they can be searched, and that end without blanks."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, width=1000)
    with console.capture() as captured:
        console.print(content)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def print_json(content: object) -> None:
    """Prints JSON, indented."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
