"""The machine that the figures were measured on."""

import os
import platform
import re
import sqlite3
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

_PACKAGES: Final = ("foldstream", "esdbclient", "grpcio", "grpclib", "h2", "uvloop")


def describe_machine() -> Mapping[str, str]:
    """Processor, load average of the last minute, and versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return {
        "processor": f"{os.cpu_count()} of {model[1] if model else platform.machine()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{package: version(package) for package in _PACKAGES},
    }
