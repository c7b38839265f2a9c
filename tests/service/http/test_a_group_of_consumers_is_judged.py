"""What readiness says of a saga, by the state of its group."""

import pytest

from infrastructure.eventstore.group_state import GroupState
from service.http.checks import Check, of_saga

ALONE = Check(ok=False, state="away", detail="has no worker")


@pytest.mark.parametrize(
    ("group", "check"),
    [
        (None, ALONE),
        (GroupState(consumers=0, is_live=True, waiting=0, parked=1), ALONE),
        (
            GroupState(consumers=2, is_live=False, waiting=9, parked=1),
            Check(ok=False, state="blocked", detail="1 of its messages are parked"),
        ),
        (
            GroupState(consumers=2, is_live=False, waiting=9, parked=0),
            Check(ok=False, state="behind", detail="is catching up, 9 messages wait"),
        ),
        (GroupState(consumers=2, is_live=True, waiting=9, parked=0), Check(ok=True)),
    ],
)
def test_a_saga_is_as_its_group_is(group: GroupState | None, check: Check) -> None:
    assert of_saga(group) == check
