"""The key of one machine's data folder, by which its service believes tokens; never for production."""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import KeyParameters, OctKey

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules
from infrastructure.access.errors import KeysUnusable
from infrastructure.access.key_file import development_key_file
from infrastructure.access.verification_keys import DEVELOPMENT_ALGORITHM

FILE: Final = Path("access") / "development.jwk"
"""Where it is in a data folder."""
_BITS: Final = 256


def make_development_key(path: Path) -> None:
    """Makes the file, for its owner alone, where there is none: whole or not at all. Raises KeysUnusable."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write(path)
    except OSError as error:
        raise KeysUnusable(str(path), error.strerror or "it can't be written") from error


def _write(path: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_new_key())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first; its key counts
            os.link(name, path)
    finally:
        Path(name).unlink()


def _new_key() -> bytes:
    named: KeyParameters = {"alg": DEVELOPMENT_ALGORITHM, "use": "sig", "kid": f"development-{uuid4().hex[:8]}"}
    return json.dumps(OctKey.generate_key(_BITS, named).as_dict(private=True)).encode() + b"\n"


def development_token(path: Path, caller: Caller, rules: TokenRules, now: float, seconds: int) -> str:
    """A token for this caller that is good for so many seconds, signed by the key in a file. Raises KeysUnusable.

    Its id is the caller's, else a fresh one.
    """
    claims = {
        "sub": caller.subject,
        "roles": sorted(caller.roles),
        "tenant": caller.tenant,
        "aud": rules.audience,
        **({} if rules.issuer is None else {"iss": rules.issuer}),
        "jti": caller.token_id or uuid4().hex,
        "iat": int(now),
        "exp": int(now) + seconds,
    }
    return sign(path, claims)


def sign(path: Path, claims: Mapping[str, Any]) -> str:
    """A token with these claims, signed by the development key in a file. Raises KeysUnusable."""
    key = development_key_file(path).current().keys[0]
    header = {"alg": DEVELOPMENT_ALGORITHM, "kid": key.kid}
    return jwt.encode(header, dict(claims), key, [DEVELOPMENT_ALGORITHM])
