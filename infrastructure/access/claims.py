"""What the claims of a token have to be, so that they say who asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.stream_name import DEFAULT_TENANT, checked_tenant
from infrastructure.access.caller import ANONYMOUS, COMMAND_LINE, SAGA, Caller
from infrastructure.access.errors import Unauthenticated

LONGEST_LIFE: Final = 366 * 86_400
"""Seconds that a token may still be good for: a revocation need not be remembered for longer."""
LONGEST_LEEWAY: Final = 300
"""Seconds by which clocks may differ at most."""
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,128}")
_ROLE: Final = re.compile(r"[\x21-\x7e]{1,64}")
_MOST_ROLES: Final = 32
_LATEST: Final = 10**11  # in seconds; later times are written in another unit


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Whom a token has to be for and from, None: from anybody whose key is known; `leeway` is in seconds."""

    audience: str = "foldstream"
    issuer: str | None = None
    leeway: int = 30


def caller_in(claims: Mapping[str, Any], rules: TokenRules, now: float) -> Caller:
    """Whom the claims name, in seconds since 1970. Raises Unauthenticated where they break a rule."""
    _require_audience(claims, rules)
    _require_time(claims, rules.leeway, now)
    return Caller(
        subject=_subject_in(claims),
        roles=_roles_in(claims),
        tenant=_tenant_in(claims),
        token_id=_visible(claims, "jti") if "jti" in claims else None,
        issued_at=_time(claims, "iat"),
        expires_at=_time(claims, "exp"),
    )


def _require_audience(claims: Mapping[str, Any], rules: TokenRules) -> None:
    found = claims.get("aud")
    audiences = [found] if isinstance(found, str) else found
    if not isinstance(audiences, list) or rules.audience not in audiences:
        raise Unauthenticated("the token is for another audience")
    if rules.issuer is not None and claims.get("iss") != rules.issuer:
        raise Unauthenticated("the token is from another issuer")


def _require_time(claims: Mapping[str, Any], leeway: int, now: float) -> None:
    expires = _time(claims, "exp")
    if expires is None:
        raise Unauthenticated("the token does not say when it expires (exp)")
    if now >= expires + leeway:
        raise Unauthenticated("the token has expired")
    if expires > now + LONGEST_LIFE:
        raise Unauthenticated("the token expires more than 366 days from now")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and now < begins - leeway:
            raise Unauthenticated(f"the token is not valid yet ({name})")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    found = claims[name]
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= _LATEST:
        raise Unauthenticated(f"the token's {name} should be a number of seconds since 1970")
    return float(found)


def is_visible(text: str) -> bool:
    """Whether it may be a subject or the id of a token: 1 to 128 visible ASCII characters."""
    return _VISIBLE.fullmatch(text) is not None


def _visible(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str) or not is_visible(found):
        raise Unauthenticated(f"the token's {name} should be a text of 1 to 128 visible ASCII characters")
    return found


def _subject_in(claims: Mapping[str, Any]) -> str:
    """Whoever asks: none of those that act without a token, as which an event would then name its actor."""
    subject = _visible(claims, "sub")
    if subject == ANONYMOUS.subject or subject.startswith(SAGA):
        raise Unauthenticated("the token's sub is the name of a part of the service")
    if subject.startswith(COMMAND_LINE):
        raise Unauthenticated(f"the token's sub begins with {COMMAND_LINE}, as of the command line without a token")
    return subject


def _roles_in(claims: Mapping[str, Any]) -> frozenset[str]:
    found = claims.get("roles", [])
    if not isinstance(found, list) or len(found) > _MOST_ROLES or not all(map(_is_role, found)):
        raise Unauthenticated("the token's roles should be a list of at most 32 names")
    return frozenset(found)


def _is_role(found: object) -> bool:
    return isinstance(found, str) and _ROLE.fullmatch(found) is not None


def _tenant_in(claims: Mapping[str, Any]) -> str:
    found = claims.get("tenant", DEFAULT_TENANT)
    try:
        return checked_tenant(found)
    except (TypeError, ValueError) as error:
        raise Unauthenticated("the token's tenant should be a lower-case word of at most 32 characters") from error
