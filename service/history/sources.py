"""How the streams of each category are folded, and the short names of streams."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.decider import Decider
from domain.engine_events import ENGINE_EVENTS
from domain.saga import Saga
from domain.stock.stock import decider as stock
from domain.stock.stock import stock_id
from domain.stream_name import DEFAULT_TENANT, StreamName, stream_name
from infrastructure.eventstore.codec import EventCodec
from infrastructure.history.errors import UnknownCategory
from infrastructure.history.past import Past
from infrastructure.history.records import Records
from infrastructure.history.states import Boundary
from service.consumers import DECIDERS, EVENTS, SAGAS, SNAPSHOTS

CODEC: Final = EventCodec(EVENTS)


_RULES: Final = {rule.category: rule for rule in SNAPSHOTS}


def _of_decider(decider: Decider[Any, Any, Any]) -> Boundary:
    rule = _RULES.get(decider.category)
    return Boundary(decider.category, frozenset(decider.events), decider.initial, decider.evolve, rule)


def _of_saga(saga: Saga[Any, Any]) -> Boundary:
    events, rule = frozenset((*saga.events, *ENGINE_EVENTS)), _RULES.get(saga.category)
    return Boundary(saga.category, events, saga.initial, saga.evolve_past_notes, rule)


BOUNDARIES: Final[Mapping[str, Boundary]] = {
    **{decider.category: _of_decider(decider) for decider in DECIDERS},
    **{saga.category: _of_saga(saga) for saga in SAGAS},
}
_SKU: Final = re.compile(rf"{stock.category}:(.+)", re.DOTALL)


def stream_called(name: str, tenant: str = DEFAULT_TENANT) -> str:
    """The stream that a tenant calls so; `stock:SKU` is that of a SKU, whose id nobody knows by heart.

    With the default tenant a whole name is understood, too, with the tenant in front.
    """
    sku = _SKU.fullmatch(name)
    if sku is not None:
        return stream_name(stock.category, stock_id(sku[1]), tenant)
    return name if tenant == DEFAULT_TENANT else f"{tenant}.{name}"


def name_in_tenant(stream: str, tenant: str) -> str:
    """How the tenant calls a stream of its own."""
    return stream.removeprefix(f"{tenant}.")


def names_like(name: str, exists: Callable[[str], bool], tenant: str = DEFAULT_TENANT) -> list[str]:
    """How a tenant calls the streams that there are and whose id, or SKU, this may be."""
    called = [f"{stock.category}:{name}", *(f"{category}-{name}" for category in BOUNDARIES)]
    return [each for each in called if exists(stream_called(each, tenant))]


def boundary_of(stream: str) -> Boundary:
    """How the stream is folded. Raises UnknownCategory."""
    try:
        boundary = BOUNDARIES.get(StreamName.parse(stream).category)
    except ValueError:
        boundary = None
    if boundary is None:
        raise UnknownCategory(stream, tuple(f"{category}-…" for category in BOUNDARIES))
    return boundary


def past_of(records: Records) -> Past:
    """The past of this stream. Raises UnknownCategory."""
    return Past(records, boundary_of(records.stream), CODEC)
