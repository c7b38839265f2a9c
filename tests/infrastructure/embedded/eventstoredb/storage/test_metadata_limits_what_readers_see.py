"""What is read from a stream's metadata."""

import pytest

from infrastructure.embedded.eventstoredb.storage.metadata import MAX, NOTHING, Metadata, parse, undeleted


def test_limits_are_read_and_other_keys_left_alone() -> None:
    document = b'{"$maxCount": 2, "$maxAge": 60, "$tb": 7, "owner": "x"}'
    assert parse(document, is_json=True) == Metadata(max_count=2, max_age=60, truncate_before=7)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'"text"',
        b'{"$maxCount": "x", "$tb": 1}',
        b'{"$tb": 1.5}',
        b'{"$maxAge": true}',
    ],
)
def test_metadata_that_makes_no_sense_limits_nothing(document: bytes) -> None:
    assert parse(document, is_json=True) == NOTHING


def test_numbers_out_of_range_are_ignored_one_by_one() -> None:
    assert parse(b'{"$maxCount": 0, "$maxAge": -1, "$tb": 3}', is_json=True) == Metadata(truncate_before=3)


def test_metadata_that_is_not_json_limits_nothing() -> None:
    assert parse(b'{"$tb": 3}', is_json=False) == NOTHING


@pytest.mark.parametrize(
    ("metadata", "first"),
    [(NOTHING, 0), (Metadata(max_count=2), 8), (Metadata(truncate_before=5), 5), (Metadata(2, None, 9), 9)],
)
def test_the_stricter_limit_says_which_event_is_the_first_to_be_seen(metadata: Metadata, first: int) -> None:
    assert metadata.first_visible(last=9) == first


def test_a_stream_is_deleted_when_everything_is_truncated_for_ever() -> None:
    assert (Metadata(truncate_before=MAX).soft_deleted, Metadata(truncate_before=9).soft_deleted) == (True, False)


def test_bringing_a_stream_back_keeps_the_rest_of_its_metadata() -> None:
    assert undeleted(b'{"a": 1, "$tb": 9}', is_json=True, first=4) == b'{\n  "a": 1,\n  "$tb": 4\n}'


def test_half_a_surrogate_pair_stays_as_it_was_written() -> None:
    assert undeleted(b'{"a": "\\ud800"}', is_json=True, first=4) == b'{\n  "a": "\\ud800",\n  "$tb": 4\n}'
