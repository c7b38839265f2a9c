"""Which instance of which saga a verb means, and how it acts on that: as an operator, by events of its stream."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import typer

from domain.saga import Saga
from domain.stream_name import StreamName, stream_name
from infrastructure.commands.request import Request
from service.cli.operator_act import Act
from service.consumers import SAGAS
from service.sagas.shapes import unknown_type


def saga_named(name: str) -> Saga[Any, Any]:
    """The saga of that name. Raises BadParameter."""
    for saga in SAGAS:
        if saga.category == name:
            return saga
    raise typer.BadParameter(unknown_type(name))


def instance_stream(saga: Saga[Any, Any], instance: str, tenant: str) -> str:
    """The stream of that instance of a tenant. Raises BadParameter."""
    try:
        return stream_name(saga.category, instance, tenant)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def request_of(act: Act, name: str, stream: str) -> Request:
    """For the metadata of the event of that name by which the operator acts on a stream."""
    own_id = uuid4()
    digest = sha256(f"{name} {stream} {act.why}".encode()).hexdigest()
    tenant = StreamName.parse(stream).tenant
    return Request(own_id, digest, own_id, own_id, act.actor, tenant, datetime.now(UTC))
