"""Which code an instance of a saga runs on: its version and the changes it is marked with, folded from its stream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from domain.engine_events import ENGINE_EVENTS, SagaMarked, SagaMigrated, SagaVersionSet
from domain.message import Event
from domain.saga import Saga


@dataclass(frozen=True, slots=True)
class CodeState:
    """`version` is None as long as the instance has not begun; one that begins without a version has 1."""

    version: int | None = None
    changes: frozenset[str] = frozenset()

    def after(self, event: Event) -> Self:
        """The same after a further event of the instance's stream."""
        match event:
            case SagaVersionSet() | SagaMigrated():
                return replace(self, version=event.version)
            case SagaMarked():
                return replace(self, changes=self.changes | {event.name})
            case _ if self.version is None and not isinstance(event, ENGINE_EVENTS):
                return replace(self, version=1)
            case _:
                return self

    def lacking_in(self, saga: Saga[Any, Any]) -> str | None:
        """What of this code the saga lacks, in words; None where it has all of it."""
        if self.version is not None and self.version not in saga.versions:
            return f"version {self.version}"
        unknown = sorted(self.changes - saga.changes.keys())
        return f"the change {unknown[0]!r}" if unknown else None


def kept_by(migrated: SagaMigrated) -> Mapping[str, UUID]:
    """The steps that stayed pending, each with the event since which it is."""
    return {kept.step: UUID(kept.since) for kept in migrated.kept}
