"""Which actions the access log keeps, with every refusal of them: the one place that says so."""

from typing import Final

from service.access.action import Action

RECORDED: Final = frozenset(
    {
        Action.READ_HISTORY,
        Action.READ_TRACE,
        Action.EXPORT_HISTORY,
        Action.READ_ACCESS_LOG,
        Action.READ_SAGA,
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
        Action.LIST_STREAMS,
        Action.READ_STREAM,
        Action.APPEND_EVENTS,
        Action.REVOKE_TOKENS,
    }
)
"""Whatever shows stored events, a saga's timeline among them, and whatever an operator does."""

UNRECORDED: Final = frozenset(
    {
        Action.CREATE_ORDER,
        Action.CHANGE_ORDER,
        Action.CONFIRM_ORDER,
        Action.CANCEL_ORDER,
        Action.READ_ORDER,
        Action.LIST_ORDERS_OF_CUSTOMER,
        Action.LIST_ORDERS,
        Action.OPEN_ACCOUNT,
        Action.DEPOSIT,
        Action.WITHDRAW,
        Action.READ_ACCOUNT,
        Action.READ_STATEMENT,
        Action.LIST_ACCOUNTS,
        Action.REQUEST_TRIP,
        Action.CANCEL_TRIP,
        Action.READ_TRIP,
        Action.LIST_TRIPS_OF_CUSTOMER,
        Action.LIST_NOTIFICATIONS_OF_CUSTOMER,
        Action.ANSWER_FOR_AIRLINE,
        Action.RECEIVE_STOCK,
        Action.WRITE_OFF_STOCK,
        Action.READ_STOCK,
        Action.LIST_STOCK,
        Action.SET_OFFER,
        Action.READ_OFFER,
        Action.LIST_ROWS,
        Action.READ_REPORTS,
        Action.LIST_SAGAS,
        Action.READ_METRICS,
        Action.READ_HEALTH,
        Action.READ_PROJECTIONS,
        Action.READ_VIEWS,
        Action.READ_SUBSCRIPTIONS,
        Action.READ_SNAPSHOTS,
        Action.CHECK_RELEASE,
        Action.EXAMINE,
        Action.ISSUE_TOKENS,
        Action.CHANGE_STORE_USERS,
        Action.BACK_UP_STORE,
    }
)
"""Commands, which leave events of their own with their actor, queries of read models, and figures.

A token is issued, a user of the embedded event store changed, and its log copied, without any event store.
"""
