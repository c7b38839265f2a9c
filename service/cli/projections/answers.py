"""What is found of projections, as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from infrastructure.readmodels.backlog import Lag
from infrastructure.readmodels.health import PartitionHealth
from infrastructure.readmodels.lease_holders import Holder
from infrastructure.readmodels.pauses import Operation
from infrastructure.readmodels.sizes import Sizes
from infrastructure.readmodels.status import AuditReport, LastError
from infrastructure.times import time_text
from service.cli.projections.statuses import GenerationStatus, Holders, ProjectionStatus, newest_error


def lag_document(found: list[ProjectionStatus], at: datetime) -> dict[str, Any]:
    """How all of them fared at that time."""
    return {"at": time_text(at), "projections": [lag_answer(each) for each in found]}


def lag_answer(status: ProjectionStatus) -> dict[str, Any]:
    """How a projection fares; the members of the generation that is read, or built first, stand beside its name."""
    generations = [_generation(each) for each in status.followed]
    nothing = {"generation": None, **_lag(None), "blocked": None, "waiting": None}
    shown: dict[str, Any] = generations[0] if generations else nothing
    return {
        "projection": status.projection.name,
        "version": status.projection.version,
        "state": status.condition.word,
        "detail": status.detail,
        "paused": pause_answer(status.pause),
        **shown,
        "building": generations[1] if len(generations) > 1 else None,
    }


def _generation(generation: GenerationStatus) -> dict[str, Any]:
    return {
        "generation": generation.number,
        "live": generation.live,
        **_lag(generation.lag),
        "blocked": generation.blocked,
        "waiting": generation.waiting,
        "rate": round(generation.rate, 1),
        "position": generation.position,
        "workers": generation.workers,
        "last_error": _error(generation.last_error),
        "partitions": [_partition(*each) for each in zip(generation.partitions, generation.lags, strict=True)],
    }


def _partition(partition: PartitionHealth, lag: Lag | None) -> dict[str, Any]:
    status = partition.status
    return {
        "partition": partition.partition,
        "position": partition.position,
        **_lag(lag),
        "blocked": len(partition.blocked),
        "waiting": partition.waiting,
        "state": None if status is None else status.state,
        "worker": None if status is None else status.worker,
        "rate": None if status is None or status.rate is None else round(status.rate, 1),
        "batch": None if status is None else status.batch,
        "last_error": _error(newest_error([partition])),
    }


def _lag(lag: Lag | None) -> dict[str, Any]:
    if lag is None:
        return {"events": None, "exact": False, "seconds": None}
    return {"events": lag.events, "exact": lag.exact, "seconds": round(lag.seconds, 1)}


def _error(error: LastError | None) -> dict[str, Any] | None:
    return None if error is None else {"at": time_text(error.at), "error": error.error, "reason": error.reason}


def pause_answer(pause: Operation | None) -> dict[str, Any] | None:
    """Who has paused it, when and why."""
    return None if pause is None else {"by": pause.actor, "why": pause.why, "at": time_text(pause.at)}


def listed_answer(status: ProjectionStatus, holders: Sequence[Holders]) -> dict[str, Any]:
    """The generations of a projection, without what they hold; `leases` are in the order of the partitions."""
    health = status.health
    return {
        "projection": status.projection.name,
        "version": status.projection.version,
        "state": status.condition.word,
        "detail": status.detail,
        "paused": pause_answer(status.pause),
        "live": health and health.generation,
        "building": health and health.building,
        "rebuilding": health and health.rebuilding and health.rebuilding.number,
        "rebuilt_share": round(health.rebuilt_share, 4) if health and health.rebuilding else None,
        "kept": health and health.kept and health.kept.number,
        "later_version": health and health.later_version,
        "generations": [
            {
                "generation": each.number,
                "live": each.live,
                "role": each.role,
                "partition_count": len(each.partitions),
                "position": each.position,
                "workers": each.workers,
                "leases": list(map(_lease, own)),
                "blocked": each.blocked,
                "waiting": each.waiting,
            }
            for each, own in zip(status.generations, holders, strict=True)
        ],
    }


def _lease(holder: Holder | None) -> dict[str, Any] | None:
    return None if holder is None else {"worker": holder.worker, "seconds": round(holder.seconds, 1)}


def shown_answer(
    status: ProjectionStatus, sizes: Sequence[Sequence[Sizes]], holders: Sequence[Holders]
) -> dict[str, Any]:
    """The same, with each partition's checkpoint, anchor, worker and sizes, and what its audit has found."""
    answer = listed_answer(status, holders)
    for each, generation, own in zip(answer["generations"], status.generations, sizes, strict=True):
        each["partitions"] = [_held(*pair) for pair in zip(generation.partitions, own, strict=True)]
    return answer


def _held(partition: PartitionHealth, sizes: Sizes) -> dict[str, Any]:
    checkpoint, status = partition.checkpoint, partition.status
    anchor = checkpoint and checkpoint.anchor
    return {
        "partition": partition.partition,
        "checkpoint": checkpoint and checkpoint.position,
        "store": checkpoint and checkpoint.store,
        "anchor": anchor and {"position": anchor.position, "id": anchor.event_id and str(anchor.event_id)},
        "repairs": partition.repairs,
        "blocked": len(partition.blocked),
        "waiting": partition.waiting,
        "state": status and status.state,
        "worker": status and status.worker,
        "audit": status and _audit(status.audit),
        "rows": sizes.rows,
        "indexes": sizes.indexes,
        "entries": sizes.entries,
        "entries_exact": sizes.exact,
        "bytes": sizes.bytes,
    }


def _audit(audit: AuditReport | None) -> dict[str, Any] | None:
    if audit is None:
        return None
    since = None if audit.since is None else time_text(audit.since)
    return {"streams": audit.streams, "since": since, "differing": audit.differing}
