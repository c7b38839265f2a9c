"""What can go wrong while a saga runs, beside what its parts raise.

SagaError
└── SagaStuck    an answer changed nothing, so the same would be asked for ever
"""


class SagaError(Exception):
    """Base of all that running a saga raises of its own."""


class SagaStuck(SagaError):
    """The answer to `step` left the saga of `stream` where it was."""

    def __init__(self, stream: str, step: str) -> None:
        super().__init__(f"{stream} learned nothing from the answer to {step}")
        self.stream = stream
        self.step = step
