"""Bounds the connections that are open at once, and those of one address that have not sent a whole head."""

from collections import defaultdict
from collections.abc import Mapping
from time import monotonic
from typing import Final, Protocol

import structlog

from service.http.middleware.metrics import Metrics
from service.settings import variable_of

_PATIENCE: Final = 1.0  # seconds that a connection is left in peace: many may be accepted before the first is read
_BETWEEN_LINES: Final = 10.0  # seconds
_SETTINGS: Final[Mapping[str, str]] = {  # what bounds it, by the reason for closing a connection; a stop has no setting
    "address-share": variable_of("pending_per_address"),
    "connections": variable_of("connections"),
    "head-timeout": variable_of("head_seconds"),
    "send-timeout": variable_of("send_seconds"),
}
_log: Final = structlog.stdlib.get_logger("foldstream.http")


class Connection(Protocol):
    """A client's connection, as far as it is of interest here."""

    def close(self) -> None: ...


class OpenConnections:
    """Closes the oldest where there are too many: of one address one without a head; of all an idle one, else one that
    waits for a head, else for a body, else one whose client does not read its answer. Each counts until it is gone.

    All methods take constant time, apart from what `admit` closes.
    """

    def __init__(self, at_once: int, pending_per_address: int, metrics: Metrics) -> None:
        self._at_once: Final = at_once
        self._per_address: Final = pending_per_address
        self._metrics: Final = metrics
        self._addresses: Final[dict[Connection, str]] = {}
        # Since when; dictionaries keep their order, so the first is the oldest.
        self._idle: Final[dict[Connection, float]] = {}
        self._pending: Final[dict[Connection, float]] = {}
        self._bodies: Final[dict[Connection, float]] = {}
        self._unread: Final[dict[Connection, float]] = {}
        self._pending_of: Final[defaultdict[str, dict[Connection, float]]] = defaultdict(dict)
        self._logged: Final[dict[str, float]] = {}  # when, by the reason
        metrics.count_connections(lambda: len(self._addresses), lambda: len(self._pending))

    def admit(self, connection: Connection, address: str) -> None:
        """Takes in a new connection, without a head yet; closes another, or this one, where there are too many."""
        self._addresses[connection] = address
        superfluous = self._superfluous(connection) if len(self._addresses) > self._at_once else None
        if superfluous is not connection:
            self.await_head(connection)
        if superfluous is not None:
            self._close(superfluous, "connections")
        while (overdue := self._overdue(address)) is not None:
            self._close(overdue, "address-share")

    def await_head(self, connection: Connection) -> None:
        """Notes that the beginning of a head is there, or nothing since the connection was made."""
        self._idle.pop(connection, None)
        now = monotonic()
        self._pending[connection] = self._pending_of[self._addresses[connection]][connection] = now

    def await_body(self, connection: Connection) -> None:
        """Notes that the body is not there yet, or a part of it."""
        self._bodies[connection] = monotonic()

    def await_reading(self, connection: Connection) -> None:
        """Notes that the client does not read as fast as it is answered."""
        self._unread[connection] = monotonic()

    def note_read(self, connection: Connection) -> None:
        """Notes that the client has read on."""
        self._unread.pop(connection, None)

    def take_up(self, connection: Connection) -> None:
        """Notes that a whole head is there, or a whole body."""
        self._idle.pop(connection, None)
        self._bodies.pop(connection, None)
        if self._pending.pop(connection, None) is not None:
            of_address = self._pending_of[self._addresses[connection]]
            del of_address[connection]
            if not of_address:
                del self._pending_of[self._addresses[connection]]

    def rest(self, connection: Connection) -> None:
        """Notes that all is answered."""
        if connection in self._addresses:
            self._idle[connection] = monotonic()

    def forget(self, connection: Connection) -> None:
        """Notes that it is gone."""
        self._disregard(connection)
        self._addresses.pop(connection, None)

    def note_closed(self, connection: Connection, reason: str) -> None:
        """Counts a connection that is closed before its client wants it; logs it, unless one was lately for that."""
        self._metrics.connections_closed.labels(reason).inc()
        now = monotonic()
        if now - self._logged.get(reason, -_BETWEEN_LINES) >= _BETWEEN_LINES:
            self._logged[reason] = now
            bound = {"setting": _SETTINGS[reason]} if reason in _SETTINGS else {}
            _log.warning(
                "connection_closed",
                reason=reason,
                **bound,
                address=self._addresses.get(connection),
                open=len(self._addresses),
                without_head=len(self._pending),
            )

    def count_unreadable(self, rule: str) -> None:
        """Counts a request that was refused before it was one."""
        self._metrics.unreadable.labels(rule).inc()

    def _close(self, connection: Connection, reason: str) -> None:
        self.note_closed(connection, reason)
        self._disregard(connection)
        connection.close()

    def _disregard(self, connection: Connection) -> None:
        self.take_up(connection)
        self.note_read(connection)

    def _superfluous(self, newest: Connection) -> Connection:
        first = (_oldest(each) for each in (self._idle, self._pending, self._bodies, self._unread))
        return next(filter(None, first), newest)

    def _overdue(self, address: str) -> Connection | None:
        """The oldest of an address that has too many without a head, if it had time enough to send one."""
        pending = self._pending_of.get(address, {})
        oldest = _oldest(pending) if len(pending) > self._per_address else None
        return oldest if oldest is not None and monotonic() - pending[oldest] > _PATIENCE else None


def _oldest(connections: dict[Connection, float]) -> Connection | None:
    return next(iter(connections), None)
