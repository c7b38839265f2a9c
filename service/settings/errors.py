"""The refusal of a setting."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class SettingsError(Exception):
    """A setting that can't be used; one line says which and why, without its value, which may hold a password.

    `place` is where it is to be changed: a variable, an option, or a file with its key or line.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@contextmanager
def refused_at(place: str) -> Iterator[None]:
    """Raises SettingsError, with this place, for the ValueError that leaves the block."""
    try:
        yield
    except ValueError as error:
        raise SettingsError(place, str(error)) from None


def unknown_setting(place: str, name: str, known: Iterable[str], prefix: str = "") -> SettingsError:
    """The refusal of what is no setting; it names the known one that is nearest. All names lack the `prefix`."""
    near = get_close_matches(name, known, n=1)
    hint = f"the nearest is {prefix}{near[0]}" if near else "docs/settings.md lists all"
    return SettingsError(place, f"is no setting; {hint}")
