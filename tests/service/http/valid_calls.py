"""A check of Schemathesis in place of its own `positive_data_acceptance`: what the schema allows is not malformed.

Its own one goes by the status, and takes 404 and 409 for the two that say how things stand. Here 412, 422 and 503 may
say that too; the rule of the problem tells which. What JSON Schema and OpenAPI have no words for is listed, with why.
"""

from typing import Any, Final, TypeAlias

import schemathesis

AnyCase: TypeAlias = schemathesis.Case[Any]
STANDING: Final = {
    "version-mismatch": "`If-Match` names another version than the present one",
    "foreign-position": "`at_least` has the form of a token, and is one of another store",
    "read-model-behind": "`at_least` has the form of a token, and is beyond the end of the log",
    "view-is-past": "`at_least` is beyond the end of the view",
    "idempotency-key-reused": "the same key was drawn for another request",
}
"""Rules that a well-formed request may break, and how things stand then."""
_GIVEN_OUT: Final = "is none of those that this service gives out"
_ANYWHERE: Final = "*"
UNSAYABLE: Final = {
    ("?cursor", _GIVEN_OUT): "a cursor is opaque: its form does not make it one",
    ("?at_least", _GIVEN_OUT): "digits beyond 64 bits have the form of a token",
    ("?at", "either this or version has to be given"): "OpenAPI has no words for one parameter or the other",
    ("?step", "name its type"): "OpenAPI has no words for one parameter with the other",
    ("?to", "should be after from"): "a schema compares no values",
    ("?from", "should be at most"): "a schema compares no values",
    ("?from", "should be before the end of the time"): "a schema compares no values, and knows no present",
    ("", "a text holds NUL or half of a surrogate pair"): "a schema would say it at each text; it is so for all JSON",
    (_ANYWHERE, "should be a valid integer"): "1.0 is an integer of JSON Schema; here one is written in digits alone",
    (
        "/amount",
        "is no amount of",
    ): "the currency of the account, which stands in its stream, says how many decimals",
    ("/unit_price", "is no amount of"): "as above, the order's",
    ("If-Match", "in quotes"): "Schemathesis tries boundaries of headers in letters and digits, whatever the pattern",
}
"""Refusals of a form that the schema allows, by pointer and a part of the reason, and why they are right."""
_HOW_IT_STANDS: Final = {401, 403, 404, 409}


@schemathesis.check
def valid_calls_are_not_malformed(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: AnyCase
) -> None:
    """Fails for a refusal of what the document allows, and for a server that is away: they are all there."""
    status = response.status_code
    if status < 400 or status in _HOW_IT_STANDS or case.meta is None:
        return
    problem = response.json()
    if status == 503:
        assert problem["rule"] == "read-model-behind", f"503 though all servers are there: {problem}"
    if case.meta.generation.mode.is_positive and not _is_probe(case) and problem["rule"] not in STANDING:
        faults = [fault for fault in problem.get("errors", ()) if not _is_unsayable(fault)]
        assert problem["rule"] == "malformed", f"the document allows it: {problem}"
        assert faults == [], f"the document allows it: {faults}"


def _is_probe(case: AnyCase) -> bool:
    """Whether it is a call of another method, or with another content type, than the operation has."""
    return str(case.method).upper() != str(case.operation.method).upper()


def _is_unsayable(fault: dict[str, Any]) -> bool:
    pointer, reason = fault["pointer"], fault["reason"]
    return any(where in {pointer, _ANYWHERE} and what in reason for where, what in UNSAYABLE)
