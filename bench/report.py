"""Prints figures: a table for each bench with the machine below, or everything as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from rich.console import Console

from bench.figures import Figure
from service.tables import build_table

_COLUMNS = ("figure", "value", "unit", "ratio", "to", "note")


def show(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> None:
    """Prints a table for each bench, and the machine below."""
    console = Console(highlight=False, width=200)
    for name, figures in benches.items():
        rows = [
            (figure.name, _rounded(figure.value), figure.unit, *_comparison(figure), figure.note) for figure in figures
        ]
        console.print(build_table(_COLUMNS, rows, right=("value", "ratio"), title=name))
    console.print("\n".join(f"{what} {which}" for what, which in machine.items()), style="dim")


def as_json(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> str:
    """The same for programs; values and ratios are not rounded."""
    figures = {name: [asdict(figure) for figure in each] for name, each in benches.items()}
    return json.dumps({"machine": dict(machine), "benches": figures}, indent=2, ensure_ascii=False)


def _comparison(figure: Figure) -> tuple[str, str]:
    return ("", "") if figure.baseline == figure.name else (f"{figure.ratio:.2f}", figure.baseline)


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
