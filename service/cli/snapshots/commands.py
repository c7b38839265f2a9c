"""The commands `foldstream snapshots list`, `drop` and `retake`."""

from typing import Annotated, TypeAlias

import typer

from service.cli.options import DEFAULT_DATA, Data, Json
from service.cli.verbs import Yes, consented, help_alone, require_consent, verb

SUMMARY = "Show the snapshots that loads begin at, drop them, take them anew."
app = typer.Typer(
    help=SUMMARY,
    add_completion=False,
    short_help=SUMMARY,
    invoke_without_command=True,
    callback=help_alone,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Names: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="STREAM", help="Such as order-<id> or stock:SKU.")
]
Categories: TypeAlias = Annotated[
    list[str] | None, typer.Option("--category", help="All streams of this category, such as order; may be repeated.")
]
All: TypeAlias = Annotated[bool, typer.Option("--all", help="All streams of every category.")]


@verb(app, "list", example="snapshots list --category stock --behind 1000", uses=("eventstore",))
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


@verb(app, example="snapshots drop stock:mug-blue --yes", uses=("eventstore",))
def drop(
    streams: Names = None,
    category: Categories = None,
    every: All = False,
    yes: Yes = False,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Drop snapshots: the next load reads the whole stream. No event is touched."""
    from service.cli.snapshots.report import drop_snapshots, streams_to_drop  # noqa: PLC0415 - loads only what it runs
    from service.cli.snapshots.selection import Selection  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.snapshots.tables import counted  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    _require_one_of(streams, category, every)
    require_consent(yes=yes)
    uri = store_uri(data)
    names = streams_to_drop(uri, Selection(tuple(streams or ()), tuple(category or ())))
    if not consented(f"Drop the snapshots of {counted(len(names))}?", yes=yes):
        return 1
    return drop_snapshots(uri, names, as_json=as_json)


@verb(app, example="snapshots retake --all --missing", uses=("eventstore",))
def retake(
    streams: Names = None,
    category: Categories = None,
    every: All = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only where a load can't begin at one, though it should.")
    ] = False,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Take snapshots from the streams' events alone, whatever is stored; exit code 1 where one could not be taken.

    Of streams that were not named, those that are long enough.
    """
    from service.cli.snapshots.report import retake_snapshots  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.snapshots.selection import Selection  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    _require_one_of(streams, category, every)
    selection = Selection(tuple(streams or ()), tuple(category or ()))
    return retake_snapshots(store_uri(data), selection, missing=missing, as_json=as_json)


def _require_one_of(streams: list[str] | None, category: list[str] | None, every: bool) -> None:
    if [bool(streams), bool(category), every].count(True) != 1:
        raise typer.BadParameter("give one of STREAM..., --category or --all")
