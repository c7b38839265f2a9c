"""Everything that somebody may do here, over HTTP or on the command line, by the names that the policies know."""

from enum import StrEnum
from typing import Final


class Action(StrEnum):
    """One thing that a caller does. Each stands in the schema of the policies, in `policies/actions.cedarschema`."""

    CREATE_ORDER = "create-order"
    CHANGE_ORDER = "change-order"
    CONFIRM_ORDER = "confirm-order"
    CANCEL_ORDER = "cancel-order"
    READ_ORDER = "read-order"
    LIST_ORDERS_OF_CUSTOMER = "list-orders-of-customer"
    LIST_ORDERS = "list-orders"

    OPEN_ACCOUNT = "open-account"
    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"
    READ_ACCOUNT = "read-account"
    READ_STATEMENT = "read-statement"
    LIST_ACCOUNTS = "list-accounts"

    REQUEST_TRIP = "request-trip"
    CANCEL_TRIP = "cancel-trip"
    READ_TRIP = "read-trip"
    LIST_TRIPS_OF_CUSTOMER = "list-trips-of-customer"
    LIST_NOTIFICATIONS_OF_CUSTOMER = "list-notifications-of-customer"
    ANSWER_FOR_AIRLINE = "answer-for-airline"

    RECEIVE_STOCK = "receive-stock"
    WRITE_OFF_STOCK = "write-off-stock"
    READ_STOCK = "read-stock"
    LIST_STOCK = "list-stock"
    SET_OFFER = "set-offer"
    READ_OFFER = "read-offer"

    LIST_ROWS = "list-rows"
    READ_REPORTS = "read-reports"

    READ_HISTORY = "read-history"
    READ_TRACE = "read-trace"
    EXPORT_HISTORY = "export-history"
    READ_ACCESS_LOG = "read-access-log"

    LIST_SAGAS = "list-sagas"
    READ_SAGA = "read-saga"
    RETRY_SAGA = "retry-saga"
    SKIP_SAGA = "skip-saga"
    COMPENSATE_SAGA = "compensate-saga"
    CANCEL_SAGA = "cancel-saga"
    PAUSE_SAGA = "pause-saga"
    RESUME_SAGA = "resume-saga"
    MIGRATE_SAGA = "migrate-saga"
    SIGNAL_SAGA = "signal-saga"

    READ_METRICS = "read-metrics"
    READ_HEALTH = "read-health"

    READ_PROJECTIONS = "read-projections"
    PAUSE_PROJECTIONS = "pause-projections"
    AUDIT_READ_MODELS = "audit-read-models"
    REBUILD_READ_MODELS = "rebuild-read-models"
    READ_VIEWS = "read-views"
    DROP_VIEWS = "drop-views"
    READ_POISON = "read-poison"
    MEND_POISON = "mend-poison"
    READ_SUBSCRIPTIONS = "read-subscriptions"
    READ_PARKED = "read-parked"
    MEND_PARKED = "mend-parked"
    READ_SNAPSHOTS = "read-snapshots"
    CHANGE_SNAPSHOTS = "change-snapshots"
    CHECK_RELEASE = "check-release"
    EXAMINE = "examine"
    LIST_TENANTS = "list-tenants"
    LIST_STREAMS = "list-streams"
    READ_STREAM = "read-stream"
    APPEND_EVENTS = "append-events"
    REVOKE_TOKENS = "revoke-tokens"
    ISSUE_TOKENS = "issue-tokens"
    CHANGE_STORE_USERS = "change-store-users"
    BACK_UP_STORE = "back-up-store"


OPEN: Final = "open"
"""What a route or a verb declares that is for everybody, with a token or without."""
