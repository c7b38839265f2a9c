"""The commands `foldstream streams`, `read` and `append`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from domain.stream_name import DEFAULT_TENANT
from service.access.action import Action
from service.cli import completion
from service.cli.operator_act import Act, Reason
from service.cli.options import DEFAULT_DATA, Data, Json, Tenant, parse_path, parse_stream, parse_tenant, with_options
from service.cli.verbs import Yes, verb

app = typer.Typer()
_NONE: Final = "none"
_HIGHEST: Final = 2**63 - 1  # version and position of EventStoreDB
_MOST: Final = 1_000_000_000  # events
_READ: Final = 100
_STDIN: Final = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsOptions:
    """Which streams are listed, and how far back the log is read for them."""

    category: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completion.categories,
            help="Only streams whose names begin with this and a hyphen: order.",
        ),
    ] = None
    of_tenant: Annotated[
        str | None,
        typer.Option("--tenant", parser=parse_tenant, metavar="TENANT", help="Only this tenant's [default: all]."),
    ] = None
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to list at most.")] = 100
    records: Annotated[
        int, typer.Option("--look-at", min=1, max=_MOST, help="How many events to look at, the newest first.")
    ] = 100_000
    before: Annotated[
        int | None,
        typer.Option(min=0, max=_HIGHEST, metavar="POSITION", help="Go on where the list before stopped."),
    ] = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _streams(_: typer.Context, options: StreamsOptions) -> int:
    """List the streams of the event store, the last written first, each with its last event.

    They are found in the log, read backwards, as far as --look-at says: the system's projections need not run.
    """
    from infrastructure.eventstore.stream_patterns import named_pattern  # noqa: PLC0415 - a command loads only what it runs
    from infrastructure.history.stream_list import StreamSearch  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.report import print_streams  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    pattern = named_pattern(options.category, options.of_tenant)
    search = StreamSearch(pattern, options.limit, options.records, options.before)
    return print_streams(store_uri(options.data), search, as_json=options.as_json)


Stream: TypeAlias = Annotated[
    str, typer.Argument(parser=parse_stream, metavar="STREAM", help="Its name, or stock:SKU.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Which events of a stream are read."""

    stream: Annotated[
        str,
        typer.Argument(
            parser=parse_stream,
            metavar="STREAM",
            help="Its name, or stock:SKU; '$all' is the whole log, the system's too.",
        ),
    ]
    first: Annotated[
        int | None,
        typer.Option(
            "--from",
            min=0,
            max=_HIGHEST,
            metavar="N",
            help="The version to begin at; of '$all' the position [default: the first, with --backwards the last].",
        ),
    ] = None
    backwards: Annotated[bool, typer.Option("--backwards", help="The newest first.")] = False
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Go on as events are appended, until Ctrl-C; a store that is away is awaited."),
    ] = False
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST, help="How many to read at most [default: 100, with --follow without an end]."),
    ] = None
    tenant: Tenant = DEFAULT_TENANT
    data: Data = DEFAULT_DATA
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an event a line, as `export` does and `append` reads it.")
    ] = False


def _read(_: typer.Context, options: ReadOptions) -> int:
    """Read the events of any stream as they are stored, also what this release can't decode.

    It begins at the first event, with --backwards at the last. Links are shown as such. Of content that is no JSON,
    --json prints the bytes in base64.
    """
    if options.follow:
        return _follow(options)
    from service.cli.streams.reader import Wanted  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.report import print_events  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs
    from service.history.sources import stream_called  # noqa: PLC0415 - a command loads only what it runs

    stream = stream_called(options.stream, options.tenant)
    wanted = Wanted(stream, options.first, options.limit or _READ, backwards=options.backwards)
    return print_events(store_uri(options.data), wanted, as_json=options.as_json)


def _follow(options: ReadOptions) -> int:
    from service.cli.lasting_permission import LastingPermission  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.followed_events import print_followed, say  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.follower import Follower  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.report import print_event  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs
    from service.history.sources import stream_called  # noqa: PLC0415 - a command loads only what it runs

    if options.backwards:
        raise typer.BadParameter("--follow goes on at the end, so it can't be read --backwards")
    stream, uri = stream_called(options.stream, options.tenant), store_uri(options.data)
    permission = LastingPermission(Action.READ_STREAM, options.data)
    follower = Follower(uri, stream, options.first, require=permission.require, say=say)
    return print_followed(follower, partial(print_event, as_json=options.as_json), options.limit)


def _expected(text: str) -> int:
    if text == _NONE:
        return -1
    if not text.isdecimal() or len(text) > 18:
        raise typer.BadParameter("should be the version of the stream's last event, or none where there is no stream")
    return int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendOptions:
    """What is appended where, and why."""

    stream: Stream
    file: Annotated[
        Path,
        typer.Option(
            parser=parse_path,
            metavar="FILE",
            help="The events, one a line, as `read --json` prints them; - is the input.",
        ),
    ]
    expected: Annotated[
        int,
        typer.Option(
            parser=_expected,
            metavar="N|none",
            help="The version of the stream's last event, so that it takes place once.",
        ),
    ]
    why: Reason
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked", help="Also what this release can't decode in that stream, or its aggregate can't take."
        ),
    ] = False
    yes: Yes = False
    tenant: Tenant = DEFAULT_TENANT
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _append(_: typer.Context, options: AppendOptions) -> int:
    """Append events to a stream by hand, for repairs: all of them in one append, or none.

    Each line needs `type` and `data`; each event has to be one of its stream that this release can decode, and that
    its aggregate can take at that version. Who and why go into the metadata, which are completed where they lack
    anything. Repeated, it is refused: the stream is at another version then.
    """
    from service.cli.streams.append import append  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.streams.proposal import Repair  # noqa: PLC0415 - a command loads only what it runs
    from service.history.sources import stream_called  # noqa: PLC0415 - a command loads only what it runs

    stream = stream_called(options.stream, options.tenant)
    if options.file == _STDIN and not options.yes:
        raise typer.BadParameter("what is read from the input can't be asked about there: it needs --yes")
    repair = Repair(
        stream,
        options.file,
        options.expected,
        Act(options.why),
        checked=not options.unchecked,
        yes=options.yes,
        as_json=options.as_json,
    )
    return append(options.data, repair)


verb(app, "streams", action=Action.LIST_STREAMS, example="streams --category order --limit 20", uses=("eventstore",))(
    with_options(StreamsOptions)(_streams)
)
verb(
    app,
    "read",
    action=Action.READ_STREAM,
    example="read stock:mug-blue --backwards --limit 5\nread '$all' --backwards --json\n"
    "read stock:mug-blue --follow --limit 2",
    uses=("eventstore",),
)(with_options(ReadOptions)(_read))
verb(
    app,
    "append",
    action=Action.APPEND_EVENTS,
    example="append stock:mug-blue --file repair.jsonl --expected 1 --yes --why 'a delivery that was not booked'",
    uses=("eventstore",),
)(with_options(AppendOptions)(_append))
