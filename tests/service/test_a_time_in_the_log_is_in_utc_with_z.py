"""A time among the values of a log line is written as everywhere: RFC 3339 in UTC with `Z`."""

import json
import sys

import pytest

from tests.support.processes import Listened

CODE = """
from datetime import datetime, timedelta, timezone
import structlog
from service import logs
logs.set_up({form!r}, "tried")
structlog.get_logger().info("seen", at=datetime(2026, 3, 1, 16, tzinfo=timezone(timedelta(hours=1))))
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_it_is_shown_so(form: str) -> None:
    process = Listened((sys.executable, "-c", CODE.format(form=form)), {})
    assert process.wait(within=30) == 0
    (line,) = process.errors
    assert "at=2026-03-01T15:00:00Z" in line if form == "console" else json.loads(line)["at"] == "2026-03-01T15:00:00Z"
