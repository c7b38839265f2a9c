"""A JSON document whose list is printed item by item is the one that is printed of all items together."""

from collections.abc import Iterator
from typing import Any

import pytest

from infrastructure.terminal import print_json, print_json_list

ITEMS: list[Any] = [{"text": "a\nb\u2028", "deep": [1, {"x": None}], "none": [], "nothing": {}}, "plain", 1.5, [], {}]


@pytest.mark.parametrize("number", range(len(ITEMS) + 1))
def test_it_is_the_same_to_the_letter(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    items = ITEMS[:number]
    print_json_list(iter(items))
    print_json_list(iter(items), "items", stream="a", next=None)
    print_json_list(iter(items), "items")
    printed = capsys.readouterr().out
    for document in (items, {"stream": "a", "next": None, "items": items}, {"items": items}):
        print_json(document)
    assert printed == capsys.readouterr().out


def test_what_fails_at_once_leaves_the_output_empty(capsys: pytest.CaptureFixture[str]) -> None:
    def failing() -> Iterator[object]:
        raise LookupError
        yield

    with pytest.raises(LookupError):
        print_json_list(failing(), "items")
    assert capsys.readouterr().out == ""
