"""Errors of finding out who asks.

KeysUnusable           keys can't be read where they should be
Unauthenticated        a token does not prove who asks
├── UnknownKey         it is signed by a key that is not known, perhaps not yet
└── KeysUnavailable    no keys are known now, so no token can be verified
"""


class KeysUnusable(Exception):
    """`source` is the file or the address."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"the keys in {source} can't be used: {reason}")
        self.source = source
        self.reason = reason


class Unauthenticated(Exception):
    """`reason` may be told to whoever asks: it holds nothing of the token or of the keys."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKey(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("the token is signed by a key that is not known here")


class KeysUnavailable(Unauthenticated):
    """The token may be a good one."""
