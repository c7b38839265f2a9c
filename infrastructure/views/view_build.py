"""Builds a view: begins it or goes on with it, has its partitions built, and then lets queries find it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.errors import StoreReplaced
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.pointers import Generation
from infrastructure.readmodels.position_token import beginning_of
from infrastructure.rebuilds.lease import RebuildLease
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import Span, ViewDefinition
from infrastructure.views.errors import OutOfLog, ViewExists, ViewLost
from infrastructure.views.stored_cut import known_position
from projections.projection import Projection

_NUMBERS: Final = 1 << 48


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """What view is wanted, for how many milliseconds, by whom and why; `stores` are the beginnings of the identities
    that its positions are said to be of."""

    name: str
    span: Span
    ttl: int
    actor: str
    why: str | None = None
    stores: frozenset[str] = frozenset()


Wait: TypeAlias = Callable[[float], None]
"""Waits for so many seconds, and then raises what makes it vain to go on."""
BuildPartitions: TypeAlias = Callable[[ViewDefinition, Wait], None]
"""Has all partitions of a view built."""


def build_view(
    deployment: Deployment, projection: Projection[Any], request: ViewRequest, build: BuildPartitions
) -> ViewDefinition:
    """The view, which queries find; one that is there already stays as it is, one that was begun is gone on with.

    Raises ViewExists where one of that name is of something else, LeaseHeld where another process builds it, LeaseLost,
    ViewLost, OutOfLog, StoreReplaced, StoreUnavailable, RedisError, NewerFormat, and what `build` raises.
    """
    keys = ProjectionKeys(deployment.namespace, projection.name)
    with connect(deployment.redis_uri, keys.live) as connection:
        catalog = ViewCatalog(connection, deployment.namespace, projection.name)
        live = Generation.from_json(*connection.mget(keys.live))
        wanted = _wanted(deployment, projection, request, catalog.now())
        wanted = replace(wanted, partitions=live.partitions if live else deployment.partitions)
        _require_same(catalog.find(request.name) or wanted, wanted)
        with RebuildLease(deployment, keys, request.name) as lease:
            view = catalog.begin(wanted)
            _require_same(view, wanted)
            if view.state == "building":

                def wait(seconds: float) -> None:
                    lease.wait(seconds)
                    catalog.require(view)

                build(view, wait)
            _require_whole(deployment, view)
            return catalog.finish(view, _position(deployment, view)) if view.state == "building" else view


def _wanted(deployment: Deployment, projection: Projection[Any], request: ViewRequest, now: int) -> ViewDefinition:
    """The view as it is to be begun. Raises OutOfLog where the log has no such part."""
    with open_reader(deployment.eventstore_uri) as reader:
        store, end = store_identity(reader), reader.end()
    span = request.span
    if not request.stores <= {beginning_of(store)}:
        raise OutOfLog(projection.name, "a position is of another event store")
    for position in (span.from_position, span.to_position):
        if position is not None and position > end:
            raise OutOfLog(projection.name, f"position {position} is beyond the end of the log, {end}")
    return ViewDefinition(
        projection=projection.name,
        name=request.name,
        number=1 + secrets.randbelow(_NUMBERS),
        version=projection.version,
        partitions=deployment.partitions,
        store=store,
        span=span,
        end=end if span.to_position is None else span.to_position,
        expires_at=now + request.ttl,
        made_at=datetime.now(UTC),
        made_by=request.actor,
        why=request.why,
    )


def _require_same(there: ViewDefinition, wanted: ViewDefinition) -> None:
    """Raises ViewExists where the view that is there is none that can be gone on with."""
    if there.store != wanted.store:
        raise StoreReplaced(wanted.projection, there.store, wanted.store)
    if there.span != wanted.span:
        raise ViewExists(wanted.projection, f"there is a view {wanted.name} already, as of {there.span}")
    if there.version != wanted.version:
        reason = f"there is a view {wanted.name} already, of version {there.version} instead of {wanted.version}"
        raise ViewExists(wanted.projection, reason)


def _require_whole(deployment: Deployment, view: ViewDefinition) -> None:
    """Raises ViewLost where a partition has no checkpoint."""
    for number in range(view.partitions):
        checkpoint = view.keys(deployment.namespace, number).checkpoint
        with connect(deployment.redis_uri, checkpoint) as connection:
            if not connection.exists(checkpoint):
                reason = f"Redis has lost a part of the view {view.name}: drop it, and make it again"
                raise ViewLost(view.projection, reason)


def _position(deployment: Deployment, view: ViewDefinition) -> int:
    """Up to where everything is in it, in all partitions. Raises ViewLost where Redis does not tell any more."""
    if view.span.as_of is None:
        return view.end
    firsts = []
    for number in range(view.partitions):
        keys = view.keys(deployment.namespace, number)
        with connect(deployment.redis_uri, keys.checkpoint) as connection:
            firsts.append(known_position(connection, keys, "until"))
    known = [first for first in firsts if first is not None]
    if len(known) < len(firsts):
        raise ViewLost(view.projection, f"Redis has lost where the view {view.name} ends")
    return min(known) - 1
