"""What an audit finds, in a temporary file: there may be more of it than fits into memory."""

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from projections.projection import Entry

Kind: TypeAlias = Literal["missing", "extra", "different", "unverified"]
What: TypeAlias = Literal["row", "id", "field", "entry", "key", "size", "count", "stream", "sum", "group"]
UNCLEAR: Final = "unverified"
_TABLES: Final = """
CREATE TABLE findings (
  partition INTEGER, position INTEGER, kind TEXT, what TEXT, stream TEXT, name TEXT, member TEXT, stored TEXT,
  folded TEXT, outcome TEXT, UNIQUE (partition, kind, what, stream, name, member));
CREATE INDEX by_stream ON findings (partition, stream);
CREATE TABLE accounted (digest INTEGER PRIMARY KEY);
CREATE TABLE looked_at (digest INTEGER PRIMARY KEY);
"""


class Finding(NamedTuple):
    """What differs in a partition at a position of the log.

    `name` is that of a field of the row, of an index or of a group of sums, `member` one of these; empty where there is
    none. `stored` is what Redis has, `folded` what the log comes to, and for what could not be `unverified` the reason.
    `outcome` says what a repair has done about it.
    """

    partition: int
    position: int
    kind: Kind
    what: What
    stream: str = ""
    name: str = ""
    member: str = ""
    stored: str | None = None
    folded: str | None = None
    outcome: str | None = None


class Findings:
    """Those of one audit, in the order in which they were found; and the index entries that streams account for."""

    def __init__(self) -> None:
        self._file: Final = sqlite3.connect("", isolation_level=None)
        self._file.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")

    def add(self, found: Iterable[Finding]) -> None:
        """Keeps each once."""
        self._file.executemany(f"INSERT OR IGNORE INTO findings VALUES ({', '.join('?' * 10)})", found)

    def count(self) -> int:
        """How many there are, without what could not be verified."""
        return self._number("SELECT count(*) FROM findings WHERE kind != ?", UNCLEAR)

    def unverified(self) -> int:
        """How many streams could not be verified."""
        return self._number("SELECT count(*) FROM findings WHERE kind = ?", UNCLEAR)

    def repaired(self) -> int:
        """How many were mended."""
        return self._number("SELECT count(*) FROM findings WHERE outcome = 'repaired'")

    def __iter__(self) -> Iterator[Finding]:
        return (Finding(*row) for row in self._file.execute("SELECT * FROM findings ORDER BY rowid"))

    def of_streams(self, partition: int) -> Iterator[str]:
        """The streams of a partition of which something was found; `mended` may be called meanwhile."""
        query = (
            "SELECT stream FROM findings WHERE partition = ? AND stream > ? AND kind != 'unverified'"
            " ORDER BY stream LIMIT 1"
        )
        last = ""
        while (found := self._file.execute(query, (partition, last)).fetchone()) is not None:
            last = found[0]
            yield last

    def of_indexes(self, partition: int, what: What) -> Iterator[Finding]:
        """The findings of a partition that are of no stream; `mended` may be called meanwhile."""
        last = 0
        query = "SELECT rowid, * FROM findings WHERE partition = ? AND what = ? AND stream = '' AND rowid > ? LIMIT 1"
        while (found := self._file.execute(query, (partition, what, last)).fetchone()) is not None:
            last = found[0]
            yield Finding(*found[1:])

    def lacking(self, partition: int, what: What, name: str = "") -> int:
        """How many entries of an index, or ids, are missing, less those that are extra."""
        return self._number(
            "SELECT total(CASE kind WHEN 'missing' THEN 1 WHEN 'extra' THEN -1 ELSE 0 END) FROM findings"
            " WHERE partition = ? AND what = ? AND name = ?",
            partition,
            what,
            name,
        )

    def mended(self, partition: int, stream: str, outcome: str) -> None:
        """Notes the outcome for a stream."""
        self._file.execute(
            "UPDATE findings SET outcome = ? WHERE partition = ? AND stream = ? AND kind != 'unverified'",
            (outcome, partition, stream),
        )

    def mended_alone(self, finding: Finding, outcome: str) -> None:
        """Notes the outcome for a finding that is of no stream."""
        self._file.execute(
            "UPDATE findings SET outcome = ?"
            " WHERE partition = ? AND what = ? AND stream = '' AND name = ? AND member = ?",
            (outcome, finding.partition, finding.what, finding.name, finding.member),
        )

    def account(self, entries: Iterable[Entry]) -> None:
        """These entries follow from a stream, whatever their score."""
        digests = ((_digest(entry.index, entry.member),) for entry in entries)
        self._file.executemany("INSERT OR IGNORE INTO accounted VALUES (?)", digests)

    def accounts_for(self, index: str, member: str) -> bool:
        """Whether a stream was found to account for that entry."""
        query = "SELECT count(*) FROM accounted WHERE digest = ?"
        return self._number(query, _digest(index, member)) > 0

    def is_first_look(self, partition: int, row_key: str) -> bool:
        """Whether it is asked for the first time."""
        digest = _digest(str(partition), row_key)
        return self._file.execute("INSERT OR IGNORE INTO looked_at VALUES (?)", (digest,)).rowcount > 0

    def _number(self, query: str, *values: Any) -> int:
        return int(self._file.execute(query, values).fetchone()[0])

    def __enter__(self) -> "Findings":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _digest(*parts: str) -> int:
    """A number for these texts; that two have the same is as good as impossible."""
    text = "\0".join(parts).encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
