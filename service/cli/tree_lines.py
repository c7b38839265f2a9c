"""Draws trees for people, line by line: no more of one is in memory than what grows from the current line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from infrastructure.terminal import printable

Branches: TypeAlias = Iterator["Branch"]


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of the tree, and what grows from it."""

    label: str
    grown: Callable[[], Branches]


def tree_lines(top: Branches) -> Iterator[str]:
    """The lines, depth first, each as it may be shown."""
    rest = [("", _with_last(top))]
    while rest:
        indent, branches = rest[-1]
        if (found := next(branches, None)) is None:
            rest.pop()
            continue
        branch, is_last = found
        yield f"{indent}{'└── ' if is_last else '├── '}{printable(branch.label)}"
        rest.append((f"{indent}{'    ' if is_last else '│   '}", _with_last(branch.grown())))


def _with_last(branches: Branches) -> Iterator[tuple[Branch, bool]]:
    """Each with whether it is the last."""
    before = next(branches, None)
    for branch in branches:
        assert before is not None
        yield before, False
        before = branch
    if before is not None:
        yield before, True
