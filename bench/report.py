"""Shows figures: a table for each bench with the machine below, or everything as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

_COLUMNS = (("figure", "left"), ("value", "right"), ("", "left"), ("ratio", "right"), ("to", "left"), ("note", "left"))


def show(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> None:
    """Prints the tables."""
    console = Console(highlight=False, width=200)
    for name, figures in benches.items():
        table = Table(title=name, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
        for column, justify in _COLUMNS:
            table.add_column(column, justify="right" if justify == "right" else "left", no_wrap=column != "note")
        for figure in figures:
            table.add_row(figure.name, _spelled(figure.value), figure.unit, *_comparison(figure), figure.note)
        console.print(table)
    console.print("\n".join(f"{what} {which}" for what, which in machine.items()), style="dim")


def as_json(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> str:
    """The same for programs; values and ratios are not rounded."""
    figures = {name: [asdict(figure) for figure in each] for name, each in benches.items()}
    return json.dumps({"machine": dict(machine), "benches": figures}, indent=2, ensure_ascii=False)


def _comparison(figure: Figure) -> tuple[str, str]:
    return ("", "") if figure.baseline == figure.name else (f"{figure.ratio:.2f}", figure.baseline)


def _spelled(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
