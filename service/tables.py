"""Tables for people on a terminal: the one look of everything that prints them."""

import sys
from collections.abc import Collection, Iterable, Sequence
from io import StringIO
from itertools import islice
from typing import Final

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from infrastructure.terminal import print_raw, printable

_ROWS_AT_ONCE: Final = 500
_UNBOUNDED: Final = 1_000_000  # characters of a line that no terminal shows


def build_table(
    columns: Iterable[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
    title: str | None = None,
) -> Table:
    """A table without lines. Columns in `right` are aligned to the right; cells are wrapped where there is no room."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    return table


def print_table(columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table; each row is one line, but on a terminal that is too narrow. Raises OutputUnusable."""
    print_whole(build_table(columns, rows))


def print_long_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same for any number of rows: some hundred at a time, whose columns are as wide as those before or wider."""
    rest, widths = iter(rows), [0] * len(columns)
    is_terminal, is_first = sys.stdout.isatty(), True
    while block := list(islice(rest, _ROWS_AT_ONCE)):
        table = build_table(columns, block)
        table.show_header = is_first
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = None if is_terminal else width
        if not print_whole(table):
            return
        widths = [max(width, *map(_width, cells)) for width, *cells in zip(widths, columns, *block, strict=True)]
        is_first = False


def _width(cell: object) -> int:
    return cell_len(printable(str(cell)))


def print_whole(content: RenderableType) -> bool:
    """Prints what has printable text alone, with lines that end without blanks. Raises OutputUnusable.

    False where the reader is gone.

    On a terminal it is as wide as that (or COLUMNS); elsewhere lines are as long as they are, so that they can be
    searched.
    """
    is_terminal = sys.stdout.isatty()
    width = None if is_terminal else _UNBOUNDED
    rendered = StringIO()  # rich flushes the output itself
    Console(file=rendered, highlight=False, markup=False, emoji=False, width=width, force_terminal=is_terminal).print(
        content
    )
    return print_raw("\n".join(line.rstrip() for line in rendered.getvalue().splitlines()))
