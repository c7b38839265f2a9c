"""Which events of $all a reader wants: by type or by stream name, by pattern or by prefix."""

from collections.abc import Callable, Iterable, Sequence

from esdbclient.protos.Grpc import persistent_pb2, streams_pb2

from infrastructure.embedded.eventstoredb.storage.record import Record
from infrastructure.embedded.eventstoredb.subscriptions.patterns import Pattern

FilterOptions = streams_pb2.ReadReq.Options.FilterOptions | persistent_pb2.CreateReq.AllOptions.FilterOptions
# Types and names come again and again; remembering the answer costs less than asking the pattern.
_REMEMBERED, _LONGEST_REMEMBERED = 10_000, 1000


class Filter:
    """Raises re.error for a pattern that is none, ValueError for options that filter nothing.

    Asking it raises PatternTooSlow.
    """

    def __init__(self, options: FilterOptions) -> None:
        kind = options.WhichOneof("filter")
        if kind is None:
            raise ValueError("a filter names neither event types nor streams")
        self._by_stream = kind == "stream_identifier"
        expression = options.stream_identifier if self._by_stream else options.event_type
        self._fits = _matcher(expression.regex, expression.prefix)
        self._known: dict[str, bool] = {}

    def passes(self, record: Record) -> bool:
        """Whether a reader with this filter gets the record."""
        return self.admits(record.stream, record.type)

    def admits(self, stream: str, kind: str) -> bool:
        """The same for a stream's name and an event's type."""
        text = stream if self._by_stream else kind
        answer = self._known.get(text)
        if answer is None:
            answer = self._fits(text)
            self._remember(text, answer)
        return answer

    def _remember(self, text: str, answer: bool) -> None:
        if len(text) > _LONGEST_REMEMBERED:
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[text] = answer


def _matcher(pattern: str, prefixes: Sequence[str]) -> Callable[[str], bool]:
    return Pattern(pattern).fits if pattern else _Prefixes(prefixes).fit


class _Prefixes:
    """Looked up by their lengths, so that it does not matter how many there are."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._prefixes = frozenset(prefixes)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def fit(self, text: str) -> bool:
        return any(text[:length] in self._prefixes for length in self._lengths)
