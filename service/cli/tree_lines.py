"""Draws trees for people, line by line, and holds only the path to the current line in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from infrastructure.terminal import printable

Branches: TypeAlias = Iterator["Branch"]


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree, and how to get the branches below it."""

    label: str
    children: Callable[[], Branches]


def tree_lines(top: Branches) -> Iterator[str]:
    """The lines, depth first, with what a terminal would act upon escaped."""
    rest = [("", _with_last(top))]
    while rest:
        indent, branches = rest[-1]
        if (found := next(branches, None)) is None:
            rest.pop()
            continue
        branch, is_last = found
        yield f"{indent}{'└── ' if is_last else '├── '}{printable(branch.label)}"
        rest.append((f"{indent}{'    ' if is_last else '│   '}", _with_last(branch.children())))


def _with_last(branches: Branches) -> Iterator[tuple[Branch, bool]]:
    """Each branch, and whether it is the last."""
    before = next(branches, None)
    for branch in branches:
        assert before is not None
        yield before, False
        before = branch
    if before is not None:
        yield before, True
