"""Bounds on the sizes of a request, apart from its body: its URL, headers and trailers, and what frames its chunks."""

from typing import Final, Literal

from service.http.problems import Problem
from service.settings import Settings

# Where a request is: before the end of its head; in its body, or before a chunk; after its last chunk.
Part = Literal["head", "body", "trailers"]
_OVERHEAD_FACTOR: Final = 2  # times what is counted of a head, at most, come as bytes: separators and white space, too


class HeadBounds:
    """Counts what one request after another has of each. All methods but `begin` raise Problem."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._bytes = self._fields = 0

    def begin(self) -> None:
        """Begins a request."""
        self._bytes = self._fields = 0

    def add_to_url(self, size: int, whole: int) -> None:
        """Counts a piece of the URL, which has so many bytes with it."""
        self._bytes += size
        if whole > self._settings.url_bytes:
            raise Problem("url-too-long", f"A URL may have {self._settings.url_bytes} bytes.")

    def add_field(self, size: int, part: Part) -> None:
        """Counts a header or a trailer; they share the bounds."""
        self._fields += 1
        self._bytes += size
        field, fields = ("header", "headers") if part == "head" else ("trailer", "headers and trailers")
        if size > self._settings.header_bytes:
            raise _too_large(f"A {field} may have {self._settings.header_bytes} bytes.")
        if self._fields > self._settings.headers:
            raise _too_large(f"A request may have {self._settings.headers} {fields}.")
        self._require_bounded(self._bytes, part)

    def require_result(self, unparsed: int, part: Part) -> None:
        """Refuses too many bytes of which nothing could be told yet."""
        self._require_bounded(unparsed // _OVERHEAD_FACTOR, part)

    def _require_bounded(self, size: int, part: Part) -> None:
        most = self._settings.head_bytes
        if size <= most:
            return
        if part == "head":
            raise _too_large(f"A request's head may have {most} bytes.")
        if part == "trailers":
            raise _too_large(f"A request's head and trailers may have {most} bytes.")
        raise Problem("too-large", f"The size of a chunk, with its extensions, may have {most} bytes.")


def _too_large(detail: str) -> Problem:
    return Problem("head-too-large", detail)
