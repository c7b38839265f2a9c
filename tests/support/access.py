"""Tokens for tests."""

import json
import time
from collections.abc import Iterable
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey


def make_key(path: Path) -> Path:
    path.write_text(json.dumps(OctKey.generate_key(256).as_dict()))
    return path


def token_for(
    key_path: Path, *, subject: str = "tester", roles: Iterable[str] = ("administrator",), tenant: str = "default", seconds: float = 3600
) -> str:
    key = OctKey.import_key(json.loads(key_path.read_text()))
    claims = {"sub": subject, "roles": list(roles), "tenant": tenant, "aud": "foldstream", "exp": int(time.time() + seconds)}
    return jwt.encode({"alg": "HS256"}, claims, key)
