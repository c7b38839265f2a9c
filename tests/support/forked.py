"""Processes that are forked from one of this run which has loaded their modules already: they start in no time."""

import multiprocessing
from multiprocessing.context import ForkServerContext
from typing import Final

_FORKING: Final = multiprocessing.get_context("forkserver")
_loaded: Final[set[str]] = set()


def forking(module: str) -> ForkServerContext:
    """Makes processes that begin with this module loaded; to be called while modules are imported."""
    _loaded.add(module)
    _FORKING.set_forkserver_preload(sorted(_loaded))
    return _FORKING
