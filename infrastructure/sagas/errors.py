"""What can go wrong while a saga runs, beside what its parts raise.

SagaError
├── CallStands       a call to the outside may have been done; somebody has to look
├── CallUnanswered   a call to the outside may have been done; it is tried again as its step declares
├── CallUnsent       a call to the outside was not done
├── CodeMissing      an instance runs on code that this build lacks
├── NoRecording      a file of recorded decisions can't be read
├── NotBegun         where it begins is not known yet
├── SagaStuck        it can't get on: the same would be asked for ever
├── StepExhausted    a step was refused as often as its saga allows, or for good
├── StepRefused      a step was refused, and is to be asked for again
├── UnknownInstance  there is no such instance
├── UnknownSignal    no instance of this saga waits for it, ever
└── WordRefused      the state of an instance forbids what an operator asks
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from domain.errors import DomainError


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


class CodeMissing(SagaError):
    """The instance whose stream is `stream` is left alone: this build lacks `what` of its saga."""

    def __init__(self, stream: str, what: str) -> None:
        super().__init__(f"{stream} runs on {what} of its saga, which this build lacks")
        self.stream = stream
        self.what = what


class NotBegun(SagaError):
    """The saga waits, since the store can't be asked, or told, where it begins."""


class NoRecording(SagaError):
    """The file can't be read as one of recorded decisions, for this reason."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class SagaStuck(SagaError):
    """The saga of `stream` does not get past `step`, which has this fault."""

    def __init__(self, stream: str, step: str, fault: str) -> None:
        super().__init__(f"{step} of {stream} {fault}")
        self.stream = stream
        self.step = step


class StepRefused(SagaError):
    """The target of `step` refused it, as `refusal` says; it is to be asked for again `after` a pause."""

    def __init__(self, stream: str, step: str, refusal: DomainError, after: timedelta) -> None:
        super().__init__(f"{step} of {stream} was refused: {refusal.rule}: {refusal.detail}")
        self.stream = stream
        self.step = step
        self.refusal = refusal
        self.after = after


class StepExhausted(SagaError):
    """The target of `step` refused it `times` times, or for good; nothing else follows from that."""

    def __init__(self, stream: str, step: str, refusal: DomainError, times: int) -> None:
        super().__init__(f"{step} was refused, attempt {times}: {refusal.rule}: {refusal.detail}")
        self.stream = stream
        self.step = step
        self.refusal = refusal
        self.times = times


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


class WordRefused(SagaError):
    """The instance whose stream is `stream` is in a state that forbids the operator's word; `rule` says which."""

    def __init__(self, rule: str, stream: str, fault: str) -> None:
        super().__init__(f"{rule}: {stream} {fault}")
        self.rule = rule
        self.stream = stream
        self.fault = fault
