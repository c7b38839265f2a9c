"""The command `foldstream config`: each setting, its value and where that comes from."""

from infrastructure.terminal import print_json
from service.projection_names import require_known_projections
from service.settings import Settings, given_settings
from service.settings.given import Given
from service.settings.model import KINDS
from service.tables import print_table


def print_settings(*, as_json: bool) -> int:
    """Prints what this process and its children would use. Raises SettingsError for the first that can't be used."""
    settings = given_settings()
    require_known_projections(Settings.from_given(settings))
    if as_json:
        print_json({"settings": [_as_json(name, given) for name, given in settings.items()]})
    else:
        rows = ([name, _shown(name, given.value), _origin(given)] for name, given in settings.items())
        print_table(("setting", "value", "from"), rows)
    return 0


def _as_json(name: str, given: Given) -> dict[str, object]:
    value = None if given.value is None else KINDS[name].as_json(given.value)
    return {"name": name, "value": value, "source": given.source, "by": given.by}


def _shown(name: str, value: object) -> str:
    return "none" if value is None or value == () else KINDS[name].shown(value)


def _origin(given: Given) -> str:
    return given.source if given.by is None else f"{given.source} {given.by}"
