"""The judge of the kill test finds what it looks for."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.infrastructure.embedded.eventstoredb.durability.history import ANY, Attempt, History, Logged

A, B, C, D = (UUID(int=number) for number in range(1, 5))
LOG = [Logged(10, "s", 0, A), Logged(20, "s", 1, B), Logged(30, "s", 2, C)]
ATTEMPTS = [
    Attempt("s", -1, (A, B), began=1.0, ended=2.0, position=20),
    Attempt("s", 1, (C,), began=3.0),
    Attempt("s", 1, (C,), began=5.0, ended=6.0, position=30),
    Attempt("s", 0, (D,), began=4.0, ended=7.0, refused_at=2),
]


def faults(log: list[Logged], attempts: list[Attempt]) -> list[str]:
    """The first words of each."""
    return [fault.split(":")[0] for fault in History(log, attempts).faults()]


def test_it_finds_nothing_where_all_is_well() -> None:
    assert faults(LOG, ATTEMPTS) == []


def test_an_append_that_nobody_heard_of_again_may_be_there_or_not() -> None:
    unheard = Attempt("s", 2, (D,), began=9.0)
    assert faults(LOG, [*ATTEMPTS[:3], unheard]) == []
    assert faults([*LOG, Logged(40, "s", 3, D)], [*ATTEMPTS[:3], unheard]) == []


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (LOG[:2], "acknowledged and lost"),
        ([LOG[0], LOG[2]], "gap or double before Logged(position=30, stream='s', number=2, id=UUID('"),
        ([*LOG, replace(LOG[2], position=40, number=3)], "an event is there twice"),
        ([*LOG, Logged(40, "s", 3, UUID(int=9))], "nobody wrote Logged(position=40, stream='s', number=3, id=UUID('"),
        ([*LOG, Logged(40, "s", 3, D)], "refused and written"),
        ([LOG[0], LOG[2], LOG[1]], "out of order"),
        ([*LOG[:2], replace(LOG[2], stream="t", number=0)], "written at 0"),
        ([LOG[0], replace(LOG[1], position=25), LOG[2]], "acknowledged elsewhere"),
    ],
)
def test_it_finds_a_log_that_broke_its_word(log: list[Logged], fault: str) -> None:
    assert any(fault.startswith(found) or found.startswith(fault) for found in faults(log, ATTEMPTS))


@pytest.mark.parametrize(
    ("attempt", "fault"),
    [
        (replace(ATTEMPTS[3], expected=2), "refused for what it expected"),
        (replace(ATTEMPTS[3], refused_at=7), "refused because of an event that was lost"),
        (replace(ATTEMPTS[3], began=6.5, refused_at=1), "refused because of a version long past"),
    ],
)
def test_it_finds_a_refusal_that_was_none(attempt: Attempt, fault: str) -> None:
    assert faults(LOG, [*ATTEMPTS[:3], attempt]) == [fault]


def test_it_finds_what_stands_before_its_cause() -> None:
    attempts = [
        Attempt("t", ANY, (A,), began=5.0, ended=6.0, position=10),
        Attempt("s", ANY, (B,), began=1.0, ended=2.0, position=20),
    ]
    log = [Logged(10, "t", 0, A), Logged(20, "s", 0, B)]
    assert faults(log, attempts) == ["position 10 began after 20 was acknowledged"]
