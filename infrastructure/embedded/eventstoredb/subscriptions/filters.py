"""Which events of $all a reader wants: by type or by stream name, by pattern or by prefix."""

import re
from collections.abc import Callable

from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.storage.record import Record

FilterOptions = streams_pb2.ReadReq.Options.FilterOptions | persistent_pb2.CreateReq.AllOptions.FilterOptions
# Types and names come again and again; remembering the answer costs less than asking the pattern.
_REMEMBERED = 10_000


class Filter:
    """Raises re.error for a pattern that is none, ValueError for options that filter nothing."""

    def __init__(self, options: FilterOptions) -> None:
        kind = options.WhichOneof("filter")
        if kind is None:
            raise ValueError("a filter names neither event types nor streams")
        self._by_stream = kind == "stream_identifier"
        expression = options.stream_identifier if self._by_stream else options.event_type
        self._fits = _matcher(expression.regex, tuple(expression.prefix))
        self._known: dict[str, bool] = {}

    def passes(self, record: Record) -> bool:
        """Whether a reader with this filter gets the record."""
        return self.admits(record.stream, record.type)

    def admits(self, stream: str, kind: str) -> bool:
        """The same for a stream's name and an event's type."""
        text = stream if self._by_stream else kind
        answer = self._known.get(text)
        if answer is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            answer = self._known[text] = self._fits(text)
        return answer


def _matcher(pattern: str, prefixes: tuple[str, ...]) -> Callable[[str], bool]:
    if not pattern:
        return lambda text: text.startswith(prefixes)
    search = re.compile(pattern).search
    return lambda text: search(text) is not None
