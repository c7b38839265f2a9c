"""The stores of `foldstream parked`."""

from tests.service.cli.parked.conftest import server, till

__all__ = ["server", "till"]
