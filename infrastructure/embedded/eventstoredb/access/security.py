"""Names the files that secure mode stands on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Security:
    """All of them. There is no half of it: passwords do not go over the wire in clear text, and an encrypted
    connection on which every password is right would only look safe.
    """

    certificate: Path
    key: Path
    users: Path
