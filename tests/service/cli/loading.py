"""Loads each module that it is given as the first after the command line, each in a process of its own."""

import importlib
import os
import pkgutil
import sys
from pathlib import Path

import service.cli.main  # noqa: F401 - what every verb has loaded

FOREIGN = ("cedarpy", "esdbclient", "fastapi", "grpc", "httpx", "redis.asyncio", "uvicorn")
BELOW = ("domain", "projections")  # know nothing of the rest


def main() -> None:
    """Prints the names of those that can't be loaded so."""
    below = [each.name for package in BELOW for each in pkgutil.walk_packages([str(Path(package))], f"{package}.")]
    for name in (*FOREIGN, *below):
        importlib.import_module(name)
    for name in sys.argv[1:]:
        if (pid := os.fork()) == 0:
            importlib.import_module(name)
            os._exit(0)
        if os.waitpid(pid, 0)[1]:
            print(name, flush=True)  # noqa: T201 - whoever started it reads this
            break


if __name__ == "__main__":
    main()
