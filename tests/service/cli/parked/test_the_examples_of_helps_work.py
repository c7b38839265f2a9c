"""What the helps of `foldstream parked` and `subscriptions` show as an example can be typed as it stands."""

import shlex
from collections.abc import Sequence

from service.cli.parked.commands import app as parked
from service.cli.subscriptions.commands import app as subscriptions
from tests.service.cli.parked.till import Till
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs

GROUPS = {"parked": parked, "subscriptions": subscriptions}


def examples() -> list[Sequence[str]]:
    lines = [line for command in verbs().values() for line in str(command.epilog).splitlines()]
    found = [shlex.split(line)[1:] for line in lines if line.startswith("  foldstream ")]
    return [example for example in found if example[0] in GROUPS]


def test_each_ends_with_success_and_says_something(till: Till) -> None:
    till.group("billing", None, from_end=True)
    till.paid(12)
    till.park("billing", None, 12)
    with till.consumer("billing", None):
        said = {" ".join(words[:2]): till.said(*words[1:], command=GROUPS[words[0]]) for words in examples()}
    assert list(said) == [
        "parked list",
        "parked show",
        "parked replay",
        "parked drop",
        "subscriptions list",
        "subscriptions show",
    ]
    assert said["parked replay"] == ["Delivered 10 messages of $all::billing again; 2 parked now."]
    assert said["parked drop"] == ["Dropped 2 messages that $all::billing had parked; 0 parked now."]
