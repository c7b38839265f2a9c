"""What can go wrong with views of the past.

ReadModelError
├── UnknownView    there is no view of that name: none was made, it has expired, was dropped, or is being built
├── ViewIsPast     a query asks for a position that the view lies before
├── ViewExists     a view of that name is there, of something else
├── ViewLost       what was built is gone from Redis, or another has written it
└── OutOfLog       the log has no such position
"""

from infrastructure.readmodels.errors import ReadModelError
from infrastructure.readmodels.position_token import PositionToken


class UnknownView(ReadModelError):
    """There is no view of the projection that is called `name`, or not yet."""

    def __init__(self, projection: str, name: str, reason: str = "") -> None:
        super().__init__(projection, f"there is no view {name}{reason and f': {reason}'}")
        self.name = name
        self.reason = reason


class ViewIsPast(ReadModelError):
    """The view ends at `position`, before `at_least`, and never comes further."""

    def __init__(self, projection: str, name: str, position: PositionToken, at_least: PositionToken) -> None:
        super().__init__(projection, f"the view {name} ends at {position.position}, before {at_least.position}")
        self.name = name
        self.position = position
        self.at_least = at_least


class ViewExists(ReadModelError):
    """Under that name is another view than the one that was asked for."""


class ViewLost(ReadModelError):
    """The view can't be gone on with; made again, it begins at the beginning."""


class OutOfLog(ReadModelError):
    """The span that a view was asked to be of does not lie in the log."""
