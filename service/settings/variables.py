"""The environment, which nothing else reads, and how the variables of settings are called in it."""

import os
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "FOLDSTREAM_"
IN_FILES: Final = ("eventstore_uri", "redis_uri")
"""The settings that hold a password, which a file may have in place of the variable."""


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def file_variable_of(name: str) -> str:
    """The environment variable that names the file of a setting."""
    return f"{variable_of(name)}_FILE"


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ  # noqa: TID251 - the one place that reads the environment


def override(name: str, value: str) -> None:
    """Sets a setting for this process and those that it starts, as the command line asks."""
    os.environ.pop(file_variable_of(name), None)  # noqa: TID251 - an option counts as its variable, over a file
    os.environ[variable_of(name)] = value  # noqa: TID251 - as above
