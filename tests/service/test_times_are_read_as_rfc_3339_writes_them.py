"""Times as callers write them."""

from datetime import UTC, datetime

import pytest

from service.times import read_day_or_time, read_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUCH_AS = "a time such as 2026-03-01T15:00:00Z or 2026-03-01T16:00:00.5+01:00"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-03-01T12:00:00Z", 0),
        ("2026-03-01t12:00:00z", 0),
        ("2026-03-01T13:30:00+01:30", 0),
        ("2026-02-28T23:00:00-13:00", 0),
        ("2026-03-01T12:00:00-00:00", 0),
        ("2026-03-02T11:59:00+23:59", 0),
        ("2026-03-01T12:00:00.5Z", 500_000),
        ("2026-03-01T12:00:00.000001+00:00", 1),
        ("2026-03-01T12:00:00.1234567Z", 123_456),
        ("2026-03-01T12:00:00.999999999Z", 999_999),
    ],
)
def test_a_time_has_an_offset_and_up_to_nine_digits_of_a_second(text: str, microsecond: int) -> None:
    assert read_time(text) == read_day_or_time(text) == NOON.replace(microsecond=microsecond)
    assert read_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00.0000000001Z",
        "2026-03-01T12:00:00+0100",
        "2026-03-01T12:00:00Z\n",
        "20260301T120000Z",
        "2026-03-01T12:00:00+01:75",
        "2026-03-01T12:00:00-01:60",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2016-12-31T23:59:60Z",  # a leap second
        "2026-W09-7T12:00:00Z",
        "\u0662026-03-01T12:00:00Z",
    ],
)
def test_what_is_no_time_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(ValueError, match=f"^should be {SUCH_AS.replace('+', '[+]')}$"):
        read_time(text)
    with pytest.raises(ValueError, match=f"^should be a day or {SUCH_AS.replace('+', '[+]')}$"):
        read_day_or_time(text)


@pytest.mark.parametrize(
    "text", ["2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "0000-03-01T12:00:00Z", "0001-01-01T00:00:00+01:00"]
)
def test_a_time_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^should be a time that there is$"):
        read_time(text)


def test_a_day_begins_at_midnight_in_utc() -> None:
    assert read_day_or_time("2026-03-01") == NOON.replace(hour=0)
    with pytest.raises(ValueError, match=r"^should be a day that there is$"):
        read_day_or_time("2026-02-29")
