"""Keys in a file: in each form, rotated without a restart, and kept while the file is broken."""

import asyncio
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from infrastructure.access.errors import KeysUnusable, UnknownKey
from infrastructure.access.key_file import KeyFile
from infrastructure.access.verification_keys import ALGORITHMS, LARGEST, keys_in
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import NOW, Issuer, curve, edwards, key_set, rsa, secret
from tests.support.clock import Clock

NO_KEY = "there is no RSA key of 2048 bits or more, no P-256 and no Ed25519 key"


def pem(*issuers: Issuer, private: bool = False) -> bytes:
    return b"".join(issuer.key.as_pem(private=private) for issuer in issuers)  # type: ignore[union-attr]  # no secrets


def key_ids(content: bytes) -> list[str | None]:
    return [key.kid for key in keys_in(content, "keys").keys]


def verifier_of(file: Path) -> TokenVerifier:
    return TokenVerifier(KeyFile(file, frozenset(ALGORITHMS)), clock=Clock(NOW))


def test_a_set_a_key_and_pem_blocks_are_read() -> None:
    assert key_ids(key_set(rsa(), curve(), edwards())) == ["rsa-1", "ec-1", "ed-1"]
    assert key_ids(json.dumps(curve().public()).encode()) == ["ec-1"]
    thumbprints = [issuer.key.thumbprint() for issuer in (rsa(), curve(), edwards())]
    assert key_ids(pem(rsa(), curve(), edwards())) == thumbprints
    assert key_ids(b"# of the identity provider\n" + pem(rsa())) == thumbprints[:1]


@pytest.mark.parametrize("issuer", [rsa(), curve(), edwards()])
def test_a_token_is_verified_by_a_pem_with_and_without_the_private_part(tmp_path: Path, issuer: Issuer) -> None:
    for number, private in enumerate((False, True)):
        file = tmp_path / f"{number}.pem"
        file.write_bytes(pem(issuer, private=private))
        assert verifier_of(file).caller_of(issuer.token({"kid": None})).subject == "anna"


@pytest.mark.filterwarnings("ignore:Key size")
def test_keys_of_other_kinds_are_passed_over() -> None:
    newer = {"kty": "AKP", "alg": "ML-DSA-44", "kid": "newer", "pub": "AAAA"}
    broken = {**curve().public(), "x": "AAAA", "kid": "broken"}
    small, shared = rsa("small", 1024).public(), secret(b"s" * 32, "shared").key.as_dict(private=True)
    mixed = json.dumps({"keys": [newer, broken, small, shared, 7, None, edwards().public()]}).encode()
    assert key_ids(mixed) == ["ed-1"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "there is neither JSON nor PEM"),
        (b"\xff", "there is neither JSON nor PEM"),
        (b"[" * 10_000, "there is neither JSON nor PEM"),
        (b"[]", "there is neither a JWK nor a set of them"),
        (b'{"keys": 7}', "there is neither a JWK nor a set of them"),
        (b'{"keys": []}', NO_KEY),
        (b"{}", NO_KEY),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", NO_KEY),
        (b" " * (LARGEST + 1), f"there are more than {LARGEST} bytes"),
    ],
)
def test_a_content_without_keys_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(KeysUnusable) as refusal:
        keys_in(content, "keys")
    assert refusal.value.reason == reason


def test_a_secret_is_no_key_of_a_file() -> None:
    shared = secret(b"s" * 32, "shared").key.as_dict(private=True)
    with pytest.raises(KeysUnusable, match="there is no RSA key"):
        keys_in(json.dumps(shared).encode(), "keys")


def test_a_file_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable) as refusal:
        verifier_of(tmp_path / "none.json")
    assert str(refusal.value) == f"the keys in {tmp_path / 'none.json'} can't be used: No such file or directory"


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(rsa()))
    verifier = verifier_of(file)
    assert verifier.caller_of(rsa().token()).subject == "anna"
    replacement = tmp_path / "next.json"
    replacement.write_bytes(key_set(rsa("rsa-2")))
    replacement.replace(file)
    asyncio.run(verifier.source.refresh())
    assert verifier.caller_of(rsa("rsa-2").token()).subject == "anna"
    with pytest.raises(UnknownKey):
        verifier.caller_of(rsa().token())


def test_while_a_file_is_broken_or_away_its_keys_stay_good_and_the_log_says_so_once(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(rsa()))
    verifier = verifier_of(file)
    with capture_logs() as lines:
        file.write_bytes(b"half a f")
        asyncio.run(verifier.source.refresh())
        asyncio.run(verifier.source.refresh())
        assert verifier.caller_of(rsa().token()).subject == "anna"
        file.unlink()
        asyncio.run(verifier.source.refresh())
        assert verifier.caller_of(rsa().token()).subject == "anna"
        file.write_bytes(key_set(curve()))
        asyncio.run(verifier.source.refresh())
    assert [(line["event"], line.get("reason"), line.get("key_ids")) for line in lines] == [
        ("access_keys_unusable", "there is neither JSON nor PEM", None),
        ("access_keys_unusable", "No such file or directory", None),
        ("access_keys_read", None, ["ec-1"]),
    ]
    assert verifier.caller_of(curve().token()).subject == "anna"
