"""Verifies tokens."""

import json
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated


class TokenVerifier:
    def __init__(self, key: Path | None) -> None:
        self._key = None if key is None else OctKey.import_key(json.loads(key.read_text()))

    def caller_of(self, token: str) -> Caller:
        if self._key is None:
            raise Unauthenticated("there are no keys")
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            jwt.JWTClaimsRegistry().validate(claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated("the token is not valid") from error
        return Caller(claims["sub"], frozenset(claims["roles"]), claims.get("tenant", "default"))
