"""Whatever writes a time, for people or programs, does it by one function: RFC 3339 in UTC with `Z`."""

import ast
from datetime import UTC, datetime, timedelta, timezone

import pytest

from infrastructure.times import time_text
from tests.architecture.sources import sources

WRITER = "infrastructure/times.py"


@pytest.mark.parametrize("offset", [-5.5, 0, 1])
def test_another_offset_is_the_same_time(offset: float) -> None:
    at = datetime(2026, 3, 1, 15, tzinfo=UTC).astimezone(timezone(timedelta(hours=offset)))
    assert time_text(at) == "2026-03-01T15:00:00Z"
    assert time_text(at + timedelta(microseconds=10)) == "2026-03-01T15:00:00.000010Z"


def test_no_other_module_writes_times() -> None:
    """Days in the names of streams, which the domain derives, are no times."""
    product = sources("projections", "infrastructure", "service")
    writing = {
        source.path
        for source in product
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr == "isoformat"
    }
    assert writing == {WRITER}
