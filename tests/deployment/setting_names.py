"""Which variables are settings of ours."""

from service.settings import Settings, variable_of


def is_setting(variable: str) -> bool:
    """Whether a variable gives a setting, or names the file that does."""
    known = {variable_of(name) for name in Settings.model_fields}
    return variable in known or variable.removesuffix("_FILE") in known
