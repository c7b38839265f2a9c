"""The commands `foldstream poison list`, `show`, `retry`, `skip` and `unskip`."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer

from service.access.action import Action
from service.cli import completion
from service.cli.operator_act import Act, Reason, Why
from service.cli.options import DEFAULT_DATA, Data, Json, with_options
from service.cli.projection_names import projections_named
from service.cli.verbs import Yes, require_consent, verb, verb_group

SUMMARY = "Show the streams that wait in a projection at an event, try or skip it."
app = verb_group(SUMMARY)
Name: TypeAlias = Annotated[
    str, typer.Argument(metavar="PROJECTION", autocompletion=completion.projections, help="The projection.")
]
Stream: TypeAlias = Annotated[str, typer.Argument(metavar="STREAM", help="Such as order-<id> or stock:SKU.")]
Wait: TypeAlias = Annotated[
    float, typer.Option("--wait", min=0, max=300, metavar="SECONDS", help="For a worker to apply it, at most.")
]
_SECONDS = 10.0


@verb(app, "list", action=Action.READ_POISON, example="poison list order_summary", uses=("eventstore", "redis"))
def list_(
    name: Annotated[
        str | None,
        typer.Argument(metavar="PROJECTION", autocompletion=completion.projections, help="Only this projection."),
    ] = None,
    skips: Annotated[bool, typer.Option("--skips", help="Show the events that are skipped instead.")] = False,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """List the streams that wait at an event which their projection can't read or fold, and how many events wait."""
    from service.cli.poison.report import print_blocked, print_skips  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    projections = projections_named([] if name is None else [name])
    return (print_skips if skips else print_blocked)(both_servers(data), projections, as_json=as_json)


@verb(app, action=Action.READ_POISON, example="poison show stock_levels stock:mug-red", uses=("eventstore", "redis"))
def show(name: Name, stream: Stream, data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """Show the event that a stream waits at, why, what waits behind it, and what a skip would mean."""
    from service.cli.poison.report import print_one  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.poison.streams import stream_folded_by  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([name])
    return print_one(both_servers(data), projection, stream_folded_by(projection, stream), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which streams are to be tried, and how long the outcome is waited for."""

    name: Name
    stream: Annotated[
        str | None, typer.Argument(metavar="STREAM", help="Such as order-<id> or stock:SKU [default: all].")
    ] = None
    wait: Wait = _SECONDS
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _retry(_: typer.Context, options: Retry) -> int:
    """Have a projection try what waits now: one stream, or all. It does so by itself too, ever more rarely.

    Exit code 3 where a stream is still blocked. It asks first where they may be many.
    """
    from service.cli.poison.remedy import Plan, Remedy  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.poison.streams import stream_folded_by  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([options.name])
    stream = None if options.stream is None else stream_folded_by(projection, options.stream)
    require_consent(yes=options.yes or stream is not None)
    plan = Plan(wait=options.wait, as_json=options.as_json, yes=options.yes)
    return Remedy(both_servers(options.data), projection, plan, Act(options.why)).retry(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Which event is to be skipped, and how long the outcome is waited for."""

    name: Name
    stream: Stream
    why: Reason
    version: Annotated[
        int | None, typer.Option("--version", min=0, metavar="V", help="Only where this version blocks the stream.")
    ] = None
    wait: Wait = _SECONDS
    yes: Yes = False
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _skip(_: typer.Context, options: Skip) -> int:
    """Let a projection treat the event that blocks a stream as absent: what waits behind it is folded without it.

    The event store keeps it, with the reason, for every fold of that projection. Exit code 3 where the stream is
    blocked at a later event then.
    """
    from service.cli.poison.remedy import Plan, Remedy  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.poison.streams import stream_folded_by  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([options.name])
    stream = stream_folded_by(projection, options.stream)
    require_consent(yes=options.yes)
    plan = Plan(wait=options.wait, as_json=options.as_json, yes=options.yes, version=options.version)
    return Remedy(both_servers(options.data), projection, plan, Act(options.why)).skip(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unskip:
    """Which event is to count again, and how long the outcome is waited for."""

    name: Name
    stream: Stream
    version: Annotated[int, typer.Option("--version", min=0, metavar="V", help="The version that is skipped.")]
    why: Reason
    wait: Wait = _SECONDS
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _unskip(_: typer.Context, options: Unskip) -> int:
    """Let an event that was skipped count again: its stream is folded anew with it.

    Exit code 3 where it blocks the stream then.
    """
    from service.cli.poison.remedy import Plan, Remedy  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.poison.streams import stream_folded_by  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([options.name])
    stream = stream_folded_by(projection, options.stream)
    plan = Plan(wait=options.wait, as_json=options.as_json)
    return Remedy(both_servers(options.data), projection, plan, Act(options.why)).unskip(stream, options.version)


verb(
    app,
    "retry",
    action=Action.MEND_POISON,
    example="poison retry stock_levels stock:mug-red",
    uses=("eventstore", "redis"),
)(with_options(Retry)(_retry))
verb(
    app,
    "skip",
    action=Action.MEND_POISON,
    example="poison skip stock_levels stock:mug-red --version 4 --yes --why 'a test of the till'",
    uses=("eventstore", "redis"),
)(with_options(Skip)(_skip))
verb(
    app,
    "unskip",
    action=Action.MEND_POISON,
    example="poison unskip stock_levels stock:mug-red --version 4 --why 'it can be folded now'",
    uses=("eventstore", "redis"),
)(with_options(Unskip)(_unskip))
