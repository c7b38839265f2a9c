"""What `foldstream doctor --json` says."""

import json
from typing import Final, NamedTuple

from tests.support.callers import KEY
from tests.support.commands import ran
from tests.support.polling import poll_until

AWAY_STORE: Final = "esdb://127.0.0.1:1?tls=false"
AWAY_REDIS: Final = "redis://127.0.0.1:1/0"


class Examined(NamedTuple):
    """The exit code, and the findings by their checks: state and detail of each."""

    code: int
    lines: dict[str, list[tuple[str, str]]]
    errors: list[str]

    def states(self, check: str) -> list[str]:
        return [state for state, _ in self.lines[check]]


def examined(*arguments: str, **environment: str) -> Examined:
    """How it ended and what it found."""
    code, output, errors = ran("doctor", "--json", *arguments, **environment)
    lines: dict[str, list[tuple[str, str]]] = {}
    for each in json.loads("\n".join(output))["findings"]:
        lines.setdefault(each["check"], []).append((each["state"], each["detail"]))
    return Examined(code, lines, errors)


def of_servers(store: str, redis: str, **settings: str) -> Examined:
    """Of these servers, with the key of tests."""
    named = {"FOLDSTREAM_EVENTSTORE_URI": store, "FOLDSTREAM_REDIS_URI": redis, "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}
    return examined(**named, **settings)


def of_reached_servers(store: str, redis: str) -> Examined:
    """The same once the store was reached in time: a handshake takes its time where others are at work."""
    looks: list[Examined] = []

    def is_reached() -> bool:
        looks.append(of_servers(store, redis))
        return looks[-1].states("users") != ["skipped"]

    poll_until(is_reached, seconds=60, what="a store that is reached")
    return looks[-1]
