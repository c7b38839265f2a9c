"""`foldstream token revoke`: what is recorded, what is refused, and that the command line heeds it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated
from infrastructure.access.revocations import REVOCATIONS_STREAM, Revocation
from service.cli.callers import caller_of_command_line
from service.cli.operator_act import Act
from service.cli.tokens.commands import app
from service.errors import FileUnusable
from service.settings import Settings
from tests.service.cli.snapshots.command import Store, ran
from tests.support.access import development_key, token_for

WHY = ("--why", "a lost laptop")


def last_word(store: Store) -> Revocation:
    return Revocation.model_validate_json((store.records(REVOCATIONS_STREAM) or [])[-1].data)


def test_by_id_and_by_subject_it_is_recorded_with_who_and_why(store: Store) -> None:
    began = datetime.now(UTC)
    by_id = ran(store.uri, app, "revoke", "--jti", "t-1", *WHY)
    assert (by_id.exception, by_id.stdout) == (None, "The token t-1 is revoked.\n")
    found = last_word(store)
    assert (found.token_id, found.subject, found.before, found.actor, found.why) == (
        *("t-1", None, None),
        *(Act(None).actor, "a lost laptop"),
    )
    assert found.until - found.at == timedelta(days=366, seconds=300)
    by_subject = ran(store.uri, app, "revoke", "--subject", "anna", "--tenant", "acme", *WHY, "--json")
    assert json.loads(by_subject.stdout) == {"jti": None, "subject": "anna", "tenant": "acme"}
    found = last_word(store)
    assert (found.token_id, found.subject, found.tenant) == (None, "anna", "acme")
    assert found.before == found.at >= began
    ran(store.uri, app, "revoke", "--subject", "anna", "--before", "2026-01-01T00:00:00Z", *WHY)
    assert last_word(store).before == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "give either --jti ID or --subject TEXT"),
        (("--jti", "a", "--subject", "b"), "give either --jti ID or --subject TEXT"),
        (("--jti", "a b"), "a token's id and its subject are 1 to 128 visible ASCII characters"),
        (("--subject", ""), "a token's id and its subject are 1 to 128 visible ASCII characters"),
        (("--jti", "a", "--before", "2h"), "--before is a time that has passed, and goes with --subject"),
        (("--subject", "a", "--before", "2999-01-01"), "--before is a time that has passed, and goes with --subject"),
        (("--subject", "a", "--tenant", "A"), "a tenant is a lower-case word of at most 32 characters, unlike 'A'"),
    ],
)
def test_what_names_no_token_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    said = ran("esdb://127.0.0.1:1?tls=false", app, "revoke", *arguments, *WHY)
    assert (str(said.exception), said.stdout) == (reason, "")


def test_the_command_line_is_the_login_name_or_the_subject_of_its_token(tmp_path: Path, store: Store) -> None:
    key, file = development_key(tmp_path), tmp_path / "token"
    file.write_text(token_for(key, subject="backup-job", roles=["operator"]) + "\n")
    settings = Settings(eventstore_uri=store.uri, development_key=str(key))
    alone = Caller(Act(None).actor, frozenset({"operator", "administrator"}))
    assert caller_of_command_line(settings) == alone
    presenting = settings.model_copy(update={"token_file": str(file)})
    caller = caller_of_command_line(presenting)
    assert (caller.subject, caller.roles, caller.tenant) == ("backup-job", frozenset({"operator"}), "default")
    assert ran(store.uri, app, "revoke", "--jti", str(caller.token_id), *WHY).exception is None
    with pytest.raises(Unauthenticated, match="the token was revoked"):
        caller_of_command_line(presenting)


def test_a_file_without_a_token_is_refused(tmp_path: Path) -> None:
    key, file = development_key(tmp_path), tmp_path / "token"
    settings = Settings(development_key=str(key), token_file=str(file))
    with pytest.raises(FileUnusable, match="No such file or directory"):
        caller_of_command_line(settings)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FileUnusable, match="there is no token in it"):
        caller_of_command_line(settings)
    file.write_text("nothing")
    with pytest.raises(Unauthenticated):
        caller_of_command_line(settings)
