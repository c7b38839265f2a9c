"""Marks tests that only the embedded event store can pass, in a run that may use another one."""

import pytest

from service.settings import Settings


def only_embedded(reason: str) -> pytest.MarkDecorator:
    """Skips a test, for this reason, where the environment names an event store."""
    named = Settings.from_environment().eventstore_uri is not None
    return pytest.mark.skipif(named, reason=f"only the embedded event store can pass this: {reason}")
