"""The commands `foldstream sagas check` and `graph`, and those by which operators act on instances."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from service.cli.help_option import HelpfulGroup
from service.cli.options import DEFAULT_DATA, Data, Json, parse_path
from service.cli.sagas import operator_verbs
from service.cli.verbs import verb

Type: TypeAlias = Annotated[str, typer.Argument(metavar="TYPE", help="The saga, such as fulfilment.")]
app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
operator_verbs.register(app)


@verb(app, example="sagas check --json", uses=("eventstore",))
def check(
    samples: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="DIR",
            help="Where decisions of released versions are recorded [default: tests/samples/sagas, where that is].",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show at most; all are counted.")] = 1000,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Replay open instances and recorded histories with this build; exit code 3 where it would decide otherwise.

    Also where it lacks a version that an open instance runs on. Run it with the new release before its workers start.
    """
    from service.cli.sagas.check import check_sagas  # noqa: PLC0415 - a command loads only what it runs

    return check_sagas(data, samples, limit, as_json=as_json)


@verb(app, example="sagas graph fulfilment")
def graph(saga: Type, as_json: Json = False) -> int:
    """Print a saga's steps as a diagram, a flowchart of Mermaid, drawn from its code."""
    from service.cli.sagas.graph import print_graph  # noqa: PLC0415 - a command loads only what it runs

    return print_graph(saga, as_json=as_json)
