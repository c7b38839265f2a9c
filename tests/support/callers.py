"""Who asks in tests: a key of this process, which services under test take unless they have another, and its tokens."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.support.access import bearer, development_key, token_for

_LONG: Final = 86_400  # seconds; longer than any run of tests


def _key_of_this_process() -> Path:
    """A file in memory, which other processes read by its path and which ends with this one, however that ends."""
    with TemporaryDirectory() as folder:
        made = development_key(Path(folder)).read_bytes()
    held = os.memfd_create("foldstream-key")
    os.fchmod(held, 0o600)  # as a key's file has to be
    os.write(held, made)
    return Path(f"/proc/{os.getpid()}/fd/{held}")


KEY: Final = _key_of_this_process()


def header_of(subject: str, *roles: str, tenant: str = "default", seconds: int = _LONG) -> dict[str, str]:
    """The header of a request by this subject, with these roles, in this tenant."""
    return bearer(token_for(KEY, subject=subject, roles=roles, tenant=tenant, seconds=seconds))


AUTHORIZED: Final = header_of("tester", "administrator")
"""The header of a request by somebody who may everything."""
AUTHORIZATION_LINE: Final = f"Authorization: {AUTHORIZED['Authorization']}\r\n".encode()
"""The same as a line of a head."""
