"""Which events of $all a reader wants: by type or by stream name, by pattern or by prefix."""

from collections.abc import Callable, Iterable

from infrastructure.embedded.eventstoredb.filters.pattern import Pattern
from infrastructure.embedded.eventstoredb.filters.selection import Selection

# Types and names come again and again; remembering the answer costs less than asking the pattern.
_REMEMBERED, _LONGEST_REMEMBERED = 10_000, 1000


class Filter:
    """Decides which records of $all a reader gets, and remembers its answers."""

    def __init__(self, selection: Selection) -> None:
        """Raises InvalidPattern, or PatternTooSlow for a pattern that takes too long to compile."""
        self._by_stream = selection.by_stream
        self._fits: Callable[[str], bool] = (
            Pattern(selection.regex).fits if selection.regex else _Prefixes(selection.prefixes).fit
        )
        self._known: dict[str, bool] = {}

    def admits(self, stream: str, kind: str) -> bool:
        """Whether an event of this type in this stream passes. Raises PatternTooSlow."""
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


class _Prefixes:
    """Looked up by their lengths, so that it does not matter how many there are."""

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._prefixes = frozenset(prefixes)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def fit(self, text: str) -> bool:
        return any(text[:length] in self._prefixes for length in self._lengths)
