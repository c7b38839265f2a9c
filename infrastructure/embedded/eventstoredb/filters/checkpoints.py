"""Says after which events of a filtered subscription to $all a checkpoint comes, as EventStoreDB 24.10 does.

History is looked through in pages of `window` events (fewer, where 32 of them pass); every `interval` events
the end of a page brings a checkpoint. Live events are counted one by one, from zero.
"""

_PAGE_MATCHES = 32


class HistoryCheckpoints:
    """While a subscription catches up."""

    def __init__(self, window: int, interval: int) -> None:
        self._window, self._interval = max(1, window), max(1, interval)
        self._seen = self._in_page = self._matches = 0
        self._page_start = 0
        self._page_match: int | None = None
        self._last: int | None = None  # the newest event or checkpoint that was sent
        self._is_reported = True  # whether the client knows that it has got to `_last`

    def saw(self, position: int, *, passes: bool, sent: bool) -> int | None:
        """Counts one event of the log; the checkpoint that is due after it, if one is.

        `sent` is False for the event at the start position: it counts, but the client has it.
        """
        if not self._in_page:
            self._page_start, self._page_match, self._matches = position, None, 0
        self._in_page += 1
        if passes:
            self._matches += 1
            self._page_match = position
        if sent:
            self._last, self._is_reported = position, False
        if self._in_page < self._window and self._matches < _PAGE_MATCHES:
            return None
        return self._end_page()

    def caught_up(self) -> int | None:
        """The checkpoint that closes history: where the client is, unless the last checkpoint said so."""
        return None if self._is_reported else self._last

    def _end_page(self) -> int | None:
        self._seen += self._in_page
        self._in_page = 0
        if self._seen < self._interval:
            return None
        self._seen %= self._interval
        self._last = self._page_start if self._page_match is None else self._page_match
        self._is_reported = True
        return self._last


class LiveCheckpoints:
    """Once it has caught up."""

    def __init__(self, interval: int) -> None:
        self._interval = max(1, interval)
        self._seen = 0

    def saw(self, position: int) -> int | None:
        """Counts one event of the log; the checkpoint that is due after it, if one is."""
        self._seen += 1
        if self._seen < self._interval:
            return None
        self._seen = 0
        return position
