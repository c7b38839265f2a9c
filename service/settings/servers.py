"""The servers of a deployment, and what is kept on them."""

from typing import Annotated, TypeAlias

from pydantic import Field

from infrastructure.eventstore.uri import require_valid as require_eventstore_uri
from infrastructure.readmodels.uri import require_valid as require_redis_uri
from service.settings.kind import WhenUnset
from service.settings.numbers import WholeNumber
from service.settings.texts import VISIBLE, Text, Uri

EventstoreUri: TypeAlias = Annotated[
    str | None,
    Uri(require_eventstore_uri),
    WhenUnset("`serve` runs the embedded event store"),
    Field(
        repr=False,
        description="The event store: `esdb://host:2113?tls=false`,"
        " `esdb://user:password@node1:2113,node2:2113,node3:2113?tls=true&tlsCaFile=ca.crt`,"
        " `esdb+discover://name:2113`. The files that it names have to be readable. Required by `api`, `projections`"
        " and `sagas` when they run by themselves.",
    ),
]
RedisUri: TypeAlias = Annotated[
    str | None,
    Uri(require_redis_uri),
    WhenUnset("`serve` runs the embedded Redis"),
    Field(
        repr=False,
        description="Redis or Valkey: `redis://host:6379/0`, `rediss://…`, `unix:///path`. A Redis Cluster:"
        " `redis+cluster://user:password@node1:6379,node2:6379`, `rediss+cluster://…` over TLS, with at least one of"
        " its servers and no database ([operations](operations.md#on-a-redis-cluster)). Required by `api` and"
        " `projections` when they run by themselves; `sagas` without it finds deadlines in the log, up to some minutes"
        " late (`saga_deadlines_late` in the log).",
    ),
]
Namespace: TypeAlias = Annotated[
    str,
    Text("[A-Za-z0-9._-]{1,64}", "1 to 64 letters of a to z, digits, '.', '_' or '-'"),
    Field(
        description="What all keys in Redis and the names of consumer groups begin with, so that two installations"
        " may share a Redis. Streams carry no namespace: on one event store they read, and add to, the same log, and"
        " the sagas of both react to it."
    ),
]
DiskFreeMib: TypeAlias = Annotated[
    int,
    WholeNumber(1, 1_000_000, "MiB"),
    Field(
        description="How much room the disk of an embedded server's folder should have; with less, the check `disk`"
        " of `/health/ready` is `failing`."
    ),
]
MetricsPort: TypeAlias = Annotated[
    int | None,
    WholeNumber(1, 65_535),
    Field(
        description="The port where `foldstream projections`, `foldstream sagas` or `foldstream api`, started by"
        " itself, serves its own metrics for Prometheus and [its health](operations.md#health), without a token; each"
        " process needs one of its own. `serve` gives it to its API, which shows how the workers fare. Elsewhere the"
        " API has `/metrics`, [for those who watch](roles.md)."
    ),
]
MetricsHost: TypeAlias = Annotated[
    str,
    VISIBLE,
    Field(
        description="The address of that port. Whoever reaches it reads metrics and health without a token: in a"
        " container, `0.0.0.0` lets Prometheus and the probes of Kubernetes reach it, and everybody else who gets that"
        " far; let a network policy say who does."
    ),
]
