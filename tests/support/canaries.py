"""Secrets that servers under test have, and that nothing they write may hold: neither logs nor answers nor reports."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.support.callers import AUTHORIZED, KEY

STORE_PASSWORD: Final = "an-unguessable-secret"
REDIS_PASSWORD: Final = "an-unguessable-key-to-rows"
SECRETS: Final[tuple[str, ...]] = (
    STORE_PASSWORD,
    REDIS_PASSWORD,
    str(json.loads(Path(KEY).read_text(encoding="utf-8"))["k"]),
    AUTHORIZED["Authorization"].rpartition(".")[2],
)
"""The passwords of event stores and of Redis, the development key of this run, and the signature of the token in its
requests."""
_KEYS: Final[list[str]] = []
_TOLD: Final[list[str]] = []


def watch_key(pem: bytes) -> None:
    """A key of TLS that a test has made: from now on its first line is such a secret."""
    lines = pem.decode().splitlines()
    _KEYS.append(lines[1 + next(index for index, line in enumerate(lines) if "PRIVATE KEY" in line)])


def assert_untold(written: Iterable[str]) -> None:
    """Fails where one of them stands there; it is not repeated."""
    for text in written:
        assert not _holds_one(text), f"a secret stands in a text of {len(text)} characters"


def hear(line: str) -> None:
    """Notes whether a process under test, which may never be waited for, has told one."""
    if _holds_one(line):
        _TOLD.append(f"a process under test told a secret in a line of {len(line)} characters")


def told() -> list[str]:
    """What was noted since it was last asked for."""
    taken = _TOLD[:]
    del _TOLD[: len(taken)]
    return taken


def _holds_one(text: str) -> bool:
    return any(secret in text for secret in (*SECRETS, *_KEYS))
