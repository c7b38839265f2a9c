"""A store that is put back to an older copy and grows again, and the read models of one tally in it."""

from pathlib import Path

from infrastructure.eventstore.identity import store_identity
from infrastructure.eventstore.log_reader import open_reader
from tests.infrastructure.readmodels.logbook import Logbook
from tests.infrastructure.readmodels.reader import Reader
from tests.infrastructure.readmodels.tallies import Opened, Raised, Remarked
from tests.infrastructure.readmodels.workers import deployment
from tests.support.copied_store import CopiedStore

TALLY = "0000000a"


class Restored:
    """A store whose copy is put back, with another end of equal size, and the read models of its tallies."""

    def __init__(self, folder: Path, deployed_redis: str, namespace: str, category: str) -> None:
        self._category = category
        self._copied = CopiedStore(folder)
        self.store = self._copied.process
        self.copy, self.put_back = self._copied.copy, self._copied.put_back
        self.deployed = deployment(self.store.uri, deployed_redis, namespace)
        self.reader = Reader(self.deployed)

    def write(self, *amounts: int) -> int:
        with Logbook(self.store.uri, self._category) as log:
            return log.write(TALLY, *(Raised(by=amount) for amount in amounts))

    def remark(self) -> int:
        with Logbook(self.store.uri, self._category) as log:
            return log.write(TALLY, Remarked())

    def begin(self) -> None:
        """The store has its identity, and the tally is opened."""
        with open_reader(self.store.uri) as reader:
            store_identity(reader)
        with Logbook(self.store.uri, self._category) as log:
            log.write(TALLY, Opened(owner="ann"))
