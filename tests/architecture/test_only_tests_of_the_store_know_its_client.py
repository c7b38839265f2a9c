"""Tests read and write the event store through the seam that the product uses, but for those of the store itself."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import sources

CLIENT = {"esdbclient", "grpc"}
OF_THE_STORE = ("tests/infrastructure/eventstore/", "tests/infrastructure/embedded/", "tests/support/secure.py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level packages that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import grpc.aio", ["grpc"]),
        ("from esdbclient.exceptions import NotFound", ["esdbclient"]),
        ("from infrastructure.eventstore.log import Log", ["infrastructure"]),
    ],
)
def test_imports_are_found(code: str, found: list[str]) -> None:
    assert list(imported(ast.parse(code))) == found


def test_other_tests_import_no_client_of_the_store() -> None:
    others = [source for source in sources("tests") if not source.path.startswith(OF_THE_STORE)]
    assert [source.path for source in others if CLIENT & set(imported(source.tree))] == []
