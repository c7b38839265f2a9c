"""The version of EventStoreDB whose answers this server gives."""

from typing import Final

VERSION: Final = "24.10.4"
