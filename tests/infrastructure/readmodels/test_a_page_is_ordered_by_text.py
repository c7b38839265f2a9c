"""A page of an index that is ordered by the texts of its members: its bounds, and how partitions are merged."""

from typing import Any

import pytest

from infrastructure.readmodels.text_order import PageQuery
from projections.row_lists import Range, sortable

WHOLE, PART = Range("all"), Range("all", "c", "f")
KEPT = [b"1", b"3"]


@pytest.mark.parametrize(
    ("part", "after", "newest_first", "bounds"),
    [
        (WHOLE, None, False, ("-", "+")),
        (WHOLE, "d", False, ("(d", "+")),
        (WHOLE, "d", True, ("-", "(d")),
        (PART, None, False, ("[c", "(f")),
        (PART, "d", False, ("(d", "(f")),
        (PART, "d", True, ("[c", "(d")),
        (PART, "a", False, ("[c", "(f")),
        (PART, "x", True, ("[c", "(f")),
        (PART, "x", False, ("(x", "(f")),
        (PART, "a", True, ("[c", "(a")),
    ],
)
def test_a_page_begins_after_a_member_and_never_leaves_its_part(
    part: Range, after: str | None, newest_first: bool, bounds: tuple[str, str]
) -> None:
    assert PageQuery(part, 10, after, newest_first).bounds == bounds


def test_partitions_are_merged_in_order_and_the_last_member_leads_on() -> None:
    replies: list[list[Any]] = [[[b"a", b"d", b"e"], 3, KEPT], [[b"b", b"c", b"f"], 3, KEPT]]
    assert PageQuery(WHOLE, 3).merged(replies) == (("a", "b", "c"), "c")
    assert PageQuery(WHOLE, 6).merged(replies) == (("a", "b", "c", "d", "e", "f"), None)
    backwards = [[reply[0][::-1], *reply[1:]] for reply in replies]
    assert PageQuery(WHOLE, 2, newest_first=True).merged(backwards) == (("f", "e"), "e")


def test_an_index_that_has_lost_members_is_not_taken_for_whole() -> None:
    with pytest.raises(LookupError, match="Redis has lost entries of an index"):
        PageQuery(WHOLE, 3).merged([[[b"a"], 2, KEPT]])


def test_numbers_are_ordered_as_their_texts_are() -> None:
    numbers = [0, 1, 9, 10, 15, 16, 255, 2**53, 2**64 - 1]
    assert sorted(map(sortable, reversed(numbers))) == list(map(sortable, numbers))
    assert (sortable(-1), sortable(2**70)) == (sortable(0), sortable(2**64 - 1))
