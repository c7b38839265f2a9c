"""What is kept for a call counts for its connection, too."""

from infrastructure.embedded.eventstoredb.wire.memory_quota import Limit, MemoryQuota


def calls(count: int) -> list[MemoryQuota]:
    """Those of one connection; each may have three things or thirty bytes, all of them five or fifty."""
    connection = MemoryQuota(Limit(5, 50))
    return [MemoryQuota(Limit(3, 30), connection) for _ in range(count)]


def test_a_call_has_too_much_when_it_is_beyond_one_of_its_bounds() -> None:
    many, large = calls(1)[0], calls(1)[0]
    many.add(size=3, count=3)
    large.add(size=30)
    assert (many.is_exceeded, large.is_exceeded) == (False, False)
    many.add(size=0)
    large.add(size=1)
    assert (many.is_exceeded, large.is_exceeded) == (True, True)


def test_all_calls_have_too_much_when_their_connection_has() -> None:
    one, other = calls(2)
    one.add(size=30)
    other.add(size=20)
    assert (one.is_exceeded, other.is_exceeded) == (False, False)
    other.add(size=1)
    assert (one.is_exceeded, other.is_exceeded) == (True, True)


def test_what_is_taken_away_or_ends_with_its_call_is_room_for_others() -> None:
    one, other, third = calls(3)
    for call in (one, other):
        call.add(size=26)
    assert third.is_exceeded
    one.add(size=-26, count=-1)
    assert not third.is_exceeded
    one.add(size=26)
    other.clear()
    assert (other.count, other.size, third.is_exceeded) == (0, 0, False)
