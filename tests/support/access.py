"""Development keys and the tokens that they sign, for tests that ask as somebody."""

import json
from collections.abc import Iterable
from pathlib import Path
from time import time

from joserfc import jwt
from joserfc.jwk import OctKey


def development_key(folder: Path) -> Path:
    """The file of a development key in a data folder; made if there is none."""
    path = folder / "development.jwk"
    path.write_text(json.dumps(OctKey.generate_key(256).as_dict()), encoding="utf-8")
    path.chmod(0o600)
    return path


def token_for(
    key: Path,
    *,
    subject: str = "tester",
    roles: Iterable[str] = ("administrator",),
    tenant: str = "default",
    seconds: int = 3600,
) -> str:
    """A token that is signed by the development key in this file; with negative seconds one that has expired."""
    now = int(time())
    claims = {
        "sub": subject,
        "roles": list(roles),
        "tenant": tenant,
        "aud": "foldstream",
        "iat": now,
        "exp": now + seconds,
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(json.loads(key.read_text(encoding="utf-8"))))


def bearer(token: str) -> dict[str, str]:
    """The header of a request that presents this token."""
    return {"Authorization": f"Bearer {token}"}
