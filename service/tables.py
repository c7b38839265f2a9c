"""Tables for people on a terminal: the one look of everything that prints them."""

from collections.abc import Collection, Iterable, Sequence

from rich.table import Table


def build_table(
    columns: Iterable[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Collection[str] = (),
    wrapped: Collection[str] = (),
    title: str | None = None,
) -> Table:
    """A table without lines. Columns in `right` are aligned to the right; only those in `wrapped` may wrap."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=column not in wrapped)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    return table
