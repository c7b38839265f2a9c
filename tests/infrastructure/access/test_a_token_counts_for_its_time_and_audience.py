"""Times within a leeway, an audience, an issuer, a subject, roles and a tenant: what claims may say."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules, caller_in
from infrastructure.access.errors import Unauthenticated
from infrastructure.access.key_file import development_key_file
from infrastructure.access.verifier import TokenVerifier
from tests.infrastructure.access.issuer import CLAIMS, NOW, Issuer, rsa
from tests.support.access import development_key
from tests.support.clock import Clock

YEAR = 366 * 86_400
EXPIRED = "the token has expired"
AUDIENCE = "the token is for another audience"
ISSUER = "the token is from another issuer"
RULES = TokenRules()


def refusal(claims: dict[str, object], rules: TokenRules = RULES, now: float = NOW) -> str | None:
    """Why these claims are refused, None where they are taken."""
    try:
        caller_in({**CLAIMS, **claims}, rules, now)
    except Unauthenticated as error:
        return error.reason
    return None


def test_a_token_ends_with_its_time_and_the_leeway(verifier: TokenVerifier, clock: Clock) -> None:
    token = rsa().token(exp=NOW)
    clock.now = NOW + 29.9
    assert verifier.caller_of(token).subject == "anna"
    clock.now = NOW + 30
    with pytest.raises(Unauthenticated, match=EXPIRED):
        verifier.caller_of(token)


def test_more_tokens_than_are_remembered_are_all_told_apart(tmp_path: Path) -> None:
    key = development_key(tmp_path)
    verifier = TokenVerifier(development_key_file(key))
    signing = development_key_file(key).current().keys[0]
    subjects = [f"s-{number}" for number in range(4_200)]
    tokens = [Issuer(signing, "HS256").token(sub=subject, exp=time() + 600) for subject in subjects]
    assert [verifier.caller_of(token).subject for token in tokens] == subjects
    assert [verifier.caller_of(token).subject for token in (tokens[0], tokens[-1])] == [subjects[0], subjects[-1]]


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_begins_with_its_time_but_the_leeway(name: str) -> None:
    assert refusal({name: NOW + 30}) is None
    assert refusal({name: NOW + 30.5}) == f"the token is not valid yet ({name})"
    assert refusal({name: NOW + 1}, TokenRules(leeway=0)) == f"the token is not valid yet ({name})"


def test_a_token_has_to_end_within_a_year() -> None:
    assert refusal({"exp": NOW + YEAR}) is None
    assert refusal({"exp": NOW + YEAR + 1}) == "the token expires more than 366 days from now"
    without = {name: value for name, value in CLAIMS.items() if name != "exp"}
    with pytest.raises(Unauthenticated, match="does not say when it expires"):
        caller_in(without, RULES, NOW)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, "1800000000", None, -1, 1e12, float("inf"), [NOW], {}])
def test_a_time_is_a_number_of_seconds(name: str, value: object) -> None:
    assert refusal({name: value}) == f"the token's {name} should be a number of seconds since 1970"


@pytest.mark.parametrize(
    ("audience", "reason"),
    [
        ("foldstream", None),
        (["other", "foldstream"], None),
        ("Foldstream", AUDIENCE),
        ("foldstream2", AUDIENCE),
        ([], AUDIENCE),
        (None, AUDIENCE),
        ({"foldstream": 1}, AUDIENCE),
        ([["foldstream"]], AUDIENCE),
    ],
)
def test_a_token_is_for_this_service(audience: object, reason: str | None) -> None:
    assert refusal({"aud": audience}) == reason


def test_a_token_is_from_the_issuer_that_is_set() -> None:
    ours = replace(RULES, issuer="https://id.example")
    assert refusal({"iss": "https://id.example"}, ours) is None
    assert [refusal({"iss": other}, ours) for other in ("https://id.example/", None, ["https://id.example"])] == [
        ISSUER
    ] * 3
    assert refusal({}, ours) == ISSUER


@pytest.mark.parametrize("subject", ["anonymous", "saga:fulfilment"])
def test_nobody_is_called_as_the_service_calls_itself(subject: str) -> None:
    assert refusal({"sub": subject}) == "the token's sub is the name of a part of the service"


def test_nobody_with_a_token_is_called_as_those_without_one_are() -> None:
    said = "the token's sub begins with cli:, as of the command line without a token"
    assert [refusal({"sub": subject}) for subject in ("cli:ada", "cli:")] == [said, said]


@pytest.mark.parametrize("subject", ["", " ", "a b", "a\n", "x" * 129, "änna", "anna\u202e", None, 7, ["anna"]])
def test_a_subject_is_a_visible_text(subject: object) -> None:
    said = "should be a text of 1 to 128 visible ASCII characters"
    assert refusal({"sub": subject}) == f"the token's sub {said}"
    assert refusal({"jti": subject}) == f"the token's jti {said}"


@pytest.mark.parametrize("roles", ["administrator", None, [1], [["clerk"]], [""], ["a b"], ["r" * 65], ["r"] * 33, {}])
def test_roles_are_a_list_of_names(roles: object) -> None:
    assert refusal({"roles": roles}) == "the token's roles should be a list of at most 32 names"


@pytest.mark.parametrize("tenant", ["", "Acme", "a.b", "a-b", "9a", "a" * 33, None, 7, ["acme"]])
def test_a_tenant_is_a_lower_case_word(tenant: object) -> None:
    assert refusal({"tenant": tenant}) == "the token's tenant should be a lower-case word of at most 32 characters"


def test_a_caller_is_what_the_claims_say() -> None:
    claims = {**CLAIMS, "tenant": "acme", "jti": "t-1", "iat": NOW - 5, "roles": ["clerk", "clerk", "auditor"]}
    assert caller_in(claims, RULES, NOW) == Caller(
        "anna", frozenset({"clerk", "auditor"}), "acme", "t-1", NOW - 5, NOW + 600
    )
    bare = {"sub": "anna", "aud": "foldstream", "exp": NOW + 1}
    assert caller_in(bare, RULES, NOW) == Caller("anna", frozenset(), "default", None, None, NOW + 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["foldstream", "default"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["sub", "roles", "tenant", "aud", "iss", "exp", "nbf", "iat", "jti", "other"])


def is_what_was_said(caller: Caller, claims: Mapping[str, Any]) -> bool:
    return (
        (caller.subject, caller.tenant) == (claims["sub"], claims.get("tenant", "default"))
        and sorted(caller.roles) == sorted(set(claims["roles"]))
        and NOW - RULES.leeway < (caller.expires_at or 0) <= NOW + YEAR
    )


@given(st.dictionaries(NAMES, JSON))
def test_whatever_the_claims_are_they_are_refused_or_name_a_well_formed_caller(claims: dict[str, object]) -> None:
    said = {**CLAIMS, **claims}
    reason = refusal(claims)
    assert reason is None or reason.startswith("the token")
    assert reason is not None or is_what_was_said(caller_in(said, RULES, NOW), said)
