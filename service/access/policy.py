"""Asks the policies whether a caller may do something: one function for HTTP, the command line and pages."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import cedarpy

from infrastructure.access.caller import Caller
from service.access.action import Action

POLICIES: Final = Path(__file__).with_name("policies")
ROLES: Final = ("customer", "clerk", "warehouse", "auditor", "operator", "monitor", "administrator")
_REMEMBERED: Final = 16_384  # decisions; a few for each set of roles and each tenant
_CALLER: Final = {"type": "Caller", "id": "caller"}
_THING: Final = {"type": "Thing", "id": "thing"}


@dataclass(frozen=True, slots=True)
class Thing:
    """What is acted on, as far as it matters: the subject that it belongs to, None where that is nobody."""

    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it may be done, and which policies say so; none of them where nothing permits it."""

    allowed: bool
    policies: tuple[str, ...] = ()


NOBODYS: Final = Thing()


def may(caller: Caller, action: Action, resource: Thing = NOBODYS) -> Decision:
    """Whether the caller may do that to that thing. What no policy permits is denied, and so is what can't be judged.

    Microseconds: a decision is remembered for all callers with the same roles and tenant.
    """
    return _decided(caller.roles & _KNOWN, caller.tenant, action, resource.owner == caller.subject)


def may_at_all(caller: Caller, action: Action) -> Decision:
    """Whether there is anything that the caller may do that to: if to nothing else, to what is its own."""
    return may(caller, action, Thing(caller.subject))


def reach_of(caller: Caller, action: Action) -> str | None:
    """The only owner whose things the caller may do that to: None where it may with anybody's, else itself."""
    return None if may(caller, action).allowed else caller.subject


_KNOWN: Final = frozenset(ROLES)


@lru_cache(maxsize=_REMEMBERED)
def _decided(roles: frozenset[str], tenant: str, action: Action, own: bool) -> Decision:
    request = {"principal": _CALLER, "action": {"type": "Action", "id": action.value}, "resource": _THING}
    caller = {"uid": _CALLER, "attrs": {"tenant": tenant}, "parents": [_role(name) for name in sorted(roles)]}
    thing = {"uid": _THING, "attrs": {"own": own}, "parents": list[Any]()}
    found = cedarpy.is_authorized(request, _policies(), [caller, thing], _schema())
    why = found.diagnostics.id_annotations_by_reason
    return Decision(found.allowed and not found.diagnostics.errors, tuple(sorted(why.values())))


def _role(name: str) -> dict[str, str]:
    return {"type": "Role", "id": name}


@cache
def _policies() -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str((POLICIES / "roles.cedar").read_text(encoding="utf-8"))


@cache
def _schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str((POLICIES / "actions.cedarschema").read_text(encoding="utf-8"))
