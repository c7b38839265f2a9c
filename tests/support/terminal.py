"""What a program shows on a terminal of a test's own."""

import os
import select

from tests.support.polling import poll_until


def read_until(terminal: int, expected: bytes) -> bytes:
    """What it shows, up to this; fails after 30 seconds without."""
    shown: list[bytes] = []

    def is_shown() -> bool:
        if select.select([terminal], [], [], 0)[0]:
            shown.append(os.read(terminal, 1024))
        return expected in b"".join(shown)

    poll_until(is_shown, seconds=30, what=repr(expected))
    return b"".join(shown)
