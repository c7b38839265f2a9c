"""Decisions and rows come out the same whenever they are made again: no clock, no chance."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import sources

MODULES = {"time", "random", "secrets"}
NAMES = {"now", "utcnow", "today", "fromtimestamp", "uuid1", "uuid4", "uuid6", "uuid7", "urandom"}


def chances(tree: ast.AST) -> Iterator[str]:
    """What in a module reads a clock or draws something at random."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=module, names=names):
                yield from (alias.name for alias in names if module in MODULES or alias.name in NAMES)
            case ast.Attribute(attr=name) if name in NAMES:
                yield name


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import time", ["time"]),
        ("from random import choice", ["choice"]),
        ("from uuid import UUID, uuid4", ["uuid4"]),
        ("import uuid\nuuid.uuid1()", ["uuid1"]),
        ("at = datetime.now(UTC)", ["now"]),
        ("day = date.today()", ["today"]),
        ("from uuid import uuid5\ntime: datetime = metadata.time", []),
    ],
)
def test_clocks_and_chance_are_found(code: str, found: list[str]) -> None:
    assert list(chances(ast.parse(code))) == found


def test_domain_and_projections_know_no_clock_and_no_chance() -> None:
    pure = sources("domain", "projections")
    assert [f"{source.path}: {chance}" for source in pure for chance in chances(source.tree)] == []
