"""Entries of the access log as they are told, over HTTP and on the command line."""

from typing_extensions import TypedDict

from infrastructure.access.access_entry import AccessRecorded
from infrastructure.times import time_text


class AccessEntry(TypedDict):
    """Who asked when for what, from where, how many times, and whether it was allowed; `rule` says by which it was
    refused.
    """

    entry_id: str
    at: str
    subject: str
    roles: list[str]
    action: str
    resource: str
    outcome: str
    rule: str | None
    correlation_id: str
    source: str
    times: int


def entry_answer(entry: AccessRecorded) -> AccessEntry:
    """The entry as JSON has it."""
    return AccessEntry(
        entry_id=str(entry.entry_id),
        at=time_text(entry.at),
        subject=entry.subject,
        roles=list(entry.roles),
        action=entry.action,
        resource=entry.resource,
        outcome=entry.outcome,
        rule=entry.rule,
        correlation_id=str(entry.correlation_id),
        source=entry.source,
        times=entry.times,
    )
