"""Runs benches, one part after the other, and shows what they found."""

from collections.abc import Iterable, Iterator

import typer

from service.bench.benches import BENCHES
from service.bench.figures import Extent, Figure
from service.bench.machine import described
from service.bench.report import as_json, show


def run_bench(names: Iterable[str], extent: Extent, *, json: bool) -> int:
    """Those with these names; all, where none is named. Raises BadParameter."""
    chosen = list(names) or list(BENCHES)
    for name in chosen:
        if name not in BENCHES:
            raise typer.BadParameter(f"there is no bench {name!r}; there are: {', '.join(BENCHES)}")
    machine = described()
    found = {name: list(_figures(name, extent)) for name in chosen}
    if json:
        typer.echo(as_json(machine, found))
    else:
        show(machine, found)
    return 0


def _figures(name: str, extent: Extent) -> Iterator[Figure]:
    for part in BENCHES[name]:
        typer.echo(f"{name}: {part.__name__} …", err=True)
        yield from part(extent)
