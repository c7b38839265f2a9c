"""How a program of the bench speaks to the process that started it."""

import json
import sys
from collections.abc import Mapping


def say(what: Mapping[str, object]) -> None:
    """One line of JSON, at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
