"""What tests of one partition share: its store, who commits to it, and what they commit."""

from collections.abc import Callable

from infrastructure.readmodels.commit import Partition
from tests.infrastructure.readmodels.tallies import Opened, Raised, Tally, history

STORE = "store-1"
OPENED_AND_RAISED = history(("a", Opened(owner="ann")), ("a", Raised(by=3)))
MORE = history(("a", Raised(by=4)), ("b", Opened(owner="bob")), first=30)
Worker = Callable[[], Partition[Tally]]
