"""A signed token as it comes in: its parts, read strictly and not yet believed."""

import json
import re
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from joserfc.util import urlsafe_b64decode

from infrastructure.access.errors import Unauthenticated

LONGEST: Final = 8 * 1024  # characters of a token
_PARTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_KEY_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# By these a token would bring its own key, change how it is to be read, or ask for rules that nobody here knows.
_REFUSED: Final = ("crit", "b64", "jwk", "jku", "x5u", "zip", "enc")


@dataclass(frozen=True, slots=True)
class SignedToken:
    """`signed` are the bytes that `signature` signs; `key_id` is None where the token names no key."""

    algorithm: str
    key_id: str | None
    payload: str
    signed: bytes
    signature: bytes

    def claims(self) -> Mapping[str, Any]:
        """What it says; to be asked for once its signature was verified. Raises Unauthenticated."""
        return _object_in(self.payload, "claims")


def read_token(token: str) -> SignedToken:
    """Takes a token in the compact form of RFC 7515 apart. Raises Unauthenticated."""
    if len(token) > LONGEST:
        raise Unauthenticated(f"the token is longer than {LONGEST} characters")
    if not _PARTS.fullmatch(token):
        raise Unauthenticated("what stands in the place of a token is no signed JWT")
    head, payload, signature = token.split(".")
    header = _object_in(head, "header")
    _require_plain(header)
    return SignedToken(
        algorithm=_algorithm_in(header),
        key_id=_key_id_in(header),
        payload=payload,
        signed=f"{head}.{payload}".encode(),
        signature=_bytes_in(signature, "signature"),
    )


def _require_plain(header: Mapping[str, Any]) -> None:
    """Raises Unauthenticated for a header that asks for more than a signature by a known key."""
    for name in _REFUSED:
        if name in header:
            raise Unauthenticated(f"the token's header has a member {name}, which is not accepted")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Unauthenticated("the token is of another type than JWT or at+jwt")


def _algorithm_in(header: Mapping[str, Any]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise Unauthenticated("the token's header names no algorithm")
    return algorithm


def _key_id_in(header: Mapping[str, Any]) -> str | None:
    found = header.get("kid")
    if found is None:
        return None
    if not isinstance(found, str) or not _KEY_ID.fullmatch(found):
        raise Unauthenticated("the token's header names a key in another form than 1 to 256 visible characters")
    return found


def _object_in(part: str, name: str) -> Mapping[str, Any]:
    """The JSON object in a part: UTF-8, no name twice, no NaN. Raises Unauthenticated."""
    try:
        found = json.loads(
            _bytes_in(part, name).decode("utf-8"), object_pairs_hook=_named_once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise Unauthenticated(f"the token's {name} can't be read as JSON") from error
    if not isinstance(found, dict):
        raise Unauthenticated(f"the token's {name} should be an object of JSON")
    return found


def _bytes_in(part: str, name: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode())
    except NotBase64 as error:
        raise Unauthenticated(f"the token's {name} can't be read as base64url") from error


def _named_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member stands there twice")
    return found


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
