"""Writes the table of all settings into docs/settings.md: `python -m tests.service.settings_table`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from service.settings import Settings, variable_of
from service.settings.kind import WhenUnset
from service.settings.model import KINDS
from service.settings.variables import CONFIG, IN_FILES, file_variable_of

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "settings.md"
BEGIN: Final = "<!-- from here on as `python -m tests.service.settings_table` writes it -->\n"
END: Final = "<!-- to here -->\n"
_HEAD: Final = (("variable", "default", "allowed", "what it does"), ("---",) * 4)
_OF_CONFIG: Final = "The [file of settings](#in-a-file). It can't stand in itself."
_OF_FILES: Final = (
    "A file with the URI, in place of the variable, as containers are given secrets: the password stands in no"
    " environment and no list of processes. Its login is [read again](operations.md#a-password-changes) when the file"
    " changes, all else of it when a process starts; the end of its last line does not count."
)


def table() -> str:
    """A row for each setting, in the order of the model."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (*_HEAD, *_rows()))


def document() -> str:
    """The whole document with the table as the model says it."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{DOCUMENT} has no place for the table"
    return f"{before}{BEGIN}{table()}{END}{after}"


def _rows() -> Iterator[Iterable[str]]:
    yield f"`{CONFIG}`", "none", "a file", _OF_CONFIG
    for name, field in Settings.model_fields.items():
        yield f"`{variable_of(name)}`", _default_of(name), KINDS[name].allowed, str(field.description)
        if name == IN_FILES[-1]:
            yield ", ".join(f"`{file_variable_of(each)}`" for each in IN_FILES), "none", "a file", _OF_FILES


def _default_of(name: str) -> str:
    field = Settings.model_fields[name]
    unset = next((each.text for each in field.metadata if isinstance(each, WhenUnset)), None)
    if field.default is None or field.default == ():
        return "none" if unset is None else f"none: {unset}"
    return f"`{KINDS[name].shown(field.default)}`"


def main() -> None:
    """Writes it anew."""
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
