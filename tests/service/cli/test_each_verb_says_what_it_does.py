"""By an action that the policies are asked for before the verb does anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.access.action import Action
from service.cli.main import app
from service.errors import NotAllowed
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs
from tests.support.access import token_for
from tests.support.callers import KEY

SERVERS = {"serve", "api", "projections", "sagas", "eventstore", "redis"}
OPEN = {"demo", "replay", "sagas graph", "schema list"}
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


@pytest.mark.parametrize("words", ARGUMENTS)
def test_who_may_not_is_told_which_and_nothing_is_done(words: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(token_for(KEY, subject="ada", roles=["customer"]), encoding="utf-8")
    environment = {
        "FOLDSTREAM_TOKEN_FILE": str(token),
        "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY),
        "FOLDSTREAM_EVENTSTORE_URI": "esdb://127.0.0.1:1?tls=false",
    }
    said = CliRunner().invoke(app, [*words.split(), *ARGUMENTS[words], "--data", str(tmp_path)], env=environment)
    assert isinstance(said.exception, NotAllowed)
    assert str(said.exception) == f"the roles of ada do not allow {action_of(words)}"
    assert (said.stdout, list(tmp_path.iterdir())) == ("", [token])
