"""Reads the requests about groups into definitions, names and settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from esdbclient.protos.Grpc import persistent_pb2, shared_pb2
from grpclib.const import Status

from infrastructure.embedded.eventstoredb.errors import BeyondLimit, InvalidPattern, PatternTooSlow
from infrastructure.embedded.eventstoredb.filters.filter import Filter
from infrastructure.embedded.eventstoredb.filters.selection import Selection
from infrastructure.embedded.eventstoredb.groups.definition import (
    ALL,
    FROM_END,
    STRATEGIES,
    Definition,
    Settings,
)
from infrastructure.embedded.eventstoredb.wire.calls import Failure, thrown_by_handler
from infrastructure.embedded.eventstoredb.wire.names import group_name, text_of
from infrastructure.embedded.eventstoredb.wire.positions import END, checked_number, checked_position
from infrastructure.embedded.eventstoredb.wire.selections import selection_of
from infrastructure.embedded.eventstoredb.wire.statuses import refusal

DefiningRequest: TypeAlias = persistent_pb2.CreateReq | persistent_pb2.UpdateReq
AllOptions: TypeAlias = persistent_pb2.CreateReq.AllOptions | persistent_pb2.UpdateReq.AllOptions
SettingsMessage: TypeAlias = persistent_pb2.CreateReq.Settings | persistent_pb2.UpdateReq.Settings
NamingOptions: TypeAlias = (
    persistent_pb2.DeleteReq.Options
    | persistent_pb2.GetInfoReq.Options
    | persistent_pb2.ReplayParkedReq.Options
    | persistent_pb2.ReadReq.Options
)
TICKS_PER_MILLISECOND = 10_000


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A consumer that wants to read; `slots` is how many messages it takes at once."""

    stream: str | None
    group: str
    slots: int
    structured_ids: bool


def definition_of(request: DefiningRequest) -> Definition:
    """The group to create or update; of an update it is not known what it selects. Raises Failure."""
    options = request.options
    name = options.stream.stream_identifier if options.HasField("stream") else options.stream_identifier
    return Definition(
        stream=None if options.HasField("all") else _source(name, type(request).__name__),
        group=_group(options.group_name),
        start=_start_in_log(options.all) if options.HasField("all") else _start_in_stream(options),
        settings=_settings(options.settings),
        selection=_selection(options.all),
    )


def named_by(options: NamingOptions) -> tuple[str | None, str]:
    """The stream (None for the log) and the group that a call is about. Raises Failure."""
    if options.WhichOneof("stream_option") is None:
        raise thrown_by_handler()
    source = source_named(options.stream_identifier if options.HasField("stream_identifier") else None)
    return source, _group(options.group_name)


def source_named(identifier: shared_pb2.StreamIdentifier | None) -> str | None:
    """Where a group reads: None for the log, which may be called by its name. Raises Failure."""
    name = ALL if identifier is None else _stream(identifier)
    return None if name == ALL else name


def read_request_of(request: persistent_pb2.ReadReq | None) -> ReadRequest:
    """What the first request of a reader says. Raises Failure."""
    if request is None or request.WhichOneof("content") != "options":
        raise thrown_by_handler()
    stream, group = named_by(request.options)
    ids = request.options.uuid_option.WhichOneof("content")
    if not group or ids is None:
        raise thrown_by_handler()
    return ReadRequest(stream, group, request.options.buffer_size, structured_ids=ids == "structured")


def _stream(identifier: shared_pb2.StreamIdentifier) -> str:
    try:
        return text_of(identifier)
    except BeyondLimit as error:
        raise refusal(error) from error


def _group(name: str) -> str:
    try:
        return group_name(name)
    except BeyondLimit as error:
        raise refusal(error) from error


def _source(identifier: shared_pb2.StreamIdentifier, kind: str) -> str:
    name = _stream(identifier)
    if name == ALL:
        verb = kind.removesuffix("Req")
        details = (
            f"Envelope callback expected either {verb}PersistentSubscriptionToAllCompleted or NotHandled,"
            f" received {verb}PersistentSubscriptionToStreamCompleted instead"
        )
        raise Failure(Status.UNKNOWN, details)
    return name


def _start_in_stream(options: persistent_pb2.CreateReq.Options | persistent_pb2.UpdateReq.Options) -> int:
    if not options.HasField("stream"):
        return _from_end_or(checked_number(options.settings.revision))
    stream = options.stream
    return _start(stream.WhichOneof("revision_option"), lambda: checked_number(stream.revision))


def _start_in_log(options: AllOptions) -> int:
    named = options.position
    return _start(
        options.WhichOneof("all_option"), lambda: checked_position(named.commit_position, named.prepare_position)
    )


def _start(option: str | None, named: Callable[[], int]) -> int:
    """One of both ends, or the place that the option names."""
    match option:
        case None:
            raise thrown_by_handler()
        case "start":
            return 0
        case "end":
            return FROM_END
        case _:
            return _from_end_or(named())


def _from_end_or(number: int) -> int:
    return FROM_END if number == END else number


def _selection(options: AllOptions) -> Selection | None:
    if isinstance(options, persistent_pb2.UpdateReq.AllOptions) or not options.HasField("filter"):
        return None
    selection = selection_of(options.filter)
    try:
        Filter(selection)
    except (InvalidPattern, PatternTooSlow) as error:
        raise refusal(error) from error
    return selection


def _settings(settings: SettingsMessage) -> Settings:
    timeout, after = settings.WhichOneof("message_timeout"), settings.WhichOneof("checkpoint_after")
    return Settings(
        resolve_links=settings.resolve_links,
        extra_statistics=settings.extra_statistics,
        message_timeout_ms=settings.message_timeout_ms
        if timeout == "message_timeout_ms"
        else settings.message_timeout_ticks // TICKS_PER_MILLISECOND,
        max_retry_count=settings.max_retry_count,
        min_checkpoint_count=settings.min_checkpoint_count,
        max_checkpoint_count=settings.max_checkpoint_count,
        checkpoint_after_ms=settings.checkpoint_after_ms
        if after == "checkpoint_after_ms"
        else settings.checkpoint_after_ticks // TICKS_PER_MILLISECOND,
        max_subscriber_count=settings.max_subscriber_count,
        live_buffer_size=settings.live_buffer_size,
        read_batch_size=settings.read_batch_size,
        history_buffer_size=settings.history_buffer_size,
        consumer_strategy=_strategy(settings),
    )


def _strategy(settings: SettingsMessage) -> str:
    if isinstance(settings, persistent_pb2.CreateReq.Settings) and settings.consumer_strategy:
        return settings.consumer_strategy
    number = settings.named_consumer_strategy
    return STRATEGIES[number] if 0 <= number < len(STRATEGIES) - 1 else str(number)
