"""A server of ours as a child of the bench: it says where it is, and ends when the bench does."""

import os
import subprocess
import sys
from time import perf_counter
from typing import Final

from service.errors import ChildRefused

_STOPPED_WITHIN: Final = 30.0  # seconds


class Child:
    """`foldstream NAME …`, started; `uri` is its own word, `start_seconds` the time until it came.

    Raises ChildRefused.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        ours, self._pipe = os.pipe()
        command = [sys.executable, "-P", "-m", "service", name, *arguments, "--stop-when-closed", str(ours)]
        began = perf_counter()
        self._process: Final = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(ours,))
        os.close(ours)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.start_seconds: Final = perf_counter() - began
        ready = f"{name}_ready uri="
        if not line.startswith(ready):
            self.stop()
            raise ChildRefused(name, self._process.returncode, line.strip())
        self.uri: Final = line.removeprefix(ready).split()[0]

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Waits for its end, and kills it after half a minute."""
        os.close(self._pipe)
        with self._process:
            try:
                self._process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
