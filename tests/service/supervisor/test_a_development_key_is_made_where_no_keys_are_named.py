"""`serve` makes a development key in its folder and gives it to its processes, but where keys are named or required."""

from pathlib import Path

from structlog.testing import capture_logs

from infrastructure.access.development_key import FILE
from service.settings import Settings
from service.supervisor.development_key import announce_token, with_development_key
from service.supervisor.programs import ServeContext, workers
from service.token_verifier import token_verifier
from tests.support.access import token_for
from tests.support.processes import FOLDSTREAM, Listened


def test_it_is_made_and_taken_by_the_processes_that_serve(tmp_path: Path) -> None:
    settings = with_development_key(Settings(), tmp_path)
    assert settings == Settings(development_key=str(tmp_path / FILE))
    assert token_verifier(settings).caller_of(token_for(tmp_path / FILE)).subject == "tester"
    context = ServeContext(tmp_path, settings, Path("redis.sock"), 2113, 3, "http://127.0.0.1:1", 4, 5, "json")
    given = [program.variables["FOLDSTREAM_DEVELOPMENT_KEY"] for program in workers(context)]
    assert given == [str(tmp_path / FILE)] * len(workers(context))


def test_none_is_made_where_keys_are_named_or_it_is_production(tmp_path: Path) -> None:
    for settings in (Settings(access_keys="keys"), Settings(production=True), Settings(development_key="key")):
        assert with_development_key(settings, tmp_path) == settings
    assert list(tmp_path.iterdir()) == []


def test_where_the_output_is_no_terminal_no_token_is_printed_but_the_way_to_one(tmp_path: Path) -> None:
    settings = with_development_key(Settings(), tmp_path)
    with capture_logs() as lines:
        announce_token(settings, tmp_path)
        announce_token(Settings(), tmp_path)
    assert lines == [
        {"event": "development_key_used", "log_level": "info", "token": f"foldstream token --data {tmp_path}"}
    ]


def test_in_production_nothing_starts_without_keys(tmp_path: Path) -> None:
    commands = [("serve", "--port", "0", "--data", str(tmp_path)), ("api", "--port", "0")]
    servers = {
        "FOLDSTREAM_EVENTSTORE_URI": "esdb://127.0.0.1:1?tls=false",
        "FOLDSTREAM_REDIS_URI": "redis://127.0.0.1:1/0",
    }
    for command in commands:
        process = Listened((*FOLDSTREAM, *command), {**servers, "FOLDSTREAM_PRODUCTION": "yes"})
        assert process.wait(within=60) == 2
        said = "FOLDSTREAM_ACCESS_KEYS: is not set; in production it names the keys of the tokens"
        assert process.errors == [f"foldstream {command[0]}: {said}"]
    assert list(tmp_path.iterdir()) == []
