"""Tests use real parts and real time: no mocks, no patches, no sleep but that of `poll_until`, open or disguised."""

import ast
import re

import pytest

from tests.architecture.sources import numbered, sources
from tests.architecture.waits import short_waits

TESTS = sources("tests")
OWN = "tests/architecture/test_tests_wait_in_one_place_alone.py"


def test_tests_neither_patch_nor_mock_and_wait_in_one_place_alone() -> None:
    words = r"\b(sleep\x28|to_thread\x28int\x29|Event\x28\x29\.wait\x28[^\x29]|monkeypatch|unittest\.mock|Mock\x28)"
    tests = [s for s in TESTS if s.path not in {"tests/support/polling.py", OWN}]
    assert [f"{source.path}:{n}" for source in tests for n, line in numbered(source) if re.search(words, line)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("over.wait(0.02)", True),
        ("thread.join(timeout=0.1)", True),
        ("asyncio.wait({task}, timeout=0.1)", True),
        ("asyncio.wait_for(task, 0.5)", True),
        ("lines.get(timeout=0.5)", True),
        ("poll_until(is_there, 0.5, what='it')", True),
        ("SOON = 0.2\nover.wait(SOON)", True),
        ("over.wait(10)", False),
        ("over.wait(0)", False),
        ("over.wait()", False),
        ("poll_until(is_there, seconds=5, what='it')", False),
        ("http.get('/health', timeout=0.3)", False),
        ("', '.join(names)", False),
    ],
)
def test_a_sleep_in_disguise_is_found(code: str, found: bool) -> None:
    assert any(short_waits(ast.parse(code))) == found


def test_nothing_waits_for_less_than_a_second() -> None:
    assert [f"{source.path}:{line}" for source in TESTS for line in short_waits(source.tree)] == []
