"""The environment, which nothing else reads, and how the variables of settings are called in it."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

PREFIX: Final = "FOLDSTREAM_"
CONFIG: Final = f"{PREFIX}CONFIG"
"""The variable that names the file of settings."""
IN_FILES: Final = ("eventstore_uri", "redis_uri")
"""The settings that hold a password, which a file of its own may have."""
OPTIONS: Final[Mapping[str, str]] = {"eventstore_uri": "--eventstore", "redis_uri": "--redis"}
"""The settings that an option of the command line may give."""


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def file_key_of(name: str) -> str:
    """What the path of a setting's own file is called, as if it were a setting."""
    return f"{name}_file"


def file_variable_of(name: str) -> str:
    """The environment variable that names a setting's own file."""
    return variable_of(file_key_of(name))


def option_variable_of(name: str) -> str:
    """The environment variable by which processes are told what an option of the command line said."""
    return f"{PREFIX}OPTION_{name.upper()}"


def variables_for(names: Iterable[str]) -> list[str]:
    """All variables that are read for these settings."""
    return [CONFIG, *map(variable_of, names), *map(file_variable_of, IN_FILES), *map(option_variable_of, OPTIONS)]


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ  # noqa: TID251 - the one place that reads the environment


def give(variables: Mapping[str, str]) -> None:
    """Sets variables of this process, as whoever had executed it would have set them."""
    os.environ.update(variables)  # noqa: TID251 - as above


def override(name: str, value: str) -> None:
    """Sets a setting for this process and those that it starts, as an option of the command line asks."""
    os.environ[option_variable_of(name)] = value  # noqa: TID251 - what processes that it starts inherit
