"""`foldstream token`: a token of a data folder's development key, of whom it is asked for."""

import json
from pathlib import Path

import pytest
from typer.testing import Result

from infrastructure.access.caller import Caller
from infrastructure.access.verifier import TokenVerifier
from service.cli.operator_act import login_name
from service.cli.tokens.commands import app
from service.settings import Settings
from service.token_verifier import token_verifier
from tests.service.cli.snapshots.command import ran
from tests.support.access import development_key

KNOWN = "there are: customer, clerk, warehouse, auditor, operator, monitor, administrator"
NOWHERE = "esdb://127.0.0.1:1?tls=false"


def run(*arguments: str) -> Result:
    return ran(NOWHERE, app, *arguments)


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    return token_verifier(Settings(development_key=str(development_key(tmp_path))))


def test_alone_it_is_one_line_of_an_administrator_for_an_hour(tmp_path: Path, verifier: TokenVerifier) -> None:
    said = run("--data", str(tmp_path))
    assert (said.exception, said.stderr, said.stdout.count("\n")) == (None, "", 1)
    caller = verifier.caller_of(said.stdout.strip())
    assert caller == Caller(
        login_name(),
        frozenset({"administrator"}),
        token_id=caller.token_id,
        issued_at=caller.issued_at,
        expires_at=(caller.issued_at or 0) + 3600,
    )


def test_it_names_whom_it_is_asked_for(tmp_path: Path, verifier: TokenVerifier) -> None:
    asked = ("--subject", "anna", "--role", "clerk", "--role", "auditor", "--tenant", "acme", "--seconds", "60")
    said = run("--data", str(tmp_path), *asked, "--json")
    answer = json.loads(said.stdout)
    caller = verifier.caller_of(answer.pop("token"))
    assert (caller.subject, caller.roles, caller.tenant) == ("anna", frozenset({"clerk", "auditor"}), "acme")
    assert (caller.expires_at or 0) - (caller.issued_at or 0) == 60
    assert answer.pop("expires_at").endswith("Z")
    assert answer == {"subject": "anna", "roles": ["auditor", "clerk"], "tenant": "acme", "jti": caller.token_id}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--subject", "a b"), "the token's sub should be a text of 1 to 128 visible ASCII characters"),
        (("--tenant", "Acme"), "a tenant is a lower-case word of at most 32 characters, unlike 'Acme'"),
        (("--subject", "cli:ada"), "the token's sub begins with cli:, as of the command line without a token"),
        (("--role", ""), f"there is no role ''; {KNOWN}"),
        (("--role", "clerk", "--role", "manager"), f"there is no role 'manager'; {KNOWN}"),
    ],
)
def test_one_that_nobody_would_take_is_not_printed(
    tmp_path: Path, verifier: TokenVerifier, arguments: tuple[str, ...], reason: str
) -> None:
    said = run("--data", str(tmp_path), *arguments)
    assert (str(said.exception), said.stdout) == (reason, "")
    assert verifier.rules.audience == "foldstream"


def test_without_a_key_it_says_how_one_is_made(tmp_path: Path) -> None:
    said = run("--data", str(tmp_path))
    assert str(said.exception).startswith(
        f"there is no development key in the folder {tmp_path}: `foldstream serve --data {tmp_path}` makes one"
    )
    assert said.stdout == ""
