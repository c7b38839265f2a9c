"""`python -m bench`: runs benches, one part after the other, and shows what they measured."""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from bench.benches import BENCHES
from bench.figures import Extent, Figure, Part
from bench.machine import describe_machine
from bench.report import as_json, as_markdown, show
from infrastructure.eventstore.errors import EventStoreError
from service.errors import ServiceError

app = typer.Typer(name="bench", add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def run(
    which: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which benches, store, commands, projections, or parts, as projections/live [default: all]."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Also what takes many minutes and gigabytes.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    part: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="A part of the events and the time, once instead of three times.")
    ] = 1.0,
    eventstore: Annotated[
        str | None,
        typer.Option(
            envvar="FOLDSTREAM_EVENTSTORE_URI",
            metavar="URI",
            help="Projections: a store to write logs to, which stay there, and to read them from. [default: embedded]",
        ),
    ] = None,
) -> int:
    """Measure how fast Foldstream is on this machine; each figure stands beside a baseline of the same run."""
    chosen = which or list(BENCHES)
    parts = {name: _parts(name) for name in chosen}
    machine, extent = describe_machine(), Extent(part, full, eventstore)
    measured = {name: list(_figures(name.partition("/")[0], each, extent)) for name, each in parts.items()}
    if json:
        typer.echo(as_json(machine, measured))
    elif markdown:
        typer.echo(as_markdown(machine, measured))
    else:
        show(machine, measured)
    return 0


def _parts(chosen: str) -> Mapping[str, Part]:
    """All parts of a bench, or the one that is named after it. Raises BadParameter."""
    name, _, title = chosen.partition("/")
    if name not in BENCHES:
        raise typer.BadParameter(f"there is no bench {name!r}; there are: {', '.join(BENCHES)}")
    parts = BENCHES[name]
    if not title:
        return parts
    if title not in parts:
        raise typer.BadParameter(f"{name} has no part {title!r}; there are: {', '.join(parts)}")
    return {title: parts[title]}


def _figures(name: str, parts: Mapping[str, Part], extent: Extent) -> Iterator[Figure]:
    for title, measure in parts.items():
        typer.echo(f"{name}: {title} …", err=True)
        yield from measure(extent)


def main() -> NoReturn:
    """Runs the benches. A refusal is one line on stderr; exit code 1, for wrong usage 2."""
    try:
        code = app(standalone_mode=False)
    except TyperException as refusal:
        code = _refuse(refusal.format_message(), refusal.exit_code)
    except (ServiceError, EventStoreError) as refusal:
        code = _refuse(str(refusal), 1)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code)


def _refuse(reason: str, code: int) -> int:
    typer.echo(f"bench: {' '.join(reason.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
