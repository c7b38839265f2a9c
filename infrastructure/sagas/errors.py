"""What can go wrong while a saga runs, beside what its parts raise.

SagaError
├── CallStands       a call to the outside may have been done; somebody has to look
├── CallUnanswered   a call to the outside may have been done; it is tried again as its step declares
├── CallUnsent       a call to the outside was not done
├── NotBegun         where it begins is not known yet
├── SagaStuck        it can't get on: the same would be asked for ever
├── UnknownInstance  there is no such instance
└── UnknownSignal    no instance of this saga waits for it, ever
"""

from collections.abc import Sequence


class SagaError(Exception):
    """Base of all that running a saga raises of its own."""


class CallStands(SagaError):
    """Whether the call of `step` was done is not known, and its saga declares that it stands still then."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"whether {step} was done is not known: {reason}")
        self.step = step


class CallUnanswered(SagaError):
    """Whoever was called may have done it, and did not say so."""


class CallUnsent(SagaError):
    """Whoever was to be called is away, or says that it did nothing."""


class NotBegun(SagaError):
    """The saga waits, since the store can't be asked, or told, where it begins."""


class SagaStuck(SagaError):
    """The saga of `stream` does not get past `step`, which has this fault."""

    def __init__(self, stream: str, step: str, fault: str) -> None:
        super().__init__(f"{step} of {stream} {fault}")
        self.stream = stream
        self.step = step


class UnknownInstance(SagaError):
    """Nothing of the instance whose stream would be `stream` is there."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"there is no {stream}")
        self.stream = stream


class UnknownSignal(SagaError):
    """The saga of `stream` declares no signal of this name, but those that are `known`."""

    def __init__(self, stream: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{stream} knows no signal {name!r}; there is {', '.join(known) or 'none'}")
        self.stream = stream
        self.name = name
        self.known = tuple(known)
