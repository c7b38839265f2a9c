"""The tree of a correlation as a list, each command after what caused it: a saga's chain has no bounded depth."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.stream_name import StreamName
from infrastructure.history.trace import Found, TracedCommand


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A command in the tree: how far below the root it stands, and the event of the tree that caused it."""

    command: TracedCommand
    depth: int
    caused_by: UUID | None


def depth_first(roots: Sequence[TracedCommand]) -> Iterator[TreeNode]:
    """Every command of the tree, followed at once by all that follows from it."""
    rest = [TreeNode(command, 0, None) for command in reversed(roots)]
    while rest:
        node = rest.pop()
        yield node
        caused = [
            TreeNode(command, node.depth + 1, event.record.id)
            for event in node.command.events
            for command in event.caused
        ]
        rest += reversed(caused)


def of_categories(found: Found, categories: Container[str], tenant: str) -> Found:
    """Only the records in a tenant's streams of these categories: the system projection links to all others, too."""
    return replace(found, records=tuple(each for each in found.records if is_of(each.stream, categories, tenant)))


def is_of(stream: str, categories: Container[str], tenant: str) -> bool:
    """Whether a stream is a tenant's, of these categories."""
    try:
        name = StreamName.parse(stream)
    except ValueError:  # none of ours
        return False
    return name.tenant == tenant and name.category in categories
