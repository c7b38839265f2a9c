"""What a deployment may choose, read once from a file, the environment and options; nothing else reads these."""

from service.settings.errors import SettingsError
from service.settings.model import VARIABLES, Settings, given_settings
from service.settings.numbers import PerProjection
from service.settings.variables import override, variable_of

__all__ = [
    "VARIABLES",
    "PerProjection",
    "Settings",
    "SettingsError",
    "given_settings",
    "override",
    "variable_of",
]
