"""Development keys and the tokens that they sign, for tests that ask as somebody."""

from collections.abc import Iterable
from pathlib import Path
from time import time

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules
from infrastructure.access.development_key import FILE, development_token, make_development_key


def development_key(folder: Path) -> Path:
    """The file of a development key in a data folder; made if there is none."""
    make_development_key(folder / FILE)
    return folder / FILE


def token_for(
    key: Path,
    *,
    subject: str = "tester",
    roles: Iterable[str] = ("administrator",),
    tenant: str = "default",
    seconds: int = 3600,
) -> str:
    """A token that is signed by the development key in this file; with negative seconds one that has expired."""
    return development_token(key, Caller(subject, frozenset(roles), tenant), TokenRules(), time(), seconds)


def bearer(token: str) -> dict[str, str]:
    """The header of a request that presents this token."""
    return {"Authorization": f"Bearer {token}"}
