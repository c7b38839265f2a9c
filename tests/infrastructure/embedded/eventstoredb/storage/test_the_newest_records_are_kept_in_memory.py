"""The newest records, kept in memory for those who follow the log."""

from infrastructure.embedded.eventstoredb.storage.rows import Row
from infrastructure.embedded.eventstoredb.storage.tail_cache import TailCache


def rows(first: int, count: int, size: int = 1) -> list[Row]:
    """At every tenth position, in the streams s0 to s9 in turn."""
    return [(first + 10 * n, f"s{n % 10}", "T", b"x" * size) for n in range(count)]


def test_it_knows_nothing_of_what_was_there_before_it() -> None:
    tail = TailCache(last_position=100)
    assert (tail.forwards(100, 9), tail.forwards(101, 9)) == (None, [])


def test_it_gives_what_is_at_or_after_a_position_up_to_a_limit() -> None:
    tail = TailCache(last_position=0)
    tail.extend(rows(10, 5))
    assert tail.forwards(20, 2) == rows(10, 5)[1:3]
    assert tail.forwards(21, 9) == rows(10, 5)[2:]


def test_it_forgets_the_oldest_when_there_are_too_many_and_says_so() -> None:
    tail = TailCache(last_position=0)
    everything = rows(10, 20_000)
    for start in range(0, 20_000, 100):
        tail.extend(everything[start : start + 100])
    newest = tail.forwards(everything[-3000][0], 5000)
    assert (tail.forwards(10, 1), newest) == (None, everything[-3000:])


def test_it_forgets_the_oldest_when_they_are_too_large() -> None:
    tail = TailCache(last_position=0)
    large = rows(10, 40, size=1024 * 1024)
    for row in large:
        tail.extend([row])
    assert (tail.forwards(large[0][0], 1), tail.forwards(large[-2][0], 9)) == (None, large[-2:])


def test_one_write_that_is_too_large_for_it_is_left_to_the_disk() -> None:
    tail = TailCache(last_position=0)
    tail.extend(rows(10, 1, size=100 * 1024 * 1024))
    assert (tail.forwards(10, 1), tail.forwards(11, 1)) == (None, [])


def test_it_tells_whether_a_stream_was_written_to() -> None:
    tail = TailCache(last_position=0)
    tail.extend(rows(10, 3))
    assert [tail.concerns(stream, 10) for stream in ("s0", "s1", "s3")] == [False, True, False]
    assert tail.concerns("s3", -1)
