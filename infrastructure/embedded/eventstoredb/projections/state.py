"""How far each projection has come, and whether it is to run: kept beside the log, changed together with it."""

from dataclasses import dataclass, replace

from infrastructure.embedded.eventstoredb.projections.standard import STANDARD
from infrastructure.embedded.eventstoredb.storage.transaction import Transaction

_CREATE = (
    "CREATE TABLE IF NOT EXISTS projections (name TEXT PRIMARY KEY, enabled INTEGER NOT NULL,"
    " position INTEGER NOT NULL, epoch INTEGER NOT NULL, version INTEGER NOT NULL)"
)
_SELECT = "SELECT name, enabled, position, epoch, version FROM projections"
_SAVE = "INSERT OR REPLACE INTO projections (name, enabled, position, epoch, version) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class ProjectionState:
    """All records up to `position` are done. A reset begins a new version, and an epoch: older links don't count."""

    name: str
    enabled: bool = False
    position: int = 0
    epoch: int = -1
    version: int = 1

    def reset(self) -> "ProjectionState":
        """From the beginning again, with links of its own."""
        return replace(self, position=0, epoch=self.version + 1, version=self.version + 1)


def load(transaction: Transaction) -> dict[str, ProjectionState]:
    """The states of all standard projections by name; in a new log they are stopped, as in EventStoreDB."""
    transaction.execute(_CREATE)
    states = {projection.name: ProjectionState(projection.name) for projection in STANDARD}
    for name, enabled, position, epoch, version in transaction.execute(_SELECT):
        states[name] = ProjectionState(name, bool(enabled), position, epoch, version)
    return states


def save(transaction: Transaction, state: ProjectionState) -> None:
    """Overwrites what was known."""
    transaction.execute(_SAVE, (state.name, state.enabled, state.position, state.epoch, state.version))
