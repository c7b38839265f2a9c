"""Demanded by `make check`: a policy that names an action or a role wrongly would permit nothing, in silence."""

import json
import re

import cedarpy

from infrastructure.access.caller import Caller
from service.access.action import Action
from service.access.policy import POLICIES, ROLES, may_at_all

SCHEMA = (POLICIES / "actions.cedarschema").read_text(encoding="utf-8")
TEXT = (POLICIES / "roles.cedar").read_text(encoding="utf-8")


def test_they_are_valid_by_the_schema() -> None:
    result = cedarpy.validate_policies(TEXT, SCHEMA)
    assert (result.validation_passed, [str(error) for error in result.errors]) == (True, [])


def test_the_schema_has_the_actions_that_the_code_has() -> None:
    declared = re.findall(r"^action (.+?)(?: in \[.+?\])? appliesTo", SCHEMA, re.M)
    assert sorted(re.findall(r'"([a-z-]+)"', " ".join(declared))) == sorted(Action)


def test_they_speak_of_roles_that_there_are_and_each_has_a_policy() -> None:
    assert {*re.findall(r'Role::"(.+?)"', TEXT)} == set(ROLES)


def test_each_says_in_words_what_it_is_for() -> None:
    parsed = json.loads(cedarpy.policies_to_json_str(TEXT))["staticPolicies"]
    said = [policy.get("annotations", {}).get("id") for policy in parsed.values()]
    assert len(set(said)) == len(said) == len(re.findall(r"^(permit|forbid)", TEXT, re.M))
    assert None not in said


def test_all_but_those_that_only_administrators_do_are_permitted_to_some_other_role() -> None:
    others = frozenset(ROLES) - {"administrator"}
    alone = {action for action in Action if not may_at_all(Caller("ada", others), action).allowed}
    assert alone == {
        Action.READ_STREAM,
        Action.APPEND_EVENTS,
        Action.ISSUE_TOKENS,
        Action.CHANGE_STORE_USERS,
        Action.BACK_UP_STORE,
    }
