"""The errors of the domain.

DomainError
├── Rejected            a rule was broken; only the caller cares
├── Unknown             the target does not exist
└── UnexpectedAnswer    a reply that can't be one to the workflow's command
"""

from collections.abc import Sequence


class DomainError(Exception):
    """Base of all refusals. `rule` names the broken rule for clients to match on."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


class Rejected(DomainError):
    """The command broke a rule; nothing happened."""


class Unknown(DomainError):
    """The command addresses something that does not exist: `unknown-order`, `unknown-sku`, `unknown-saga`."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"unknown-{kind}", f"There is no {kind} {key}.")
        self.kind = kind
        self.key = key


class UnexpectedAnswer(DomainError):
    """The events in the target's stream are no reply to the workflow's command; `answer` are their names."""

    def __init__(self, workflow: str, step: str, answer: Sequence[str]) -> None:
        said = ", ".join(answer) or "nothing"
        super().__init__("unexpected-answer", f"{workflow} asked for {step} and was answered {said}.")
        self.workflow = workflow
        self.step = step
        self.answer = tuple(answer)
