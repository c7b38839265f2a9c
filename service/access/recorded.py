"""Which actions the access log keeps, with every refusal of them: the one place that says so."""

from typing import Final

from service.access.action import Action

RECORDED: Final = frozenset(
    {
        Action.READ_HISTORY,
        Action.READ_TRACE,
        Action.EXPORT_HISTORY,
        Action.READ_ACCESS_LOG,
        Action.RETRY_SAGA,
        Action.SKIP_SAGA,
        Action.COMPENSATE_SAGA,
        Action.CANCEL_SAGA,
        Action.PAUSE_SAGA,
        Action.RESUME_SAGA,
        Action.MIGRATE_SAGA,
        Action.SIGNAL_SAGA,
        Action.PAUSE_PROJECTIONS,
        Action.AUDIT_READ_MODELS,
        Action.REBUILD_READ_MODELS,
        Action.DROP_VIEWS,
        Action.READ_POISON,
        Action.MEND_POISON,
        Action.READ_PARKED,
        Action.MEND_PARKED,
        Action.CHANGE_SNAPSHOTS,
        Action.LIST_TENANTS,
        Action.REVOKE_TOKENS,
    }
)
"""Whatever shows stored events, and whatever an operator does."""

UNRECORDED: Final = frozenset(Action) - RECORDED
"""Commands, which leave events of their own with their actor, queries of read models, and figures.

A token is issued, and a user of the embedded event store changed, without any event store.
"""
