"""The responses about groups: messages, statistics, refusals."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from esdbclient.protos.Grpc import persistent_pb2
from grpclib.const import Status

from infrastructure.embedded.eventstoredb.errors import LogError
from infrastructure.embedded.eventstoredb.groups.consumer_connection import ConsumerConnection
from infrastructure.embedded.eventstoredb.groups.errors import (
    GroupDropped,
    GroupError,
    GroupExists,
    GroupNotFound,
    GroupRefused,
    NotReady,
    TooManySubscribers,
)
from infrastructure.embedded.eventstoredb.groups.group import Group
from infrastructure.embedded.eventstoredb.groups.message import Message
from infrastructure.embedded.eventstoredb.groups.statistics import latency_percentiles, measure
from infrastructure.embedded.eventstoredb.storage.frames import encode_recorded_event, frame
from infrastructure.embedded.eventstoredb.wire import statuses
from infrastructure.embedded.eventstoredb.wire.calls import Failure

SubscriptionInfo = persistent_pb2.SubscriptionInfo


def message_frame(message: Message, *, structured_ids: bool) -> bytes:
    """The framed response that delivers a message; a link's position stands for that of its target, too."""
    position = message.record.position
    parts = persistent_pb2.ReadResp.ReadEvent(commit_position=position, retry_count=message.retry_count)
    if message.event is not None:
        event = message.event if message.link is None else replace(message.event, position=position)
        parts.event.ParseFromString(encode_recorded_event(event, structured_ids))
    if message.link is not None:
        parts.link.ParseFromString(encode_recorded_event(message.link, structured_ids))
    return frame(persistent_pb2.ReadResp(event=parts).SerializeToString())


def info_of(group: Group) -> SubscriptionInfo:
    """The settings of a group and how it is doing."""
    info = _settings(group)
    _add_counts(info, group)
    info.connections.extend(map(_connection, group.connections))
    return info


@contextmanager
def refusals_as_failures() -> Iterator[None]:
    """Turns what a group or the log refuses into gRPC statuses."""
    try:
        yield
    except NotReady as error:
        raise Failure(Status.UNAVAILABLE, "Server Is Not Ready") from error
    except GroupError as error:
        raise _failure(error) from error
    except LogError as error:
        raise statuses.refusal(error) from error


def _failure(error: GroupError) -> Failure:
    status, kind, details = _status_of(error, f"group {error.group} on stream {error.source}")
    trailers = {
        "exception": kind,
        "stream-name": error.source,
        "group-name": error.group,
        "reason": error.reason if isinstance(error, GroupRefused) else "",
    }
    return Failure(status, details, trailers)


def _status_of(error: GroupError, what: str) -> tuple[Status, str, str]:
    about = f"Subscription {what}"
    match error:
        case GroupNotFound():
            return Status.NOT_FOUND, "persistent-subscription-does-not-exist", f"{about} does not exist."
        case GroupExists():
            return Status.ALREADY_EXISTS, "persistent-subscription-exists", f"{about} exists."
        case TooManySubscribers():
            details = f"Maximum subscriptions reached for subscription {what}."
            return Status.FAILED_PRECONDITION, "maximum-subscribers-reached", details
        case GroupDropped():
            return Status.CANCELLED, "persistent-subscription-dropped", f"{about} was dropped."
        case GroupRefused():
            return Status.INTERNAL, "persistent-subscription-failed", f"{about} failed: '{error.reason}'"
        case _:
            raise error


def _settings(group: Group) -> SubscriptionInfo:
    definition, settings = group.definition, group.definition.settings
    return SubscriptionInfo(
        event_source=definition.source,
        group_name=definition.group,
        start_from=definition.format_position(definition.start),
        resolve_link_tos=settings.resolve_links,
        extra_statistics=settings.extra_statistics,
        message_timeout_milliseconds=settings.message_timeout_ms,
        max_retry_count=settings.max_retry_count,
        live_buffer_size=settings.live_buffer_size,
        buffer_size=settings.history_buffer_size,
        read_batch_size=settings.read_batch_size,
        check_point_after_milliseconds=settings.checkpoint_after_ms,
        min_check_point_count=settings.min_checkpoint_count,
        max_check_point_count=settings.max_checkpoint_count,
        named_consumer_strategy=settings.consumer_strategy,
        max_subscriber_count=settings.max_subscriber_count,
    )


def _add_counts(info: SubscriptionInfo, group: Group) -> None:
    engine, position = group.engine, group.definition.format_position
    info.status = group.status
    info.total_items = engine.total
    info.average_per_second, info.count_since_last_measurement = measure(group.rate, engine.total, time.monotonic())
    info.last_checkpointed_event_position = position(engine.checkpoint)
    info.last_known_event_position = position(engine.last_known)
    info.read_buffer_count = engine.buffer.fresh
    info.live_buffer_count = engine.live_count
    info.retry_buffer_count = engine.buffer.retries
    info.total_in_flight_messages = sum(len(consumer.in_flight) for consumer in engine.consumers)
    info.outstanding_messages_count = len(engine.in_flight)
    info.parked_message_count = len(group.parked.bounds())


def _connection(connection: ConsumerConnection) -> SubscriptionInfo.ConnectionInfo:
    consumer = connection.consumer
    average, recent = measure(connection.rate, consumer.total, time.monotonic())
    measurements = latency_percentiles(consumer.latencies)
    return SubscriptionInfo.ConnectionInfo(
        **{"from": consumer.peer},
        username="anonymous",
        connection_name=consumer.name,
        total_items=consumer.total,
        available_slots=consumer.free,
        in_flight_messages=len(consumer.in_flight),
        average_items_per_second=average,
        count_since_last_measurement=recent,
        observed_measurements=[
            SubscriptionInfo.Measurement(key=key, value=value) for key, value in measurements.items()
        ],
    )
