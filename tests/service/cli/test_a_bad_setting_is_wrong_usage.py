"""What can't be used as a setting ends with 2 and one line that names it, whether an option or a variable gave it."""

from typing import Final

import pytest

from service.settings import variable_of
from tests.support.commands import Ended, ran

VERB: Final = ("projections",)
# One of each kind.
VARIABLES: Final = {
    "eventstore_uri": "http://host",
    "redis_uri": "redis://host:port/0",
    "namespace": "two words",
    "partitions": "3",
    "skip_unreadable": "no_such_projection",
    "priorities": "order_summary,no_such_projection",
    "lag_events": "many",
    "command_seconds": "0",
    "metrics_port": "many",
}
OPTIONS: Final = {"--eventstore": "eventstore_uri", "--redis": "redis_uri"}


def refusal(*arguments: str, **settings: str) -> Ended:
    given = {"eventstore_uri": "esdb://127.0.0.1:1?tls=false", "redis_uri": "redis://127.0.0.1:1/0", **settings}
    return ran(*arguments, **{variable_of(name): value for name, value in given.items()})


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_named(name: str) -> None:
    code, output, errors = refusal(*VERB, **{name: VARIABLES[name]})
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith(f"foldstream projections: {variable_of(name)}: ")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_named_and_says_the_same(option: str) -> None:
    value = VARIABLES[OPTIONS[option]]
    _, _, (by_variable,) = refusal(*VERB, **{OPTIONS[option]: value})
    reason = by_variable.partition(f"{variable_of(OPTIONS[option])}: ")[2]
    line = f"foldstream projections: Invalid value for '{option}': {reason}"
    assert refusal(*VERB, option, value) == (2, [], [line])


@pytest.mark.parametrize("verb", [("history", "order-0"), ("schema", "check"), ("snapshots", "list"), ("api",)])
def test_a_bad_uri_is_wrong_usage_of_every_kind_of_verb(verb: tuple[str, ...]) -> None:
    code, output, errors = refusal(*verb, eventstore_uri="nothing")
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith(f"foldstream {verb[0]}: FOLDSTREAM_EVENTSTORE_URI: ")
