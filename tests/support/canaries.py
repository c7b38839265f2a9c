"""Secrets that servers under test have, and that nothing they write may hold: neither logs nor answers nor reports."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.support.callers import AUTHORIZED, KEY

STORE_PASSWORD: Final = "an-unguessable-secret"
SECRETS: Final[tuple[str, ...]] = (
    STORE_PASSWORD,
    str(json.loads(Path(KEY).read_text(encoding="utf-8"))["k"]),
    AUTHORIZED["Authorization"].rpartition(".")[2],
)
"""The password of event stores, the development key of this run, and the signature of the token in its requests."""


def assert_untold(written: Iterable[str]) -> None:
    """Fails where one of them stands there; it is not repeated."""
    for text in written:
        assert not any(secret in text for secret in SECRETS), f"a secret stands in a text of {len(text)} characters"
