"""What the policies allow, role by role, and what they deny whoever they do not know."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.access.caller import ANONYMOUS, Caller
from service.access.action import Action
from service.access.policy import ROLES, Decision, Thing, may, may_at_all, reach_of

INSTALLATION = {
    Action.READ_METRICS,
    Action.READ_HEALTH,
    Action.READ_PROJECTIONS,
    Action.PAUSE_PROJECTIONS,
    Action.AUDIT_READ_MODELS,
    Action.REBUILD_READ_MODELS,
    Action.READ_VIEWS,
    Action.DROP_VIEWS,
    Action.READ_POISON,
    Action.MEND_POISON,
    Action.READ_SUBSCRIPTIONS,
    Action.READ_PARKED,
    Action.MEND_PARKED,
    Action.READ_SNAPSHOTS,
    Action.CHANGE_SNAPSHOTS,
    Action.CHECK_RELEASE,
    Action.EXAMINE,
    Action.LIST_TENANTS,
    Action.LIST_STREAMS,
    Action.READ_STREAM,
    Action.APPEND_EVENTS,
    Action.REVOKE_TOKENS,
    Action.ISSUE_TOKENS,
    Action.CHANGE_STORE_USERS,
    Action.BACK_UP_STORE,
}


def caller(*roles: str, tenant: str = "default") -> Caller:
    return Caller("ada", frozenset(roles), tenant)


@pytest.mark.parametrize(
    "roles", [(), ("manager",), ("Administrator",), ("administrator ",), ("",), ('x" in Role::"clerk',)]
)
def test_who_has_no_role_that_is_known_may_nothing(roles: tuple[str, ...]) -> None:
    assert not any(may_at_all(caller(*roles), action).allowed for action in Action)


def test_nobody_known_may_nothing() -> None:
    assert not any(may(ANONYMOUS, action, Thing("anonymous")).allowed for action in Action)


def test_a_customer_acts_on_its_own_alone() -> None:
    ada = caller("customer")
    assert may(ada, Action.CANCEL_ORDER, Thing("ada")) == Decision(
        allowed=True, policies=("a customer acts on and reads what is its own",)
    )
    refused = Decision(allowed=False)
    assert [may(ada, Action.CANCEL_ORDER, Thing(owner)) for owner in ("bob", "Ada", "", None)] == [refused] * 4


def test_what_is_there_for_somebody_is_all_or_what_is_their_own() -> None:
    assert reach_of(caller("customer"), Action.READ_ORDER) == "ada"
    assert reach_of(caller("clerk"), Action.READ_ORDER) is None
    assert reach_of(caller("customer", "clerk"), Action.READ_ORDER) is None
    assert reach_of(caller("customer", "warehouse"), Action.READ_ORDER) == "ada"


@pytest.mark.parametrize("role", ROLES)
def test_the_whole_installation_is_for_the_default_tenant(role: str) -> None:
    here = {action for action in Action if may(caller(role), action).allowed}
    elsewhere = {action for action in Action if may(caller(role, tenant="acme"), action).allowed}
    assert elsewhere == here - INSTALLATION


def test_an_administrator_of_another_tenant_is_told_which_policy_forbids_it() -> None:
    decision = may(caller("administrator", tenant="acme"), Action.REBUILD_READ_MODELS)
    assert decision == Decision(allowed=False, policies=("the whole installation is the default tenant's",))


@settings(max_examples=25, deadline=None)  # each asks for some hundred decisions
@given(
    st.frozensets(st.sampled_from(ROLES)), st.frozensets(st.sampled_from(ROLES)), st.sampled_from(["default", "acme"])
)
def test_several_roles_may_what_each_of_them_may_and_nothing_else(
    some: frozenset[str], others: frozenset[str], tenant: str
) -> None:
    for action, owner in product(Action, ("ada", None)):
        one, two, both = (
            may(caller(*roles, tenant=tenant), action, Thing(owner)).allowed for roles in (some, others, some | others)
        )
        assert both == (one or two)
