"""What an entry holds is bounded, is stored under one name, and lies where no aggregate, saga or projection looks."""

import json
import re
from uuid import UUID

import pytest

from domain.stream_name import access_stream, checked_category
from infrastructure.access.access_entry import LONGEST, LONGEST_ROLE, MOST_ROLES, Asked, entry_in, entry_of, record_with
from infrastructure.access.access_log import BATCH
from infrastructure.access.caller import ANONYMOUS, Caller
from infrastructure.eventstore.record import Record
from infrastructure.eventstore.stream_patterns import category_pattern, derived_pattern
from service.consumers import DECIDERS, SAGAS
from tests.infrastructure.access.entries import NOON, entry

ASKED = Asked("read-history", "order-1", "http", UUID(int=7))
ESCAPED = "\x1b"  # six bytes as JSON
STORED = {
    "entry_id": "00000000-0000-0000-0000-000000000001",
    "at": "2026-11-28T12:00:00Z",
    "subject": "ada",
    "roles": ["auditor"],
    "action": "read-history",
    "resource": "order-0000",
    "outcome": "refused",
    "rule": "forbidden",
    "correlation_id": "00000000-0000-0000-0000-000000000000",
    "source": "http",
    "times": 1,
}


def test_who_asked_for_what_is_kept_with_the_roles_in_order() -> None:
    made = entry_of(Caller("ada", frozenset({"operator", "auditor"}), "acme"), ASKED, NOON)
    assert made == entry(
        entry_id=made.entry_id, roles=("auditor", "operator"), resource="order-1", correlation_id=UUID(int=7)
    )


def test_a_refusal_names_its_rule() -> None:
    made = entry_of(ANONYMOUS, ASKED, NOON, "unauthenticated")
    assert (made.subject, made.roles, made.outcome, made.rule) == ("anonymous", (), "refused", "unauthenticated")


def test_no_text_is_kept_without_a_bound() -> None:
    roles = frozenset({f"{number:03}{ESCAPED * 1000}" for number in range(100)})
    made = entry_of(Caller(ESCAPED * 100_000, roles), Asked("a", ESCAPED * 100_000, "cli", UUID(int=0)), NOON)
    assert made.subject == made.resource == ESCAPED * (LONGEST - 1) + "…"
    assert (len(made.roles), {len(role) for role in made.roles}) == (MOST_ROLES, {LONGEST_ROLE})
    assert BATCH * len(record_with(made).data) < 2**20


def test_it_is_stored_by_name_and_read_with_members_of_a_later_release() -> None:
    told = entry(outcome="refused", rule="forbidden", entry_id=UUID(int=1))
    written = record_with(told)
    assert (written.type, json.loads(written.data), written.metadata) == (
        "AccessRecorded",
        STORED,
        b'{"schema_version":1}',
    )
    later = json.dumps({**STORED, "device": "a phone"}).encode()
    stream = access_stream(NOON.date())
    assert entry_in(Record(stream, 0, 1, UUID(int=2), written.type, later, written.metadata, NOON)) == told


@pytest.mark.parametrize("name", ["access-2026-11-28", "acme.access-2026-11-28"])
def test_nobody_who_folds_streams_takes_it_for_one_of_theirs(name: str) -> None:
    assert access_stream(NOON.date(), "acme" if "." in name else "default") == name
    categories = [*(each.category for each in DECIDERS), *(each.category for each in SAGAS)]
    assert [pattern for pattern in (category_pattern, derived_pattern) if re.fullmatch(pattern(categories), name)] == []
    with pytest.raises(ValueError, match="access is no aggregate's category: its streams hold the access log"):
        checked_category("access")
