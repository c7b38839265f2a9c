"""An error that nobody catches is one JSON line, wherever it was raised; for people it is a traceback, escaped."""

import json
import sys
from typing import Final

import pytest

from tests.support.processes import Listened

EVIL: Final = "gone\x1b]0;taken\x07"
RAISE: Final = f"raise RuntimeError({EVIL!r})"
PLACES: Final = {
    "process": RAISE,
    "forked program": f"""
def fail():
    {RAISE}
run_to_end(fail)
""",
    "thread": f"""
def work():
    {RAISE}
thread = threading.Thread(target=work, name="worker")
thread.start()
thread.join()
""",
    "unraisable": f"""
class Held:
    def __del__(self):
        {RAISE}
Held()
""",
    "task": f"""
async def fail():
    {RAISE}
async def main():
    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
uvloop.run(main())
""",
    "callback": f"""
def fail():
    {RAISE}
async def main():
    loop = asyncio.get_running_loop()
    loop.call_soon(fail)
    await loop.shutdown_asyncgens()
asyncio.run(main())
""",
}
ENDING: Final = ("process", "forked program")


def failed(form: str, place: str) -> Listened:
    """A process that has failed there, and ended."""
    start = "import asyncio, gc, threading, uvloop\nfrom infrastructure import terminal\nfrom service import logs\n"
    start += "from service.supervisor.forked_program import run_to_end\n"
    code = f"{start}terminal.prepare()\nlogs.set_up({form!r}, 'tried')\n{PLACES[place]}"
    process = Listened((sys.executable, "-c", code), {})
    process.wait(within=30)
    return process


@pytest.mark.parametrize("place", PLACES)
def test_it_is_one_line_of_json(place: str) -> None:
    process = failed("json", place)
    (line,) = process.errors
    said = json.loads(line)
    assert (said["process"], said["level"]) == ("tried", "critical" if place in {*ENDING, "thread"} else "error")
    assert said["exception"].startswith("Traceback")
    assert said["exception"].endswith(f"RuntimeError: {EVIL}")
    assert (process.exit_code, process.output) == (1 if place in ENDING else 0, [])


@pytest.mark.parametrize("place", PLACES)
def test_for_people_it_is_a_traceback_without_control_sequences(place: str) -> None:
    errors = failed("console", place).errors
    assert [char for line in errors for char in line if not char.isprintable()] == []
    assert errors[-1] == r"RuntimeError: gone\x1b]0;taken\x07"


def test_a_warning_is_one_line_too() -> None:
    code = "import warnings\nfrom service import logs\nlogs.set_up('json', 'tried')\nwarnings.warn('look')"
    process = Listened((sys.executable, "-c", code), {})
    assert process.wait(within=30) == 0
    (line,) = process.errors
    assert "UserWarning: look" in json.loads(line)["event"]
