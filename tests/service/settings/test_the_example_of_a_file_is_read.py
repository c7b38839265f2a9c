"""The file that docs/settings.md shows is one that can be used, and gives what it says."""

import re
from pathlib import Path

from infrastructure.uri import kept_in
from service.settings import PerProjection, Settings
from tests.service.settings_table import DOCUMENT


def test_the_example_gives_these_settings(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "foldstream.toml").write_text(example, encoding="utf-8")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "eventstore").write_text("esdb://app:secret@store:2113", encoding="utf-8")
    assert Settings.from_mapping({"FOLDSTREAM_CONFIG": str(tmp_path / "foldstream.toml")}) == Settings(
        eventstore_uri=kept_in("esdb://app:secret@store:2113", str(tmp_path / "secrets" / "eventstore")),
        redis_uri="redis://redis:6379/0",
        command_seconds=4,
        production=True,
        access_keys="https://id.example/keys.json",
        priorities=("order_summary",),
        lag_events=PerProjection(500, {"stock_levels": 50}),
    )
