"""Groups that consume payments, and park what they can't book; commands on them run in this process."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from typer import Typer
from typer.testing import Result

from infrastructure.eventstore.record import NewRecord
from service.cli.parked import commands
from tests.infrastructure.eventstore.operator import Consumer, Operator
from tests.service.cli.snapshots.command import ran
from tests.support.polling import poll_until

PAID: Final = NewRecord("Paid", b"{}")


@dataclass
class Till:
    """A store with a stream of payments for each test, and groups of it."""

    uri: str
    operator: Operator
    groups: list[tuple[str, str | None]] = field(default_factory=list)

    def paid(self, number: int, kind: str = "Paid") -> str:
        """A new stream with so many payments."""
        stream = f"till-{uuid4()}"
        self.operator.append(stream, *[NewRecord(kind, b"{}")] * number)
        return stream

    def group(self, name: str, stream: str | None, **settings: Any) -> None:
        """A group of that stream, None: of all payments in the log."""
        self.groups.append((name, stream))
        if stream is None:
            self.operator.create_group(name, "Paid", **settings)
        else:
            self.operator.client.create_subscription_to_stream(name, stream, timeout=5.0, **settings)

    @contextmanager
    def consumer(self, name: str, stream: str | None, slots: int = 150) -> Iterator[Consumer]:
        """Somebody who consumes a group."""
        client = self.operator.client
        settings: dict[str, Any] = {"event_buffer_size": slots, "max_ack_batch_size": 1}
        if stream is None:
            joined = client.read_subscription_to_all(name, **settings)
        else:
            joined = client.read_subscription_to_stream(name, stream, **settings)
        with joined as consumer:
            yield consumer

    def park(self, name: str, stream: str | None, number: int) -> None:
        """The group parks the next so many messages."""
        known = self.parked(name, stream)
        with self.consumer(name, stream) as consumer:
            for _ in range(number):
                consumer.nack(next(consumer), "park")
            poll_until(lambda: self.parked(name, stream) == known + number, seconds=10, what=f"{number} more parked")

    def parked(self, name: str, stream: str | None) -> int:
        """How many messages the group has parked, as the store counts them."""
        return self.operator.client.get_subscription_info(name, stream, timeout=5.0).parked_message_count

    def clear(self) -> None:
        """No group is left, nor what they parked."""
        for name, stream in self.groups:
            self.operator.client.delete_subscription(name, stream, timeout=5.0)
        self.groups.clear()

    def said(self, *arguments: str, command: Typer = commands.app) -> list[str]:
        """The lines of a command that succeeds."""
        result = self.ended(*arguments, command=command)
        assert (result.exception, result.return_value, result.stderr) == (None, 0, "")
        return result.stdout.splitlines()

    def answer(self, *arguments: str, command: Typer = commands.app) -> Any:
        """What a command prints as JSON."""
        return json.loads("\n".join(self.said(*arguments, "--json", command=command)))

    def refusal(self, *arguments: str, command: Typer = commands.app) -> str:
        """Why a command printed nothing."""
        result = self.ended(*arguments, command=command)
        assert (result.exception is not None, result.output) == (True, "")
        return str(result.exception)

    def ended(self, *arguments: str, command: Typer = commands.app) -> Result:
        return ran(self.uri, command, *arguments)


def versions(consumer: Consumer, number: int) -> Sequence[int]:
    """Takes so many messages, and acknowledges them: the versions of these events."""
    taken = []
    for _ in range(number):
        message = next(consumer)
        consumer.ack(message)
        taken.append(message.stream_position)
    return taken
