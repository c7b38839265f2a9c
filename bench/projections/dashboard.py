"""What each widget of the sales dashboard costs a worker, beside the summary of an order."""

from collections.abc import Iterator, Mapping
from typing import Final

from bench.figures import Extent, Figure
from bench.projections.order_log import order_appends
from bench.projections.source import log_of
from bench.projections.stages import measured_costs
from service.consumers import PROJECTIONS

_EVENTS: Final = 80_000
_SUMMARY: Final = "order_summary"
WIDGETS: Final = tuple(
    projection.name for projection in PROJECTIONS if any(report.page == "dashboard" for report in projection.reports)
)


def measure_dashboard(extent: Extent) -> Iterator[Figure]:
    """Orders of four events each, all of which are shipped: so every one of them changes sums."""
    with log_of(extent, order_appends(extent.events(_EVENTS))) as source:
        costs = measured_costs(source, (_SUMMARY, *WIDGETS), extent)
    yield from dashboard_figures(costs["models"], costs["stages"])


def dashboard_figures(models: Mapping[str, float], stages: Mapping[str, float]) -> Iterator[Figure]:
    """Each model's cost to that of the summary, and that of all widgets; reading and decoding are shared by all."""
    summary = models[_SUMMARY]
    costs = {
        "read and decoded, once for all": stages["read"] + stages["decoder"],
        _SUMMARY: summary,
        **{name: models[name] for name in WIDGETS},
        "all widgets": sum(models[name] for name in WIDGETS),
    }
    for name, cost in costs.items():
        yield Figure(
            f"dashboard, {name}", cost, "µs", cost / summary, f"dashboard, {_SUMMARY}", "for each event of the log"
        )
