"""How the domain says no.

DomainError
├── Rejected        a rule was broken; only the caller cares
└── Unknown         what is asked does not exist
"""


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
