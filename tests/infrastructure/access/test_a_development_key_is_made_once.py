"""The development key of a data folder: for its owner alone, whole, kept, and good for HS256 alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_IMODE

import pytest

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules
from infrastructure.access.development_key import FILE, development_token, make_development_key, sign
from infrastructure.access.errors import KeysUnusable, Unauthenticated
from infrastructure.access.key_file import development_key_file
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import CLAIMS, NOW, key_set, rsa
from tests.support.access import development_key, token_for
from tests.support.clock import Clock

CALLER = Caller("anna", frozenset({"clerk", "auditor"}), "acme", "t-1")


def verifier_of(key: Path, rules: TokenRules | None = None) -> TokenVerifier:
    return TokenVerifier(development_key_file(key), rules or TokenRules(), clock=Clock(NOW))


def test_it_is_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    content = key.read_bytes()
    assert (S_IMODE(key.stat().st_mode), S_IMODE(key.parent.stat().st_mode)) == (0o600, 0o700)
    assert development_key(tmp_path).read_bytes() == content
    assert [path.name for path in key.parent.iterdir()] == ["development.jwk"]


def test_of_many_that_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    def made(_: int) -> bytes:
        make_development_key(tmp_path / FILE)
        return (tmp_path / FILE).read_bytes()

    with ThreadPoolExecutor(8) as pool:
        contents = set(pool.map(made, range(32)))
    assert len(contents) == 1
    assert [path.name for path in (tmp_path / "access").iterdir()] == ["development.jwk"]


def test_its_tokens_name_whom_they_are_for(tmp_path: Path) -> None:
    key, rules = development_key(tmp_path), TokenRules(issuer="https://id.example")
    token = development_token(key, CALLER, rules, NOW, 60)
    assert verifier_of(key, rules).caller_of(token) == Caller(
        "anna", frozenset({"clerk", "auditor"}), "acme", "t-1", NOW, NOW + 60
    )


def test_that_of_another_folder_and_other_algorithms_are_refused(tmp_path: Path) -> None:
    key, other = development_key(tmp_path / "one"), development_key(tmp_path / "two")
    for token in (token_for(other), rsa().token(), rsa().token({"kid": None})):
        with pytest.raises(Unauthenticated):
            verifier_of(key).caller_of(token)
    assert verifier_of(key).caller_of(sign(key, CLAIMS)).subject == "anna"


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    "content", [b"", b"{}", key_set(rsa()), json.dumps({"kty": "oct", "k": "c2hvcnQ"}).encode(), b'{"keys": []}']
)
def test_what_is_no_such_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(KeysUnusable):
        development_key_file(tmp_path / "key")


def test_a_folder_that_takes_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("a file in its place")
    with pytest.raises(KeysUnusable) as refusal:
        make_development_key(tmp_path / FILE)
    assert refusal.value.reason in ("File exists", "Not a directory")
