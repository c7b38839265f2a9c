"""The units that systemd runs are understood by it, and fit the program, its settings and its bounds."""

from pathlib import Path
from typing import Final

import pytest

from service.settings import Settings
from service.supervisor.programs import Program
from tests.deployment.setting_names import is_setting
from tests.deployment.systemd_units import (
    FOLDER,
    INSTALLED,
    PROGRAM,
    SERVICES,
    analyzed,
    installed,
    value,
    values,
    variables,
)
from tests.support.command_lines import refusal

VERBS: Final = {
    "foldstream-api.service": ["api", "--listen", "3"],
    "foldstream-projections@.service": ["projections"],
    "foldstream-sagas@.service": ["sagas"],
}
EXPOSURE: Final = 20  # of 100: at most "2.0 OK" by systemd's own reckoning
STOP_SECONDS: Final = Program("any", ()).grace  # what `serve` leaves to a process, too


def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    said = analyzed("verify", "--man=no", *installed(tmp_path))
    assert (said.returncode, [line for line in said.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


def test_a_line_that_systemd_does_not_understand_is_found(tmp_path: Path) -> None:
    *_, sagas = installed(tmp_path)
    sagas.write_text(sagas.read_text(encoding="utf-8").replace("NoNewPrivileges=", "NoNewPrivilege="), encoding="utf-8")
    said = analyzed("verify", "--man=no", sagas)
    assert [line for line in said.stderr.splitlines() if "'NoNewPrivilege'" in line] != []


@pytest.mark.parametrize("number", range(len(SERVICES)), ids=SERVICES)
def test_systemd_finds_little_that_a_service_may_do(number: int, tmp_path: Path) -> None:
    unit = installed(tmp_path)[-len(SERVICES) :][number]
    said = analyzed("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", unit)
    assert said.returncode == 0, said.stdout.splitlines()[-1:]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_runs_a_verb_that_there_is(unit: str) -> None:
    program, *words = value(unit, "ExecStart").split()
    assert (program, words, refusal(words)) == (PROGRAM, VERBS[unit], None)


@pytest.mark.parametrize("unit", SERVICES)
def test_its_settings_exist_and_can_be_used(unit: str) -> None:
    given = {name: text.replace("%i", "9") for name, text in variables(unit).items()}
    assert [name for name in given if not is_setting(name)] == []
    assert Settings.from_mapping({n: text for n, text in given.items() if "%d" not in text}).production is True


@pytest.mark.parametrize("unit", SERVICES)
def test_addresses_are_credentials_and_stand_in_no_environment(unit: str) -> None:
    loaded = {line.split(":")[0] for line in values(unit, "LoadCredential")}
    named = {text for name, text in variables(unit).items() if name.endswith("_URI_FILE")}
    assert named == {f"%d/{name}" for name in loaded} == {"%d/eventstore-uri", "%d/redis-uri"}


@pytest.mark.parametrize("unit", SERVICES)
def test_it_is_stopped_in_the_time_that_it_may_take_and_started_again_where_that_helps(unit: str) -> None:
    assert int(value(unit, "TimeoutStopSec")) >= 2 * STOP_SECONDS
    assert [value(unit, name) for name in ("KillSignal", "Restart", "RestartPreventExitStatus")] == [
        "SIGTERM",
        "on-failure",
        "2",
    ]


def test_all_belong_to_one_target_and_the_api_to_its_socket() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.suffix not in {".conf", ".example"}) == sorted(
        INSTALLED
    )
    parts = [unit for unit in INSTALLED if unit != "foldstream.target"]
    assert {value(unit, "PartOf") for unit in parts} == {value(unit, "WantedBy") for unit in SERVICES}
    assert value("foldstream-api.service", "Requires") == "foldstream-api.socket"
    assert value("foldstream-api.socket", "ListenStream") == "127.0.0.1:8000"


@pytest.mark.parametrize("unit", SERVICES)
def test_its_user_is_one_that_is_made(unit: str) -> None:
    [made] = [line.split() for line in (FOLDER / "foldstream.sysusers.conf").read_text().splitlines() if line[0] != "#"]
    assert (made[0], value(unit, "User"), value(unit, "Group")) == ("u", made[1], made[1])
