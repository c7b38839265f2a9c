"""The development key of a data folder: made by `serve`, which says how to ask by it."""

import sys
import time
from pathlib import Path
from typing import Final

import structlog

from infrastructure.access.caller import Caller
from infrastructure.access.development_key import FILE, development_token, make_development_key
from infrastructure.terminal import announce
from service.settings import Settings
from service.token_verifier import may_use_development_key, token_rules

_SECONDS: Final = 3600
_log: Final = structlog.get_logger(__name__)


def with_development_key(settings: Settings, data: Path) -> Settings:
    """The settings with the key of this folder, made where there is none, unless they name keys or forbid it.

    Raises KeysUnusable.
    """
    if not may_use_development_key(settings):
        return settings
    make_development_key(data / FILE)
    return settings.model_copy(update={"development_key": str(data / FILE)})


def announce_token(settings: Settings, data: Path) -> None:
    """Prints a token of an administrator on a terminal; elsewhere, where it would be kept, the log says how to get one.

    Raises KeysUnusable.
    """
    if settings.development_key is None:
        return
    if not sys.stdout.isatty():
        _log.info("development_key_used", token=f"foldstream token --data {data}")
        return
    caller = Caller("serve", frozenset({"administrator"}))
    key = Path(settings.development_key)
    announce("foldstream_token", token=development_token(key, caller, token_rules(settings), time.time(), _SECONDS))
