"""Prints which tenants there are and what they have, for people or as JSON."""

from infrastructure.eventstore.log_reader import open_reader
from infrastructure.history.tenants import TenantCounts, count_tenants
from infrastructure.terminal import print_json, require_output
from service.cli.progress import ProgressLine
from service.history.sources import BOUNDARIES
from service.tables import print_table


def print_tenants(uri: str, *, as_json: bool) -> int:
    """Prints those of the store at `uri`. Raises StoreUnavailable, OutputUnusable."""
    require_output()
    with open_reader(uri) as reader, ProgressLine("log") as progress:
        found = count_tenants(reader, BOUNDARIES, lambda records: progress.counted(records, "events"))
    if as_json:
        told = [
            {"tenant": tenant, "events": counts.events, "streams": dict(sorted(counts.streams.items()))}
            for tenant, counts in found.items()
        ]
        print_json({"tenants": told})
    else:
        print_table(("tenant", "events", "streams", "of which"), [_row(*each) for each in found.items()])
    return 0


def _row(tenant: str, counts: TenantCounts) -> tuple[str, str, str, str]:
    by_category = ", ".join(f"{number:,} {category}" for category, number in sorted(counts.streams.items()))
    return tenant, f"{counts.events:,}", f"{counts.streams.total():,}", by_category or "-"
