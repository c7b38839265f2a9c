"""What can go wrong with a rebuild.

RebuildError
├── RebuildRefused     it can't be begun, or not be flipped, as things are; the live generation stays as it is
├── LeaseHeld          another rebuild of the projection, or build of the view, is at work
├── LeaseLost          another has taken over, since this one could not renew its lease in time
├── RebuildStopped     it can't go on; what it has built stays for the next call
└── NothingThere       there is nothing to give up, or to go back to
"""


class RebuildError(Exception):
    """Base of all; `projection` is its name."""

    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"{projection}: {reason}")
        self.projection = projection
        self.reason = reason


class RebuildRefused(RebuildError):
    """Something has to be done first; `reason` says what stands against it."""


class LeaseHeld(RebuildError):
    """`what` is at work besides, and `holder` is the host and the number of the other process."""

    def __init__(self, projection: str, what: str, holder: str) -> None:
        super().__init__(projection, f"another {what} is at work, process {holder}")
        self.holder = holder


class LeaseLost(RebuildError):
    """`what` has taken over."""

    def __init__(self, projection: str, what: str) -> None:
        super().__init__(projection, f"another {what} has taken over: Redis was out of reach for too long")


class RebuildStopped(RebuildError):
    """`reason` says what it met."""


class NothingThere(RebuildError):
    """`reason` says what is missing."""
