"""A small file of text that a setting names."""

from pathlib import Path
from typing import Final

from infrastructure.uri import kept_in
from service.settings.errors import SettingsError, refused_at
from service.settings.kind import Kind

_LONGEST: Final = 1024 * 1024  # bytes


def read_text_file(place: str, file: str) -> str:
    """The text of a file. Raises SettingsError at the `place` of the setting; it repeats none of the text."""
    try:
        with Path(file).open("rb") as opened:
            found = opened.read(_LONGEST + 1)
        if len(found) > _LONGEST:
            raise SettingsError(place, f"{file}: is larger than 1 MiB")
        return found.decode()
    except OSError as error:
        raise SettingsError(place, f"{file}: {(error.strerror or 'it can not be read').lower()}") from None
    except UnicodeDecodeError:
        raise SettingsError(place, f"{file}: is no text in UTF-8") from None


def uri_in_file(kind: Kind, place: str, file: str) -> str:
    """The URI that stands in a file, with that file, where its login is read again. Raises SettingsError."""
    with refused_at(place):
        return kept_in(str(kind.of_text(_secret_in(place, file))), file)


def _secret_in(place: str, file: str) -> str:
    """The text of a file without its last line break. Raises SettingsError, also for an empty one."""
    found = read_text_file(place, file).removesuffix("\n").removesuffix("\r")
    if not found:
        raise SettingsError(place, f"{file}: is empty")
    return found
