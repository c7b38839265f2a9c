"""Recognizes a repeat: ids derived from the caller's key, and a digest of the request."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import BaseModel

from domain.stream_name import DEFAULT_TENANT
from infrastructure.access.caller import ANONYMOUS, Caller

_QUOTED: Final = r'"(([!#-\[\]-~]|\\["\\]){1,128})"'
_UNQUOTED: Final = (
    r'"|"?[!#-~][!-~]{0,126}|[!#-~][!-~]{127}|""[!-~]{1,126}'  # all but "" alone; pydantic has no look-ahead
)
KEY: Final = rf"^({_UNQUOTED}|{_QUOTED})$"
_ESCAPED: Final = re.compile(r'\\(["\\])')
_COMMANDS: Final = uuid5(NAMESPACE_URL, "foldstream:command")
_CREATIONS: Final = uuid5(NAMESPACE_URL, "foldstream:creation")


def unquoted(key: str) -> str:
    """The key that the header's text stands for: a quoted string (RFC 9651), as the IETF's draft has it, or itself."""
    quoted = re.fullmatch(_QUOTED, key)
    return key if quoted is None else _ESCAPED.sub(r"\1", quoted[1])


def command_id(stream: str, subject: str, key: str | None) -> UUID:
    """The command's id: the same for the same stream, subject and key, so that keys belong to one caller there."""
    return uuid4() if key is None else uuid5(_COMMANDS, json.dumps([stream, subject, key]))


def creation_id(collection: str, caller: Caller, key: str | None) -> str:
    """The id of what a request creates that brings none: a repeat under its key gets the same."""
    return str(
        uuid4() if key is None else uuid5(_CREATIONS, json.dumps([collection, caller.tenant, caller.subject, key]))
    )


def former_command_ids(stream: str, keys: Sequence[str]) -> tuple[UUID, ...]:
    """As releases that knew no callers derived them."""
    return tuple(uuid5(_COMMANDS, f"{stream} {key}") for key in keys)


def former_creation_ids(collection: str, keys: Sequence[str]) -> list[str]:
    """As releases that knew no callers derived them, all in the default tenant."""
    nobody = f"{DEFAULT_TENANT} {ANONYMOUS.subject}"
    return [str(uuid5(_CREATIONS, f"{collection} {nobody} {key}")) for key in keys]


def digest(method: str, path: str, body: BaseModel) -> str:
    """A digest (SHA-256, hex) of the request: equal for bodies that differ only in their bytes."""
    members = body.model_dump(mode="json", exclude_unset=True)
    request = json.dumps([method, path, members], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(request.encode()).hexdigest()
