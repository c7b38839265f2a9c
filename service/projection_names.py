"""The projections by their names, as settings and the command line give them: each has to be one of those that run."""

from collections.abc import Collection
from typing import Any

from projections.projection import Projection
from service.consumers import PROJECTIONS
from service.settings import Settings, SettingsError


class UnknownProjection(Exception):
    """There is none of that name; what is said names those that there are."""


def named_projections(names: Collection[str]) -> list[Projection[Any]]:
    """Each of them once, in this order. Raises UnknownProjection for the first name of none."""
    known = {projection.name: projection for projection in PROJECTIONS}
    if unknown := [name for name in names if name not in known]:
        raise UnknownProjection(f"there is no projection {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def require_known_projections(settings: Settings) -> None:
    """Raises SettingsError for the first setting that names a projection that there is not."""
    named: dict[str, Collection[str]] = {
        "skip_unreadable": settings.skip_unreadable,
        "priorities": settings.priorities,
        "lag_events": settings.lag_events.exceptions,
        "lag_seconds": settings.lag_seconds.exceptions,
    }
    for setting, names in named.items():
        try:
            named_projections(names)
        except UnknownProjection as error:
            raise SettingsError(settings.place_of(setting), str(error)) from None
