"""The file of settings, in TOML: each key is the name of a setting, in small letters."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from service.settings.errors import SettingsError, refused_at, unknown_setting
from service.settings.given import Given
from service.settings.kind import Kind
from service.settings.text_file import read_text_file, uri_in_file
from service.settings.texts import FilePath
from service.settings.variables import CONFIG, IN_FILES, PREFIX, file_key_of

_AT_LINE: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")


def given_in_file(file: str, kinds: Mapping[str, Kind], over: Mapping[str, object]) -> dict[str, Given]:
    """What a file gives, by setting. Raises SettingsError for the first that can't be used, and for unknown keys.

    Paths in it are relative to its folder. The files of settings that are given `over` it are not read.
    """
    found = _parsed(file)
    known = {**kinds, **{file_key_of(name): FilePath() for name in IN_FILES}}
    values = {key: _value_of(file, key, value, known) for key, value in found.items()}
    for name in IN_FILES:
        secret = values.pop(file_key_of(name), None)
        if secret is not None and name in values:
            raise SettingsError(_place(file, file_key_of(name)), f"is set beside {name}")
        if secret is not None and name not in over:
            values[name] = uri_in_file(kinds[name], _place(file, file_key_of(name)), str(secret))
    return {name: Given(value, "file", file, _place(file, name)) for name, value in values.items()}


def _value_of(file: str, key: str, value: object, known: Mapping[str, Kind]) -> object:
    if key not in known:
        raise unknown_setting(_place(file, key), key.lower().removeprefix(PREFIX.lower()), known)
    with refused_at(_place(file, key)):
        return known[key].of_toml(value, Path(file).parent)


def _place(file: str, key: str) -> str:
    return f"{file}: {key}"


def _parsed(file: str) -> dict[str, Any]:
    text = read_text_file(CONFIG, file)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(file, "is nested too deeply") from None
    except ValueError as error:
        said = _AT_LINE.fullmatch(str(error))
        reason, line = (str(error), None) if said is None else (said[1], said[2] or str(text.count("\n") + 1))
        place = file if line is None else f"{file}: line {line}"
        raise SettingsError(place, f"is no TOML: {reason[:1].lower()}{reason[1:]}") from None
