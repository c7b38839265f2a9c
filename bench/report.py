"""Prints figures: a table for each bench with the machine below, also as Markdown, or everything as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from rich.console import Console

from bench.figures import Figure
from service.tables import build_table

_COLUMNS = ("figure", "value", "unit", "ratio", "aim", "to", "note")


def show(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> None:
    """Prints a table for each bench, and the machine below."""
    console = Console(highlight=False, width=200)
    for name, figures in benches.items():
        rows = [
            (figure.name, _rounded(figure.value), figure.unit, *_comparison(figure), figure.note) for figure in figures
        ]
        console.print(build_table(_COLUMNS, rows, right=("value", "ratio"), title=name))
    console.print("\n".join(f"{what} {which}" for what, which in machine.items()), style="dim")


def as_markdown(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> str:
    """The same tables, for the page that they stand on."""
    lines = []
    for name, figures in benches.items():
        lines += [f"**{name}**", "", "| figure | value | ratio | aim | to | note |", "|---|---|---|---|---|---|"]
        for figure in figures:
            cells = (figure.name, f"{_rounded(figure.value)} {figure.unit}", *_comparison(figure), figure.note)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, ", ".join(f"{what} {which}" for what, which in machine.items())])


def as_json(machine: Mapping[str, str], benches: Mapping[str, Iterable[Figure]]) -> str:
    """The figures for programs; values and ratios are not rounded."""
    figures = {name: [asdict(figure) for figure in each] for name, each in benches.items()}
    return json.dumps({"machine": dict(machine), "benches": figures}, indent=2, ensure_ascii=False)


def _comparison(figure: Figure) -> tuple[str, str, str]:
    if figure.baseline == figure.name:
        return "", figure.aim, ""
    return f"{figure.ratio:.2f}", figure.aim, figure.baseline


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
