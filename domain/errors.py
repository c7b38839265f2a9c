"""How the domain says no.

DomainError
├── Rejected            a rule was broken; only the caller cares
├── Unknown             what is asked does not exist
└── UnexpectedAnswer    a workflow was answered what can't be
"""

from collections.abc import Sequence


class DomainError(Exception):
    """Base of all that the domain refuses. `rule` names the rule in words a client can match on."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


class Rejected(DomainError):
    """The command broke a rule; nothing happened."""


class Unknown(DomainError):
    """The command asks something that does not exist: `unknown-order`, `unknown-account`, `unknown-sku`."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"unknown-{kind}", f"There is no {kind} {key}.")
        self.kind = kind
        self.key = key


class UnexpectedAnswer(DomainError):
    """What a workflow's command left in its target's stream is no answer to it: `answer` are the events' names."""

    def __init__(self, workflow: str, step: str, answer: Sequence[str]) -> None:
        said = ", ".join(answer) or "nothing"
        super().__init__("unexpected-answer", f"{workflow} asked for {step} and was answered {said}.")
        self.workflow = workflow
        self.step = step
        self.answer = tuple(answer)
