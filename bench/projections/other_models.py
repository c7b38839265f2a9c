"""What the other read models cost: each on a log of its own category, and all together on a log of all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from bench.figures import Extent, Figure, in_turns
from bench.projections.order_log import ORDERS
from bench.projections.other_logs import ACCOUNTS, STOCK
from bench.projections.source import log_of
from bench.projections.templates import StreamTemplate
from bench.projections.workers import Fold
from service.consumers import PROJECTIONS

_EVENTS: Final = 30_000
_READ: Final = "read by the tuned client"
_ALL: Final = tuple(projection.name for projection in PROJECTIONS)
_LOGS: Final[Mapping[str, tuple[Sequence[StreamTemplate], Mapping[str, Sequence[str]]]]] = {
    "stock": ((STOCK,), {"stock_levels": ("stock_levels",)}),
    "accounts": (
        (ACCOUNTS,),
        {
            "account_balance": ("account_balance",),
            "account_statement": ("account_statement",),
            "both models": ("account_balance", "account_statement"),
        },
    ),
    "orders, stock and accounts": ((ORDERS, STOCK, ACCOUNTS), {f"all {len(_ALL)} models": _ALL}),
}


def measure_other_models(extent: Extent) -> Iterator[Figure]:
    """Streams have eight events, those of orders four; one worker with one partition."""
    for title, (templates, models) in _LOGS.items():
        with ExitStack() as stack:
            logs = [template.appends(extent.events(_EVENTS)) for template in templates]
            source = stack.enter_context(log_of(extent, *logs))
            runs = in_turns(
                {_READ: source.read, **{name: Fold(source, names) for name, names in models.items()}}, extent.rounds
            )
        baseline = f"{title}, {_READ}"
        for name, run in runs.items():
            yield Figure(f"{title}, {name}", run.rate, "events/s", run.rate / runs[_READ].rate, baseline, run.cost)
