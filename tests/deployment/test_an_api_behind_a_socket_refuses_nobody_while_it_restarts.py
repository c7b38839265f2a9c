"""As the socket unit of systemd has it: who calls while no API runs waits in the queue, and the next one answers."""

import os
import signal
import sys
from typing import Final

import pytest

from service.addresses import lasting_port
from tests.deployment.systemd_units import value
from tests.service.http.wire import ALIVE, answer, connected, parsed, until_closed
from tests.service.servers import NOWHERE
from tests.support.polling import poll_until
from tests.support.processes import FOLDSTREAM, Listened, is_alive

ASKED: Final = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
# Listens, and runs the API as systemd does, with the socket as descriptor 3; once it has ended, and told to, once more.
SYSTEMD: Final = """
import os, socket, subprocess, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
os.dup2(listening.fileno(), 3)
for waits in (True, False):
    api = subprocess.Popen(sys.argv[2:], pass_fds=(3,))
    print("started", api.pid, flush=True)
    print("ended", api.wait(), flush=True)
    if waits:
        sys.stdin.read()
"""


def started(process: Listened, number: int) -> int:
    """The pid of the API that was started so often."""

    def lines() -> list[str]:
        return [line for line in process.output if line.startswith("started ")]

    poll_until(lambda: len(lines()) == number, seconds=30, what=f"start {number}")
    return int(lines()[-1].split()[1])


def is_answering(url: str) -> bool:
    try:
        return answer(url, ASKED).body == ALIVE
    except OSError:
        return False


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_who_calls_between_two_of_them_is_answered_by_the_second() -> None:
    words = value("foldstream-api.service", "ExecStart").split()[1:]
    port = lasting_port()
    url = f"http://127.0.0.1:{port}"
    process = Listened((sys.executable, "-c", SYSTEMD, str(port), *FOLDSTREAM, *words), NOWHERE, held=True)
    first = started(process, 1)
    poll_until(lambda: is_answering(url), seconds=60, what="an answer of the first")
    os.kill(first, signal.SIGTERM)
    process.line("ended 0", within=30)
    with connected(url) as caller:
        caller.sendall(ASKED)
        process.close_input()
        second = started(process, 2)
        caller.settimeout(60)
        assert [each.body for each in parsed(until_closed(caller))] == [ALIVE]
    os.kill(second, signal.SIGTERM)
    assert process.wait(within=30) == 0
    assert not is_alive(second)
