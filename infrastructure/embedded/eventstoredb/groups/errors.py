"""Why a call about a group is refused.

NotReady                 the groups are being loaded, or the server stops
GroupError
├── GroupNotFound        it was never created, or it was deleted
├── GroupExists          its name is taken on this source
├── GroupRefused         its settings make no sense; carries the reason
├── TooManySubscribers   as many consumers are connected as it allows
└── GroupDropped         it was updated, deleted or stopped while a consumer was connected
"""


class NotReady(Exception):
    """There is no knowing which groups there are."""


class GroupError(Exception):
    """Anything refused about a group; `source` is a stream's name or `$all`."""

    def __init__(self, source: str, group: str) -> None:
        super().__init__(f"{type(self).__name__}: {source}::{group}")
        self.source, self.group = source, group


class GroupNotFound(GroupError):
    """Carries an empty group where a source without any group was asked for."""


class GroupExists(GroupError):
    pass


class GroupRefused(GroupError):
    def __init__(self, source: str, group: str, reason: str) -> None:
        super().__init__(source, group)
        self.reason = reason


class TooManySubscribers(GroupError):
    pass


class GroupDropped(GroupError):
    pass
