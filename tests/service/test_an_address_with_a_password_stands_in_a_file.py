"""The URI of a server, which holds its password, may stand in a file that a variable names."""

from pathlib import Path

import pytest

from service.settings import Settings, SettingsError

STORE, REDIS = "FOLDSTREAM_EVENTSTORE_URI", "FOLDSTREAM_REDIS_URI"
SECRET = "s3cr3t"


def test_both_servers_may_be_named_so(tmp_path: Path) -> None:
    """Each says in which file its login is read again."""
    store, redis = tmp_path / "store", tmp_path / "redis"
    store.write_text(f"esdb://app:{SECRET}@store:2113\n", encoding="utf-8")
    redis.write_text(f"rediss://app:{SECRET}@redis:6379/1", encoding="utf-8")
    variables = {f"{STORE}_FILE": str(store), f"{REDIS}_FILE": str(redis)}
    assert Settings.from_mapping(variables) == Settings(
        eventstore_uri=f"esdb://app:{SECRET}@store:2113#{store}",
        redis_uri=f"rediss://app:{SECRET}@redis:6379/1#{redis}",
    )


@pytest.mark.parametrize("variable", [STORE, REDIS])
def test_what_can_t_be_used_is_refused_by_its_file_and_without_its_content(variable: str, tmp_path: Path) -> None:
    missing, empty, binary, wrong = (tmp_path / name for name in ("missing", "empty", "binary", "wrong"))
    empty.write_text("\n", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe")
    wrong.write_text(f"http://app:{SECRET}@host", encoding="utf-8")
    named = f"{variable}_FILE"
    assert refusal({named: str(missing)}) == f"{named}: {missing}: no such file or directory"
    assert refusal({named: str(empty)}) == f"{named}: {empty}: is empty"
    assert refusal({named: str(binary)}) == f"{named}: {binary}: is no text in UTF-8"
    assert refusal({named: str(wrong), variable: "x"}) == f"{named}: is set beside {variable}"
    assert SECRET not in refusal({named: str(wrong)})


def refusal(variables: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping(variables)
    return str(refused.value)
