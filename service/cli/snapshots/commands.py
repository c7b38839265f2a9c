"""The commands `foldstream snapshots list`, `drop` and `retake`."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer

from service.access.action import Action
from service.cli import completion
from service.cli.operator_act import Act, Why
from service.cli.options import DEFAULT_DATA, Data, Json, with_options
from service.cli.plurals import counted
from service.cli.verbs import Yes, consented, require_consent, verb, verb_group

SUMMARY = "Show the snapshots that loads begin at, drop them, take them anew."
app = verb_group(SUMMARY)

Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="STREAM", help="Such as order-<id> or stock:SKU.")
]
Categories: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        autocompletion=completion.categories,
        help="All streams of this category, such as order; may be repeated.",
    ),
]
All: TypeAlias = Annotated[bool, typer.Option("--all", help="All streams of every category.")]


@verb(
    app,
    "list",
    action=Action.READ_SNAPSHOTS,
    example="snapshots list --category stock --behind 1000",
    uses=("eventstore",),
)
def list_(
    streams: Names = None,
    category: Categories = None,
    behind: Annotated[int, typer.Option(min=0, help="Only those at least so many events behind.")] = 0,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show from where streams are loaded: how far the snapshot is behind, how old it is, or why there is none.

    Streams that were not named are listed where they are long enough for a snapshot; all of the log is read then.
    """
    from service.cli.snapshots.report import list_snapshots  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.snapshots.selection import Selection  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    if streams and category:
        raise typer.BadParameter("give either streams or categories")
    selection = Selection(tuple(streams or ()), tuple(category or ()))
    return list_snapshots(store_uri(data), selection, behind, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Which streams, and how."""

    streams: Names = None
    category: Categories = None
    every: All = False
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False

    def require_one_of(self) -> None:
        """Raises BadParameter where not exactly one way to name streams is taken."""
        if [bool(self.streams), bool(self.category), self.every].count(True) != 1:
            raise typer.BadParameter("give one of STREAM..., --category or --all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retake(Drop):
    """The same, and which of them."""

    missing: Annotated[
        bool, typer.Option("--missing", help="Only where a load can't begin at one, though it should.")
    ] = False


def _drop(_: typer.Context, options: Drop) -> int:
    """Drop snapshots: the next load reads the whole stream. No event is touched."""
    from service.cli.snapshots.report import drop_snapshots, streams_to_drop  # noqa: PLC0415 - loads only what it runs
    from service.cli.snapshots.selection import Selection  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    options.require_one_of()
    require_consent(yes=options.yes)
    uri = store_uri(options.data)
    names = streams_to_drop(uri, Selection(tuple(options.streams or ()), tuple(options.category or ())))
    if not consented(f"Drop the snapshots of {counted(len(names), 'stream')}?", yes=options.yes):
        return 1
    return drop_snapshots(uri, names, Act(options.why), as_json=options.as_json)


def _retake(_: typer.Context, options: Retake) -> int:
    """Take snapshots from the streams' events alone, whatever is stored; exit code 1 where one could not be taken.

    Of streams that were not named, those that are long enough. It asks first where they may be many.
    """
    from service.cli.snapshots.report import retake_snapshots, streams_to_retake  # noqa: PLC0415 - only what it runs
    from service.cli.snapshots.selection import Selection  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    options.require_one_of()
    yes = options.yes or len(options.streams or ()) == 1
    require_consent(yes=yes)
    uri = store_uri(options.data)
    selection = Selection(tuple(options.streams or ()), tuple(options.category or ()))
    names = streams_to_retake(uri, selection, missing=options.missing)
    if not consented(f"Take the snapshots of {counted(len(names), 'stream')} anew?", yes=yes):
        return 1
    return retake_snapshots(uri, names, Act(options.why), as_json=options.as_json)


verb(
    app,
    "drop",
    action=Action.CHANGE_SNAPSHOTS,
    example="snapshots drop stock:mug-blue --yes --why 'stock was restored'",
    uses=("eventstore",),
)(with_options(Drop)(_drop))
verb(
    app,
    "retake",
    action=Action.CHANGE_SNAPSHOTS,
    example="snapshots retake --all --missing --yes",
    uses=("eventstore",),
)(with_options(Retake)(_retake))
