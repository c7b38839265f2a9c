"""The refusal of a setting."""


class SettingsError(Exception):
    """A setting that can't be used; one line says which and why, without its value, which may hold a password."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason
