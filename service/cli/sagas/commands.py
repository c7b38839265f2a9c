"""The commands `foldstream sagas list`, `show`, `check` and `graph`, and those by which operators act on instances."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from domain.stream_name import DEFAULT_TENANT
from service.access.action import OPEN, Action
from service.cli import completion
from service.cli.help_option import HelpfulGroup
from service.cli.options import DEFAULT_DATA, Data, Json, Tenant, parse_age, parse_path, with_options
from service.cli.sagas import operator_verbs
from service.cli.verbs import verb

Type: TypeAlias = Annotated[
    str, typer.Argument(metavar="TYPE", autocompletion=completion.sagas, help="The saga, such as fulfilment.")
]
Id: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The instance; of fulfilment, the order's id.")]
app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
operator_verbs.register(app)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Which instances are listed."""

    saga: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", autocompletion=completion.sagas, help="Of this saga alone.")
    ] = None
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="running, completed, compensated, failed or paused."),
    ] = None
    step: Annotated[
        str | None,
        typer.Option(metavar="STEP", help="At this step: charge, reserve, or with its colon reserve:mug-blue."),
    ] = None
    older_than: Annotated[
        timedelta | None,
        typer.Option(
            "--older-than",
            parser=parse_age,
            metavar="AGE",
            help="To which nothing has happened for so long: seconds, or 15m, 2h, 7d.",
        ),
    ] = None
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show at most.")] = 100
    tenant: Tenant = DEFAULT_TENANT
    data: Data = DEFAULT_DATA
    as_json: Json = False


@verb(
    app,
    "list",
    action=Action.LIST_SAGAS,
    example="sagas list --status running --older-than 15m",
    uses=("eventstore", "redis"),
)
@with_options(ListOptions)
def list_instances(context: typer.Context, options: ListOptions) -> int:
    """List instances of sagas with what they are at, the latest change first."""
    from service.cli.sagas.report import print_instances  # noqa: PLC0415 - a command loads only what it runs

    return print_instances(options)


@verb(
    app,
    action=Action.READ_SAGA,
    example="sagas show fulfilment 0b6c1c1e-4f0e-4c86-9d5e-0d8f6f0f3a10",
    uses=("eventstore", "redis"),
)
def show(
    saga: Type,
    instance: Id,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show an instance of a saga with all that happened to it: observed, asked, answered, undone, said by operators."""
    from service.cli.sagas.report import print_instance  # noqa: PLC0415 - a command loads only what it runs

    return print_instance(data, saga, instance, tenant, as_json=as_json)


@verb(app, action=Action.CHECK_RELEASE, example="sagas check --json", uses=("eventstore",))
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


@verb(app, action=OPEN, example="sagas graph fulfilment")
def graph(
    saga: Type,
    as_table: Annotated[bool, typer.Option("--table", help="A table of Markdown, a row for each answer.")] = False,
    as_json: Json = False,
) -> int:
    """Print a saga's steps as a diagram, a flowchart of Mermaid, or in words, from its code."""
    from service.cli.sagas.graph import print_graph  # noqa: PLC0415 - a command loads only what it runs

    return print_graph(saga, as_table=as_table, as_json=as_json)
