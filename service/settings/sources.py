"""Where settings come from, the strongest last: the file that FOLDSTREAM_CONFIG names, variables, options."""

from collections.abc import Iterable, Mapping

from service.settings.errors import SettingsError, refused_at, unknown_setting
from service.settings.given import Given
from service.settings.injected import is_injected
from service.settings.kind import Kind
from service.settings.text_file import uri_in_file
from service.settings.toml_file import given_in_file
from service.settings.variables import (
    CONFIG,
    IN_FILES,
    OPTIONS,
    PREFIX,
    file_variable_of,
    option_variable_of,
    variable_of,
    variables_for,
)


def given_by(variables: Mapping[str, str], kinds: Mapping[str, Kind]) -> dict[str, Given]:
    """What these variables, and the file that they name, give each setting. Empty ones count as not set.

    Raises SettingsError for the first that can't be used, and for a variable or a key that is no setting.
    """
    usable = {name: text for name, text in variables.items() if text and not is_injected(name, text)}
    _require_known(usable, kinds)
    own = {**_in_variables(usable, kinds), **_in_options(usable, kinds)}
    below = given_in_file(usable[CONFIG], kinds, own) if CONFIG in usable else {}
    return {**below, **own}


def _require_known(variables: Iterable[str], names: Iterable[str]) -> None:
    known = variables_for(names)
    unknown = sorted(name for name in variables if name.startswith(PREFIX) and name not in known)
    if unknown:
        without_prefix = [name.removeprefix(PREFIX) for name in known]
        raise unknown_setting(unknown[0], unknown[0].removeprefix(PREFIX), without_prefix, PREFIX)


def _in_variables(variables: Mapping[str, str], kinds: Mapping[str, Kind]) -> dict[str, Given]:
    texts = {name: variables.get(variable_of(name)) for name in kinds}
    files = {name: variables[file_variable_of(name)] for name in IN_FILES if file_variable_of(name) in variables}
    for name in files:
        if texts[name] is not None:
            raise SettingsError(file_variable_of(name), f"is set beside {variable_of(name)}")
    values = {
        **{variable_of(name): (name, text, _value_of) for name, text in texts.items() if text is not None},
        **{file_variable_of(name): (name, file, uri_in_file) for name, file in files.items()},
    }
    return {
        name: Given(value_of(kinds[name], variable, text), "environment", variable, variable)
        for variable, (name, text, value_of) in values.items()
    }


def _in_options(variables: Mapping[str, str], kinds: Mapping[str, Kind]) -> dict[str, Given]:
    texts = {name: variables.get(option_variable_of(name)) for name in OPTIONS}
    return {
        name: Given(_value_of(kinds[name], OPTIONS[name], text), "option", OPTIONS[name], OPTIONS[name])
        for name, text in texts.items()
        if text is not None
    }


def _value_of(kind: Kind, place: str, text: str) -> object:
    with refused_at(place):
        return kind.of_text(text)
