"""An event store of which a copy is made, that goes on, and whose copy is put back."""

import shutil
from pathlib import Path

from tests.support.eventstore import EventStoreProcess


class CopiedStore:
    """A store in a folder of this one. It runs but while it is copied or replaced."""

    def __init__(self, folder: Path) -> None:
        self._data, self._copy = folder / "eventstore", folder / "copy"
        self.process = EventStoreProcess(self._data)

    def copy(self) -> None:
        """Stops the store, copies its folder, and starts it again."""
        self.process.stop()
        shutil.copytree(self._data, self._copy)
        self.process.start()

    def put_back(self) -> None:
        """What came since the copy is lost."""
        self.process.stop()
        shutil.rmtree(self._data)
        shutil.copytree(self._copy, self._data)
        self.process.start()
