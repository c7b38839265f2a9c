"""Which persistent subscriptions of a store are this service's, and of which saga."""

from typing import NamedTuple

from infrastructure.eventstore.group_calls import ALL
from infrastructure.sagas.filters import filter_id, group_name, is_group_of, pattern_of
from service.consumers import SAGAS, groups_of


class Owner(NamedTuple):
    """A saga of this service. `is_former`: the group has another filter than the saga has in this release, and is
    deleted once nobody consumes it."""

    saga: str
    is_former: bool


def owner_of(source: str, name: str, namespace: str) -> Owner | None:
    """The saga to which a group belongs, None where it is none of this service's."""
    if source != ALL:
        return None
    for saga in SAGAS:
        groups = groups_of(saga, namespace)
        if is_group_of(groups, name):
            return Owner(saga.category, name != group_name(groups, filter_id(pattern_of(saga))))
    return None
