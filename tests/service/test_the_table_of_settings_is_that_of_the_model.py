"""docs/settings.md has a row for each setting: what it may be, what holds without it, and what it does."""

from service.settings import Settings
from tests.service.settings_table import DOCUMENT, document


def test_the_document_has_the_table_that_the_model_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_setting_says_what_it_does() -> None:
    fields = Settings.model_fields.items()
    assert [name for name, field in fields if not (field.description or "").endswith(".")] == []
