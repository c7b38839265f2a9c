"""The commands `foldstream lag`, `foldstream audit`, `foldstream projections list`, `show`, `pause` and `resume`."""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

import typer

from service.access.action import Action
from service.cli import completion
from service.cli.help_option import HelpfulGroup
from service.cli.operator_act import Act, Reason, Why
from service.cli.options import DEFAULT_DATA, Data, Json
from service.cli.projection_names import projections_named
from service.cli.verbs import Yes, require_consent, verb

Projection: TypeAlias = Annotated[
    str, typer.Argument(metavar="PROJECTION", autocompletion=completion.projections, help="The projection.")
]
app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def lag(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", autocompletion=completion.projections, help="Only these projections."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again each second, until Ctrl-C.")] = False,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show how far each projection is behind: events of its own that are not folded, and how old the oldest is.

    Up to 10,000 events are counted, more are estimated (~). Where one is behind it takes three seconds, to tell whether
    it catches up. With --watch, an output that is no terminal gets lines, with --json a document a line.
    """
    from service.cli.projections.report import print_lag, watch_lag  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    projections = projections_named(names or ())
    return (watch_lag if watch else print_lag)(both_servers(data), projections, as_json=as_json)


@verb(app, "list", action=Action.READ_PROJECTIONS, example="projections list --json", uses=("eventstore", "redis"))
def list_(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """List the projections: version, generations, how many partitions, and who works on them."""
    from service.cli.projections.report import print_list  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    return print_list(both_servers(data), projections_named(()), as_json=as_json)


@verb(app, action=Action.READ_PROJECTIONS, example="projections show order_summary", uses=("eventstore", "redis"))
def show(name: Projection, data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """Show what each partition of a projection holds in Redis, where its checkpoint is, and who works on it."""
    from service.cli.projections.report import print_one  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([name])
    return print_one(both_servers(data), projection, as_json=as_json)


@verb(
    app,
    action=Action.PAUSE_PROJECTIONS,
    example="projections pause order_summary --why 'the handler is wrong'",
    uses=("eventstore",),
)
def pause(
    name: Projection,
    why: Reason,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Let no worker fold a projection until it is resumed; queries are answered as of where it is.

    The event store keeps it, with the reason; it outlives workers and Redis. Workers follow within two seconds.
    """
    from service.cli.projections.pauses import pause_or_resume  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([name])
    return pause_or_resume(data, projection.name, Act(why), paused=True, as_json=as_json)


@verb(
    app,
    action=Action.PAUSE_PROJECTIONS,
    example="projections resume order_summary --why 'the handler is mended'",
    uses=("eventstore",),
)
def resume(
    name: Projection,
    why: Reason,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Let workers fold a paused projection again, from where it is."""
    from service.cli.projections.pauses import pause_or_resume  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([name])
    return pause_or_resume(data, projection.name, Act(why), paused=False, as_json=as_json)


_SAMPLE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """What is looked at, and what is done about it."""

    name: Projection
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, metavar="N", help=f"Look at so many [default: {_SAMPLE:,}]."),
    ] = None
    every: Annotated[
        bool, typer.Option("--all", help="Look at all streams, at index entries that belong to none, and at sizes.")
    ] = False
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is found, while workers go on.")] = False
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False

    def require_one_meaning(self) -> None:
        """Raises BadParameter where options contradict each other, or have no effect."""
        if self.every and self.sample is not None:
            raise typer.BadParameter("give either --sample or --all")
        if not self.repair and (self.yes or self.why is not None):
            raise typer.BadParameter("--yes and --why belong to --repair")


def audit(_: typer.Context, options: AuditOptions) -> int:
    """Fold streams again from the log, and compare what they come to with what Redis has.

    What is missing, extra or different is named, and exit code 3. Without --all, streams are taken at random.
    """
    from service.cli.projections.audit import Plan, run_audit  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    options.require_one_meaning()
    [projection] = projections_named([options.name])
    if options.repair:
        require_consent(yes=options.yes)
    sample = None if options.every else options.sample or _SAMPLE
    plan = Plan(sample, options.repair, options.yes, options.as_json)
    return run_audit(both_servers(options.data), projection, plan, Act(options.why))
