"""Each known way to bring a token that nobody with a key has signed, or one that says more than it should."""

import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated, UnknownKey
from infrastructure.access.key_file import KeyFile
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import CLAIMS, NOW, Issuer, curve, edwards, key_set, rsa
from tests.support.clock import Clock

PAYLOAD = json.dumps(CLAIMS).encode()
ANNA = Caller("anna", frozenset({"clerk"}), expires_at=NOW + 600)
NO_JWT = "what stands in the place of a token is no signed JWT"
UNKNOWN = "the token is signed by a key that is not known here"
NOT_ACCEPTED = "the token is signed by an algorithm that is not accepted"
WRONG = "the token's signature is wrong"


def reason(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        verifier.caller_of(token)
    return refusal.value.reason


@pytest.mark.parametrize("issuer", [rsa, curve, edwards])
def test_a_token_by_a_known_key_of_each_kind_is_taken(verifier: TokenVerifier, issuer: Callable[[], Issuer]) -> None:
    assert verifier.caller_of(issuer().token()) == ANNA


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_a_token_without_a_signature_is_refused(verifier: TokenVerifier, algorithm: str) -> None:
    head = urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": rsa().key.kid}).encode()).decode()
    unsigned = f"{head}.{urlsafe_b64encode(PAYLOAD).decode()}."
    assert reason(verifier, unsigned) == NOT_ACCEPTED
    assert reason(verifier, rsa().signed({"alg": algorithm}, PAYLOAD)) == NOT_ACCEPTED


def test_a_public_key_is_no_secret_to_sign_by(verifier: TokenVerifier) -> None:
    public = rsa().key.as_pem(private=False)  # type: ignore[union-attr]  # an RSA key has a PEM
    head = json.dumps({"alg": "HS256", "kid": rsa().key.kid}).encode()
    content = urlsafe_b64encode(head) + b"." + urlsafe_b64encode(PAYLOAD)
    for known in (public, public.strip(), json.dumps(rsa().public()).encode()):
        signature = urlsafe_b64encode(hmac.digest(known, content, "sha256"))
        assert reason(verifier, f"{content.decode()}.{signature.decode()}") == NOT_ACCEPTED


def test_an_algorithm_that_is_not_pinned_is_refused_by_a_known_key(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(rsa(), curve()))
    verifier = TokenVerifier(KeyFile(file, frozenset({"ES256"})), clock=Clock(NOW))
    assert reason(verifier, rsa().token()) == NOT_ACCEPTED
    assert verifier.caller_of(curve().token()) == ANNA


def test_a_key_is_used_by_its_own_algorithm_alone(verifier: TokenVerifier) -> None:
    as_another = rsa().token({"alg": "ES256"})
    assert reason(verifier, as_another) == "the token's key is not one for its algorithm"
    for_encryption = Issuer(rsa().key, "RS256").token({"alg": "RSA-OAEP"})
    assert reason(verifier, for_encryption) == NOT_ACCEPTED


@pytest.mark.parametrize(
    "key_id",
    [
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "https://evil.example/keys",
        "rsa-1'--",
        "RSA-1",
    ],
)
def test_the_id_of_a_key_is_looked_up_and_nothing_else(verifier: TokenVerifier, key_id: str) -> None:
    with pytest.raises(UnknownKey) as refusal:
        verifier.caller_of(rsa().token({"kid": key_id}))
    assert refusal.value.reason == UNKNOWN


@pytest.mark.parametrize("key_id", ["", "a b", "a\x00b", "k" * 257, 7, ["rsa-1"], {"kid": "rsa-1"}, True])
def test_an_id_of_a_key_in_another_form_is_refused(verifier: TokenVerifier, key_id: object) -> None:
    said = "the token's header names a key in another form than 1 to 256 visible characters"
    assert reason(verifier, rsa().token({"kid": key_id})) == said


@pytest.mark.parametrize(
    "member",
    [
        {"jwk": rsa("evil").public()},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/certificate"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
    ],
)
def test_a_header_that_asks_for_more_than_a_signature_is_refused(
    verifier: TokenVerifier, member: dict[str, Any]
) -> None:
    name = next(iter(member))
    assert reason(verifier, rsa().token(member)).startswith("the token's header has a member ")
    assert reason(verifier, rsa("evil").token({**member, "kid": None})).startswith("the token's header has a member ")
    assert reason(verifier, rsa().token({name: member[name]})).endswith(f" {name}, which is not accepted")


def test_a_certificate_in_the_header_proves_nothing(verifier: TokenVerifier) -> None:
    assert reason(verifier, rsa("evil").token({"kid": "rsa-1", "x5c": ["MIIB"]})) == WRONG


def test_another_key_under_a_known_id_signs_nothing(verifier: TokenVerifier) -> None:
    for mine, theirs in ((rsa("evil"), rsa()), (curve("evil"), curve()), (edwards("evil"), edwards())):
        assert reason(verifier, mine.token({"kid": theirs.key.kid})) == WRONG


def test_a_token_that_was_changed_is_refused(verifier: TokenVerifier) -> None:
    head, _, signature = rsa().token().split(".")
    more = urlsafe_b64encode(json.dumps({**CLAIMS, "roles": ["administrator"]}).encode()).decode()
    assert reason(verifier, f"{head}.{more}.{signature}") == WRONG
    other = urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}).encode()).decode()
    assert reason(verifier, f"{other}.{rsa().token().split('.')[1]}.{signature}") == WRONG


@pytest.mark.parametrize("signature", ["", "AA", "AAAA", "_" * 84 + "8w"])
def test_what_is_no_signature_is_refused(verifier: TokenVerifier, signature: str) -> None:
    for issuer in (rsa(), curve(), edwards()):
        content = issuer.token().rpartition(".")[0]
        assert reason(verifier, f"{content}.{signature}") in (WRONG, "the token's signature can't be read as base64url")


def test_a_signature_of_nothing_by_a_curve_is_refused(verifier: TokenVerifier) -> None:
    content = curve().token().rpartition(".")[0]
    assert reason(verifier, f"{content}.{'A' * 86}") == WRONG


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c.d", "a.b.c.d.e", "Bearer a.b.c", " a.b.c", "a.b.c\n", "a+b.c.d", "ä.b.c", "a.b.c="],
)
def test_what_is_no_compact_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    assert reason(verifier, token) == NO_JWT


def test_a_token_is_read_up_to_eight_kibibytes(verifier: TokenVerifier) -> None:
    assert reason(verifier, rsa().token(filler="x" * 8192)) == "the token is longer than 8192 characters"
    assert reason(verifier, "a" * 100_000_000) == "the token is longer than 8192 characters"
    assert verifier.caller_of(rsa().token(filler="x" * 5000)) == ANNA


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        PAYLOAD.decode().encode("utf-16"),
        PAYLOAD[:-1] + b', "exp": NaN}',
        PAYLOAD[:-1] + b', "sub": "bert"}',
        PAYLOAD[:-1] + b', "roles": ["administrator"]}',
        PAYLOAD[:-1] + b', "act": {"sub": "a", "sub": "b"}}',
        b"[" * 5000,
        b'{"exp": ' + b"9" * 5000 + b"}",
    ],
)
def test_claims_that_can_be_read_in_two_ways_or_in_none_are_refused(verifier: TokenVerifier, payload: bytes) -> None:
    read = {"the token's claims can't be read as JSON", NO_JWT}
    assert reason(verifier, rsa().signed({}, payload)) in read


@pytest.mark.parametrize("payload", [b"[]", b'"anna"', b"7", b"null", b"true"])
def test_claims_are_an_object(verifier: TokenVerifier, payload: bytes) -> None:
    assert reason(verifier, rsa().signed({}, payload)) == "the token's claims should be an object of JSON"


def test_a_header_with_a_member_twice_is_refused(verifier: TokenVerifier) -> None:
    twice = b'{"alg": "RS256", "kid": "rsa-1", "alg": "none"}'
    assert reason(verifier, rsa().raw(twice, PAYLOAD)) == "the token's header can't be read as JSON"
    assert reason(verifier, rsa().raw(b'"RS256"', PAYLOAD)) == "the token's header should be an object of JSON"


@pytest.mark.parametrize("algorithm", [None, 1, ["RS256"], {}])
def test_a_header_without_an_algorithm_is_refused(verifier: TokenVerifier, algorithm: object) -> None:
    header = json.dumps({"kid": "rsa-1"} if algorithm is None else {"kid": "rsa-1", "alg": algorithm}).encode()
    assert reason(verifier, rsa().raw(header, PAYLOAD)) == "the token's header names no algorithm"


@pytest.mark.parametrize("kind", ["dpop+jwt", "logout+jwt", "secevent+jwt", "JWE", 7])
def test_a_token_for_another_use_is_refused(verifier: TokenVerifier, kind: object) -> None:
    assert reason(verifier, rsa().token({"typ": kind})) == "the token is of another type than JWT or at+jwt"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_an_access_token_may_say_that_it_is_one(verifier: TokenVerifier, kind: str) -> None:
    assert verifier.caller_of(rsa().token({"typ": kind})) == ANNA


def test_bits_that_nobody_reads_have_to_be_zero(verifier: TokenVerifier) -> None:
    token = edwards().token()
    last = token[-1]
    other = chr(ord(last) + 1)
    with_other_bits = token[:-1] + other
    assert reason(verifier, with_other_bits) == "the token's signature can't be read as base64url"
    assert len(urlsafe_b64decode(token.rpartition(".")[2].encode())) == 64


def test_without_an_id_the_only_key_of_a_kind_is_meant(tmp_path: Path, verifier: TokenVerifier) -> None:
    assert verifier.caller_of(rsa().token({"kid": None})) == ANNA
    file = tmp_path / "two.json"
    file.write_bytes(key_set(rsa(), rsa("rsa-2")))
    two = TokenVerifier(KeyFile(file, frozenset({"RS256"})), clock=Clock(NOW))
    assert reason(two, rsa().token({"kid": None})) == "the token does not say by which key it is signed (kid)"
