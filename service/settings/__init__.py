"""What a deployment may choose, read once from the environment; nothing else reads it."""

from service.settings.errors import SettingsError
from service.settings.model import Settings, unknown_variables
from service.settings.numbers import PerProjection
from service.settings.variables import override, variable_of

__all__ = ["PerProjection", "Settings", "SettingsError", "override", "unknown_variables", "variable_of"]
