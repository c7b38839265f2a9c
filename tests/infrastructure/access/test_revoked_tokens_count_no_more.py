"""What is revoked, from pages of records: by id, by subject and time, for as long as it matters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from infrastructure.access.caller import Caller
from infrastructure.access.errors import Unauthenticated
from infrastructure.access.revocations import (
    NOTHING_REVOKED,
    REVOCATIONS_STREAM,
    REVOKED,
    Revocation,
    Revocations,
    recorded_revocations,
)
from infrastructure.access.verifier import TokenVerifier
from infrastructure.eventstore.record import Record
from tests.infrastructure.access.issuer import NOW, rsa
from tests.support.clock import Clock

AT = datetime.fromtimestamp(NOW, UTC)
DAY = timedelta(days=1)


def word(
    *,
    token_id: str | None = None,
    subject: str | None = None,
    tenant: str = "default",
    before: datetime = AT,
    until: datetime = AT + DAY,
) -> Revocation:
    of_subject = None if subject is None else before
    return Revocation(
        token_id=token_id,
        subject=subject,
        tenant=tenant,
        before=of_subject,
        until=until,
        actor="cli:ada",
        why="a lost laptop",
        at=AT,
    )


def stream(*words: Revocation | bytes) -> list[Record]:
    stored = [each if isinstance(each, bytes) else each.record().data for each in words]
    return [
        Record(REVOCATIONS_STREAM, number, number, UUID(int=number), REVOKED, data, b"", AT)
        for number, data in enumerate(stored)
    ]


def known(records: Sequence[Record], clock: Clock | None = None) -> Revocations | None:
    recorded = recorded_revocations(clock or Clock(NOW))
    assert recorded.take(records)
    return recorded.known


def anna(**members: object) -> Caller:
    return Caller("anna", frozenset(), **members)  # type: ignore[arg-type]  # members of a caller


def test_a_token_is_revoked_by_its_id_in_whatever_tenant() -> None:
    found = known(stream(word(token_id="t-1")))
    assert found == Revocations(frozenset({"t-1"}))
    assert [found.cover(anna(token_id=each, tenant=tenant)) for each in ("t-1", "t-2", None) for tenant in "ab"] == [
        *(True, True),
        *(False, False, False, False),
    ]


def test_those_of_a_subject_are_revoked_up_to_a_time_in_one_tenant() -> None:
    found = known(stream(word(subject="anna", tenant="acme")))
    assert found == Revocations(subjects={("acme", "anna"): NOW})
    assert found.cover(anna(tenant="acme", issued_at=NOW - 1))
    assert found.cover(anna(tenant="acme"))
    assert not found.cover(anna(tenant="acme", issued_at=NOW))
    assert not found.cover(anna(issued_at=NOW - 1))
    assert not found.cover(Caller("bert", frozenset(), "acme", issued_at=NOW - 1))


def test_the_latest_time_counts_whatever_came_last() -> None:
    words = (word(subject="anna", before=AT), word(subject="anna", before=AT - DAY, until=AT + 2 * DAY))
    clock = Clock(NOW)
    recorded = recorded_revocations(clock)
    recorded.take(stream(*words))
    assert recorded.known == Revocations(subjects={("default", "anna"): NOW})
    clock.now += 1.5 * DAY.total_seconds()
    recorded.take(stream(*words)[-1:])
    assert recorded.known == Revocations(subjects={("default", "anna"): NOW})


def test_what_matters_no_more_is_forgotten_and_never_read() -> None:
    clock = Clock(NOW)
    records = stream(word(token_id="t-1"), word(subject="anna"), word(token_id="t-2", until=AT + 2 * DAY))
    recorded = recorded_revocations(clock)
    recorded.take(records)
    assert recorded.known == Revocations(frozenset({"t-1", "t-2"}), {("default", "anna"): NOW})
    clock.now += DAY.total_seconds()
    recorded.take(records[-1:])
    assert recorded.known == Revocations(frozenset({"t-2"})) == known(records, clock)


def test_the_same_stays_known_while_nothing_changes() -> None:
    records = stream(word(token_id="t-1"))
    recorded = recorded_revocations(Clock(NOW))
    recorded.take(records)
    first = recorded.known
    recorded.take(records)
    assert recorded.known is first


def test_what_can_t_be_read_and_what_is_newer_is_passed_by() -> None:
    newer = word(token_id="t-1").record().data[:-1] + b', "scope": "all"}'
    assert known(stream(b"{", newer)) == Revocations(frozenset({"t-1"}))
    assert known([]) == NOTHING_REVOKED


def test_a_verifier_refuses_what_is_revoked(verifier: TokenVerifier) -> None:
    clock, revoked = verifier.clock, [NOTHING_REVOKED]
    heeding = TokenVerifier(verifier.source, verifier.rules, lambda: revoked[0], clock)
    token = rsa().token(jti="t-1", iat=NOW - 60)
    assert heeding.caller_of(token).token_id == "t-1"
    for found in (Revocations(frozenset({"t-1"})), Revocations(subjects={("default", "anna"): NOW})):
        revoked[0] = found
        with pytest.raises(Unauthenticated, match="the token was revoked"):
            heeding.caller_of(token)


def test_what_this_release_stores_stays_as_it_is() -> None:
    assert word(subject="anna").record().data == (
        b'{"subject":"anna","tenant":"default","before":"2027-01-15T08:00:00Z","until":"2027-01-16T08:00:00Z",'
        b'"actor":"cli:ada","why":"a lost laptop","at":"2027-01-15T08:00:00Z"}'
    )
    assert (REVOCATIONS_STREAM, REVOKED) == ("foldstream-revocations", "TokenRevoked")
