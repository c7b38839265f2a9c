"""By an action that the policies are asked for before the verb does anything."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infrastructure.terminal import print_line
from service.access.action import Action
from service.cli.main import app
from service.cli.operator_act import Act
from service.cli.verbs import verb, verb_group
from service.errors import NotAllowed
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs
from tests.support.access import token_for
from tests.support.callers import KEY
from tests.support.commands import ran
from tests.support.processes import FOLDSTREAM, Listened

SERVERS = {"serve", "api", "projections", "sagas", "eventstore", "redis"}
OPEN = {"config", "demo", "health", "replay", "sagas graph", "schema list", "spans"}
VERBS = {words: command for words, command in verbs().items() if words not in SERVERS}


def action_of(words: str) -> Action | str | None:
    """None where it declares none."""
    found: Action | str | None = getattr(getattr(VERBS[words].callback, "__wrapped__", None), "action", None)
    return found


@pytest.mark.parametrize("words", VERBS)
def test_every_verb_declares_one(words: str) -> None:
    assert (action_of(words) == "open") == (words in OPEN)
    assert words in OPEN or action_of(words) in set(Action)


ARGUMENTS = {
    "lag": (),
    "parked list": (),
    "rebuild": ("order_summary", "--why", "a mistake", "--yes"),
    "history": ("stock:mug",),
}


def presenting(folder: Path, **claims: Any) -> dict[str, str]:
    """The settings of whoever presents a token with these claims, kept in this folder."""
    token = folder / "token"
    token.write_text(token_for(KEY, **claims), encoding="utf-8")
    return {"FOLDSTREAM_TOKEN_FILE": str(token), "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}


@pytest.mark.parametrize("words", ARGUMENTS)
@pytest.mark.parametrize("claims", [{"roles": ["customer"]}, {"roles": ["monitor"], "tenant": "acme"}])
def test_who_may_not_is_told_which_and_nothing_is_done(words: str, claims: dict[str, Any], tmp_path: Path) -> None:
    settings = presenting(tmp_path, subject="ada", **claims)
    said = CliRunner().invoke(app, [*words.split(), *ARGUMENTS[words], "--data", str(tmp_path)], env=settings)
    assert isinstance(said.exception, NotAllowed)
    assert str(said.exception) == f"the roles of ada do not allow {action_of(words)}"
    assert (said.stdout, [each.name for each in tmp_path.iterdir()]) == ("", ["token"])


def test_it_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    settings = presenting(tmp_path, subject="ada", roles=["auditor"])
    process = Listened((*FOLDSTREAM, "parked", "list", "--data", str(tmp_path)), settings)
    assert process.wait(within=30) == 1
    assert process.output == []
    assert process.errors == ["foldstream parked: the roles of ada do not allow read-parked"]


@pytest.mark.parametrize(
    ("tenant", "words", "action"),
    [
        ("acme", ("history", "order-0", "--tenant", "zeta"), "read-history"),
        ("default", ("trace", "1f7f2a3e-6a56-4f3c-9d55-0c3f6f8f7a11", "--tenant", "acme"), "read-trace"),
        ("acme", ("sagas", "show", "fulfilment", "1f7f2a3e-6a56-4f3c-9d55-0c3f6f8f7a11"), "read-saga"),
        ("default", ("history", "acme.order-0"), "read-history"),
        ("default", ("export", "acme.stock:mug"), "export-history"),
        ("acme", ("history", "order-0"), "read-history"),
    ],
)
def test_a_token_is_for_its_tenant_alone(tmp_path: Path, tenant: str, words: tuple[str, ...], action: str) -> None:
    settings = presenting(tmp_path, subject="ada", roles=["auditor"], tenant=tenant)
    ended = ran(*words, "--data", str(tmp_path), **settings)
    assert (ended.code, ended.errors) == (1, [f"foldstream {words[0]}: the roles of ada do not allow {action}"])


def test_what_is_done_is_done_by_the_token_s_subject(tmp_path: Path) -> None:
    group = verb_group("Says who acts.")

    @verb(group, action=Action.READ_POISON, example="who")
    def who() -> int:
        print_line(Act("somebody asked").actor)
        return 0

    said = CliRunner().invoke(group, ["who"], env=presenting(tmp_path, subject="olga", roles=["operator"]))
    assert said.stdout == "olga\n"
    assert Act(None).actor.startswith("cli:")
