"""What can go wrong while a saga runs, beside what its parts raise.

SagaError
├── CodeMissing      an instance runs on code that this build lacks
├── NotBegun         where it begins is not known yet
├── NotMigratable    an instance can't go on with another version
├── NoRecording      a file of recorded decisions can't be read
├── SagaStuck        it can't get on: the same would be asked for ever
├── StepRefused      a step was refused, and is to be asked for again
├── StepExhausted    a step was refused as often as its saga allows, or for good
└── UnknownInstance  there is no such instance
"""

from datetime import timedelta
from pathlib import Path

from domain.errors import DomainError


class SagaError(Exception):
    """Base of all that running a saga raises of its own."""


class CodeMissing(SagaError):
    """The instance whose stream is `stream` is left alone: this build lacks `what` of its saga."""

    def __init__(self, stream: str, what: str) -> None:
        super().__init__(f"{stream} runs on {what} of its saga, which this build lacks")
        self.stream = stream
        self.what = what


class NotBegun(SagaError):
    """The saga waits, since the store can't be asked, or told, where it begins."""


class NotMigratable(SagaError):
    """The instance whose stream is `stream` can't go on with that version of its saga, for this fault."""

    rule = "saga-not-migratable"

    def __init__(self, stream: str, version: int, fault: str) -> None:
        super().__init__(f"{self.rule}: {stream} can't go on with version {version}: {fault}")
        self.stream = stream
        self.version = version
        self.fault = fault


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
