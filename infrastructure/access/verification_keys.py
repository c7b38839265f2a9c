"""The keys by which signatures are verified, as a file or a key set has them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from infrastructure.access.errors import KeysUnusable, Unauthenticated, UnknownKey

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
"""Those that a deployment may accept; each fits keys of one kind alone."""
DEVELOPMENT_ALGORITHM: Final = "HS256"
LARGEST: Final = 256 * 1024  # bytes of a file or an answer
_MODELS: Final = {name: JWSRegistry.algorithms[name] for name in (*ALGORITHMS, DEVELOPMENT_ALGORITHM)}
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
_MOST: Final = 100
_LEAST_BITS: Final = 2048  # of an RSA key, by RFC 7518, section 3.3
_SECRET_BYTES: Final = 32  # of a key of HS256, by its section 3.2


def is_signed(content: bytes, signature: bytes, key: Key, algorithm: str) -> bool:
    """Whether the signature is that of the content by this key. The algorithm has to be one that is known here."""
    try:
        return bool(_MODELS[algorithm].verify(content, signature, key))
    except (JoseError, ValueError):  # it is no signature at all
        return False


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    """The public keys of one source, each under its id, or its thumbprint (RFC 7638) where it has none."""

    keys: tuple[Key, ...]

    def find(self, key_id: str | None, algorithm: str) -> Key:
        """The key of that id for that algorithm; without an id the only one for it.

        Raises UnknownKey where no key has the id, Unauthenticated where none fits.
        """
        named = [key for key in self.keys if key_id is None or key.kid == key_id]
        if not named:
            raise UnknownKey
        fit = [key for key in named if _fits(key, algorithm)]
        if not fit:
            raise Unauthenticated("the token's key is not one for its algorithm")
        if key_id is None and len(fit) > 1:
            raise Unauthenticated("the token does not say by which key it is signed (kid)")
        return fit[0]


def _fits(key: Key, algorithm: str) -> bool:
    try:
        _MODELS[algorithm].check_key(key)
        key.check_key_op("verify")
    except JoseError:
        return False
    return isinstance(key, OctKey) == (algorithm == DEVELOPMENT_ALGORITHM)


def keys_in(content: bytes, source: str) -> VerificationKeys:
    """The keys in a JWK set, a single JWK or PEM blocks; those of other kinds are passed over.

    Raises KeysUnusable where none is left.
    """
    found = [key for key in _read(content, source) if _is_usable(key)]
    if not found:
        raise KeysUnusable(source, "there is no RSA key of 2048 bits or more, no P-256 and no Ed25519 key")
    return VerificationKeys(_identified(found))


def development_key_in(content: bytes, source: str) -> VerificationKeys:
    """The development key in a file. Raises KeysUnusable for any other content."""
    found = list(_read(content, source))
    if len(found) != 1 or not isinstance(found[0], OctKey) or len(found[0].raw_value) < _SECRET_BYTES:
        raise KeysUnusable(source, "should be one JWK of type oct with 32 bytes or more")
    return VerificationKeys(_identified(found))


def _identified(keys: Sequence[Key]) -> tuple[Key, ...]:
    for key in keys:
        key.ensure_kid()
    return tuple(keys)


def _is_usable(key: Key) -> bool:
    match key:
        case RSAKey():
            return key.raw_value.key_size >= _LEAST_BITS
        case ECKey() | OKPKey():
            return key.curve_name in {"P-256", "Ed25519"}
        case _:
            return False


def _read(content: bytes, source: str) -> Iterator[Key]:
    if len(content) > LARGEST:
        raise KeysUnusable(source, f"there are more than {LARGEST} bytes")
    if blocks := [block.group(0) for block in _BLOCK.finditer(content)]:
        return (key for block in blocks[:_MOST] for key in _in_block(block))
    return (key for member in _members(content, source)[:_MOST] for key in _in_member(member))


def _members(content: bytes, source: str) -> list[Any]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise KeysUnusable(source, "there is neither JSON nor PEM") from error
    members = found.get("keys", [found]) if isinstance(found, dict) else None
    if not isinstance(members, list):
        raise KeysUnusable(source, "there is neither a JWK nor a set of them")
    return members


def _in_block(block: bytes) -> Iterator[Key]:
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            yield kind.import_key(block)
        except (JoseError, ValueError, TypeError):
            continue
        return


def _in_member(member: Any) -> Iterator[Key]:
    """The key, if it is one: a set may hold kinds that are newer than this release."""
    try:
        yield JWKRegistry.import_key(member)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return
