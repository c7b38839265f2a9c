"""The Read call: streams and $all, both ways, once or as a subscription."""

from collections.abc import Awaitable, Callable

from esdbclient.protos.Grpc import streams_pb2
from grpclib.const import Status

from infrastructure.embedded.eventstoredb.errors import InvalidPattern, LogError, PatternTooSlow
from infrastructure.embedded.eventstoredb.filters.filter import Filter
from infrastructure.embedded.eventstoredb.log import EventLog
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.all_read import AllRead
from infrastructure.embedded.eventstoredb.wire.all_subscription import AllSubscription, WindowedFilter
from infrastructure.embedded.eventstoredb.wire.calls import Call, Failure, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.positions import END, checked_number, checked_position
from infrastructure.embedded.eventstoredb.wire.proposals import stream_name
from infrastructure.embedded.eventstoredb.wire.read_responses import EventRenderer
from infrastructure.embedded.eventstoredb.wire.selections import selection_of
from infrastructure.embedded.eventstoredb.wire.stream_read import StreamRead
from infrastructure.embedded.eventstoredb.wire.stream_subscription import StreamSubscription

ReadReq = streams_pb2.ReadReq
Options = ReadReq.Options
_DEFAULT_WINDOW = 32
_KINDS = "ReadReq+Types+Options"


def reader(log: EventLog) -> Callable[[Call[ReadReq]], Awaitable[None]]:
    """The method for a log."""

    async def read(call: Call[ReadReq]) -> None:
        request = await call.receive()
        if request is None:
            raise thrown_by_handler()
        options = request.options
        _check(options)
        structured = options.uuid_option.WhichOneof("content") != "string"
        renderer = EventRenderer(log, structured, options.resolve_links)
        try:
            await (_read_stream if options.HasField("stream") else _read_all)(call, renderer, options)
        except (InvalidPattern, PatternTooSlow) as error:
            raise statuses.refusal(error) from error

    return read


def _check(options: Options) -> None:
    """Raises Failure for options that do not go together."""
    if options.WhichOneof("stream_option") is None:
        raise statuses.not_a_valid("None", f"{_KINDS}+StreamOptionOneofCase")
    if not options.HasField("uuid_option"):
        kind = f"EventStore.Client.Streams.{_KINDS}+Types+UUIDOption"
        raise Failure(Status.INVALID_ARGUMENT, f" `uuidOption` is a required argument of type {kind}")
    whole, counting = options.WhichOneof("stream_option"), options.WhichOneof("count_option")
    filtering = options.WhichOneof("filter_option")
    nonsense = (
        counting is None
        or filtering is None
        or options.read_direction not in (Options.Forwards, Options.Backwards)
        or (counting == "subscription" and options.read_direction == Options.Backwards)
        or (whole == "stream" and filtering == "filter")
    )
    if nonsense:
        parts = [_spelled(whole), _spelled(counting), _direction(options), _spelled(filtering)]
        raise Failure(Status.INVALID_ARGUMENT, f"The combination of ({', '.join(parts)}) is invalid.")


def _direction(options: Options) -> str:
    known = options.read_direction in Options.ReadDirection.values()
    return Options.ReadDirection.Name(options.read_direction) if known else str(options.read_direction)


def _spelled(option: str | None) -> str:
    return "None" if option is None else option.title().replace("_", "")


async def _read_stream(call: Call[ReadReq], renderer: EventRenderer, options: Options) -> None:
    start = _revision(options.stream)
    try:
        stream = stream_name(options.stream.stream_identifier)
    except LogError as error:
        raise statuses.refusal(error) from error
    if options.HasField("subscription"):
        after = start - 1 if options.stream.HasField("start") else start
        await StreamSubscription(call, renderer, stream).run(None if start == END else after)
        return
    with_positions = options.control_option.compatibility > 0
    read = StreamRead(stream, start, options.count, _is_backwards(options), with_positions)
    await read.run(call, renderer)


async def _read_all(call: Call[ReadReq], renderer: EventRenderer, options: Options) -> None:
    start, windowed = _position(options.all), _windowed_filter(options)
    if options.HasField("subscription"):
        await AllSubscription(call, renderer, windowed).run(None if start == END else start)
        return
    wanted = None if windowed is None else windowed.filter
    await AllRead(start, options.count, _is_backwards(options), wanted).run(call, renderer)


def _is_backwards(options: Options) -> bool:
    return options.read_direction == Options.Backwards


def _revision(options: Options.StreamOptions) -> int:
    """The number to start at, END for the newest. Raises Failure for one that no event can have."""
    if not options.HasField("revision"):
        return END if options.HasField("end") else 0
    return checked_number(options.revision)


def _position(options: Options.AllOptions) -> int:
    """The position to start at, END for the newest. Raises Failure for one that can't be."""
    if not options.HasField("position"):
        return END if options.HasField("end") else 0
    commit, prepare = options.position.commit_position, options.position.prepare_position
    if commit == END != prepare:
        raise thrown_by_handler()
    return checked_position(commit, prepare)


def _windowed_filter(options: Options) -> WindowedFilter | None:
    if not options.HasField("filter"):
        return None
    asked = options.filter
    window = asked.max if asked.WhichOneof("window") == "max" else _DEFAULT_WINDOW
    if asked.WhichOneof("window") is None:
        raise statuses.not_a_valid("None", f"{_KINDS}+Types+FilterOptions+WindowOneofCase")
    if asked.WhichOneof("filter") is None:
        raise statuses.not_a_valid("None", f"{_KINDS}+Types+FilterOptions+FilterOneofCase")
    if options.HasField("subscription") and not asked.checkpointIntervalMultiplier:
        raise thrown_by_handler()
    return WindowedFilter(Filter(selection_of(asked)), window, asked.checkpointIntervalMultiplier)
