"""Numbers that no event store counts, names that name nothing and bytes that are no text are told in one line."""

import pytest

from tests.support.commands import ran

HIGHEST = 2**63 - 1
AT_MOST = "Input should be less than or equal to"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("read", "order-1", "--from", str(2**63)),
            f"Invalid value for '--from': {AT_MOST} {HIGHEST}",
        ),
        (
            ("read", "$all", "--from", "9" * 23),
            f"Invalid value for '--from': {AT_MOST} {HIGHEST}",
        ),
        (
            ("read", "order-1", "--limit", "9" * 20),
            f"Invalid value for '--limit': {AT_MOST} 1000000000",
        ),
        (
            ("streams", "--before", str(2**63)),
            f"Invalid value for '--before': {AT_MOST} {HIGHEST}",
        ),
        (
            ("streams", "--look-at", "9" * 20),
            f"Invalid value for '--look-at': {AT_MOST} 1000000000",
        ),
        (("read", ""), "Invalid value for 'STREAM': it names no stream"),
        (("history", " "), "Invalid value for 'STREAM': it names no stream"),
        (("append", "", "--file", "f", "--expected", "0", "--why", "w"), "Invalid value for 'STREAM': it names no"),
        (("read", "\udcff\udcfe"), "the argument '\\udcff\\udcfe' is no text in UTF-8"),
        (("streams", "--category", "\udcff"), "the argument '\\udcff' is no text in UTF-8"),
    ],
)
def test_it_is_told_before_a_server_is_asked(words: tuple[str, ...], reason: str) -> None:
    code, output, errors = ran(*words)
    assert (code, output, len(errors)) == (2, [], 1)
    assert errors[0].startswith(f"foldstream {words[0]}: {reason}")
