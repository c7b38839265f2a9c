"""What each request pays for its caller: the verifying of a token, and the decision of the policies."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from time import process_time, time
from typing import Final

from bench.figures import Extent, Figure
from bench.store.server import temporary_folder
from infrastructure.access.caller import Caller
from infrastructure.access.claims import TokenRules
from infrastructure.access.development_key import development_token, make_development_key
from infrastructure.access.key_file import development_key_file
from infrastructure.access.verifier import TokenVerifier
from service.access.action import Action
from service.access.policy import Thing, may

_TIMES: Final = 5_000
_BASELINE: Final = "may, decided by Cedar"
_ADA: Final = Caller("ada", frozenset({"customer"}))


def measure_decisions(extent: Extent) -> Iterator[Figure]:
    """CPU time for each, in µs: a decision that is remembered, one that is made, and the verifying of a token (HS256).

    A decision is made once for all callers of the same roles and tenant, and for what is theirs and what is not.
    """
    with temporary_folder() as folder:
        costs = {name: _cost(way, extent) for name, way in _ways(folder / "key.jwk").items()}
    for name, cost in costs.items():
        yield Figure(name, cost, "µs", cost / costs[_BASELINE], _BASELINE)


def _ways(key: Path) -> Mapping[str, Callable[[], object]]:
    make_development_key(key)
    token = development_token(key, _ADA, TokenRules(), time(), 3600)
    verifier = TokenVerifier(development_key_file(key))
    tenants = count()
    return {
        "may, remembered": lambda: may(_ADA, Action.READ_ORDER, Thing("ada")),
        _BASELINE: lambda: may(Caller("ada", _ADA.roles, f"t{next(tenants)}"), Action.READ_ORDER, Thing("ada")),
        "token, verified": lambda: verifier.caller_of(token),
    }


def _cost(way: Callable[[], object], extent: Extent) -> float:
    times = extent.events(_TIMES)
    began = process_time()
    for _ in range(times):
        way()
    return 1e6 * (process_time() - began) / times
