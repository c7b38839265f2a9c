"""Answers of a worker to the process that started it."""

import json
import sys
from collections.abc import Mapping


def reply(members: Mapping[str, object]) -> None:
    """Writes one line of JSON, at once."""
    sys.stdout.write(json.dumps(members) + "\n")
    sys.stdout.flush()
