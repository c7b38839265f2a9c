"""`foldstream sagas check` ends with 3 where this build would not go on as the histories promise, else with 0."""

import json
from pathlib import Path
from typing import Any, Final

from typer.testing import Result

from service.cli.sagas.commands import app
from tests.infrastructure.sagas.fingerprints import RECORDED
from tests.service.cli.snapshots.command import ran

FILE: Final = "fulfilment.1.json"
COMPARED: Final = {"type": "fulfilment", "instances": 7, "open": 2, "turns": 6, "pending": 2}
NONE: Final = {"type": "booking", "instances": 0, "open": 0, "turns": 0, "pending": 0}


def checked(uri: str, *arguments: str) -> Result:
    return ran(uri, app, "check", *arguments)


def _changed(folder: Path, **changes: Any) -> Path:
    """Recorded histories of a release whose first pending command was another."""
    recorded = json.loads((RECORDED / FILE).read_text(encoding="utf-8"))
    recorded["histories"] = {"shipped": recorded["histories"]["shipped"]}
    recorded["histories"]["shipped"][0]["pending"][0] |= changes
    (folder / FILE).write_text(json.dumps(recorded), encoding="utf-8")
    return folder


def test_what_an_earlier_release_left_open_goes_on_as_it_began(store_uri: str) -> None:
    result = checked(store_uri, "--json")
    assert (result.return_value, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "sagas": [{**COMPARED, "recorded_histories": 26}, {**NONE, "recorded_histories": 34}],
        "differences": 0,
        "findings": [],
    }


def test_it_says_in_words_what_was_compared(store_uri: str, tmp_path: Path) -> None:
    result = checked(store_uri, "--samples", str(tmp_path))
    assert result.return_value == 0
    assert result.stdout == (
        "fulfilment: 2 of 7 instances are open; 6 decisions and 2 pending commands of theirs compared, and 0 recorded"
        " histories.\nbooking: 0 of 0 instances are open; 0 decisions and 0 pending commands of theirs compared, and 0"
        " recorded histories.\n0 differences.\n"
    )


def test_a_recorded_history_that_goes_on_otherwise_refuses_the_release(store_uri: str, tmp_path: Path) -> None:
    folder = str(_changed(tmp_path, step="reserve:first"))
    result = checked(store_uri, "--json", "--samples", folder)
    assert result.return_value == 3
    answer = json.loads(result.stdout)
    [finding] = answer["findings"]
    assert (answer["differences"], finding["instance"], finding["prefix"], finding["what"]) == (
        1,
        f"{FILE}: shipped",
        1,
        "command",
    )
    assert json.loads(finding["recorded"])[0] == {**json.loads(finding["today"])[0], "step": "reserve:first"}
    table = checked(store_uri, "--samples", folder)
    assert table.return_value == 3
    assert "reserve:first" in table.stdout
    assert table.stdout.splitlines()[-1] == "1 differences."


def test_a_file_that_is_no_recording_is_named(store_uri: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("[", encoding="utf-8")
    refused = str(checked(store_uri, "--samples", str(tmp_path)).exception)
    assert refused.startswith(f"the file {tmp_path / FILE} can't be used: it is no file of recorded decisions: JSON")
    nowhere = checked(store_uri, "--samples", str(tmp_path / "nowhere"))
    assert str(nowhere.exception) == f"the file {tmp_path / 'nowhere'} can't be used: it is no folder"
