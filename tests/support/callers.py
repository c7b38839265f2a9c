"""Who asks in tests: a key of this process, which services under test take unless they have another, and its tokens."""

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from tests.support.access import bearer, development_key, token_for

_LONG: Final = 86_400  # seconds; longer than any run of tests


def _key_of_this_process() -> Path:
    folder = tempfile.mkdtemp(prefix="foldstream-key-")
    atexit.register(partial(_remove, folder, os.getpid()))
    return development_key(Path(folder))


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # and not where this process was forked
        shutil.rmtree(folder, ignore_errors=True)


KEY: Final = _key_of_this_process()


def header_of(subject: str, *roles: str, tenant: str = "default", seconds: int = _LONG) -> dict[str, str]:
    """The header of a request by this subject, with these roles, in this tenant."""
    return bearer(token_for(KEY, subject=subject, roles=roles, tenant=tenant, seconds=seconds))


AUTHORIZED: Final = header_of("tester", "administrator")
"""The header of a request by somebody who may everything."""
AUTHORIZATION_LINE: Final = f"Authorization: {AUTHORIZED['Authorization']}\r\n".encode()
"""The same as a line of a head."""
