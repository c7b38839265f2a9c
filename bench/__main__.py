"""`python -m bench`: runs benches, one part after the other, and shows what they measured."""

import sys
from collections.abc import Iterator
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from bench.benches import BENCHES
from bench.figures import Extent, Figure
from bench.machine import describe_machine
from bench.report import as_json, show
from service.errors import ServiceError

app = typer.Typer(name="bench", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def run(
    which: Annotated[list[str] | None, typer.Argument(help="Which benches: store, commands [default: all].")] = None,
    full: Annotated[bool, typer.Option("--full", help="Also what takes many minutes and gigabytes.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    part: Annotated[float, typer.Option(min=0.0, max=1.0, hidden=True)] = 1.0,
) -> int:
    """Measure how fast Foldstream is on this machine; each figure stands beside a baseline of the same run."""
    chosen = which or list(BENCHES)
    for name in chosen:
        if name not in BENCHES:
            raise typer.BadParameter(f"there is no bench {name!r}; there are: {', '.join(BENCHES)}")
    machine = describe_machine()
    measured = {name: list(_figures(name, Extent(part, full))) for name in chosen}
    if json:
        typer.echo(as_json(machine, measured))
    else:
        show(machine, measured)
    return 0


def _figures(name: str, extent: Extent) -> Iterator[Figure]:
    for title, measure in BENCHES[name].items():
        typer.echo(f"{name}: {title} …", err=True)
        yield from measure(extent)


def main() -> NoReturn:
    """Runs the benches. A refusal is one line on stderr; exit code 1, for wrong usage 2."""
    try:
        code = app(standalone_mode=False)
    except TyperException as refusal:
        code = _refuse(refusal.format_message(), refusal.exit_code)
    except ServiceError as refusal:
        code = _refuse(str(refusal), 1)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code)


def _refuse(reason: str, code: int) -> int:
    typer.echo(f"bench: {' '.join(reason.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
