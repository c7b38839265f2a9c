"""Whoever issues tokens: keys of every kind, and tokens with whatever header and claims, well made or not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64encode

NOW: Final = 1_800_000_000.0
CLAIMS: Final = {"sub": "anna", "roles": ["clerk"], "aud": "foldstream", "exp": NOW + 600}


@dataclass(frozen=True, slots=True)
class Issuer:
    """One key, and the algorithm that it signs by."""

    key: Key
    algorithm: str

    def public(self) -> dict[str, Any]:
        """The public key as a JWK."""
        return dict(self.key.as_dict(private=False))

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token by this key; a member of the header or a claim that is None is left out."""
        return self.signed(header or {}, json.dumps(_given({**CLAIMS, **claims})).encode())

    def signed(self, header: Mapping[str, Any], payload: bytes) -> str:
        """Any payload under any header, which says the truth where nothing else is asked for."""
        full = _given({"alg": self.algorithm, "kid": self.key.kid, **header})
        return self.raw(json.dumps(full).encode(), payload)

    def raw(self, header: bytes, payload: bytes) -> str:
        """The same of a header as it is written."""
        content = urlsafe_b64encode(header) + b"." + urlsafe_b64encode(payload)
        signature = JWSRegistry.algorithms[self.algorithm].sign(content, self.key)
        return (content + b"." + urlsafe_b64encode(signature)).decode()


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


@cache
def rsa(name: str = "rsa-1", bits: int = 2048) -> Issuer:
    """The same key for the same name."""
    return Issuer(RSAKey.generate_key(bits, {"kid": name}), "RS256")


@cache
def curve(name: str = "ec-1") -> Issuer:
    """One with a key of P-256."""
    return Issuer(ECKey.generate_key("P-256", {"kid": name}), "ES256")


@cache
def edwards(name: str = "ed-1") -> Issuer:
    """One with a key of Ed25519."""
    return Issuer(OKPKey.generate_key("Ed25519", {"kid": name}), "EdDSA")


def secret(content: bytes, name: str) -> Issuer:
    """One that signs by a secret of its choice."""
    return Issuer(OctKey.import_key({"kty": "oct", "k": urlsafe_b64encode(content).decode(), "kid": name}), "HS256")


def key_set(*issuers: Issuer) -> bytes:
    """Their public keys as a JWK set."""
    return json.dumps({"keys": [issuer.public() for issuer in issuers]}).encode()
