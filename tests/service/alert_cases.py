"""For each alert, series at which it fires and a neighbour at which it doesn't, as Prometheus' own tests write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Series: TypeAlias = Mapping[str, str]
API: Final = 'job="foldstream-api",instance="api:9464"'
_INSTANCE: Final = {"job": "foldstream-api", "instance": "api:9464"}


@dataclass(frozen=True, slots=True)
class AlertCase:
    """`fires` and `rests` are series with their values minute by minute; `labels` are those of the alert that fires."""

    fires: Series
    rests: Series
    labels: Mapping[str, str] = field(default_factory=dict)


def constant(series: str, *numbers: float) -> tuple[Series, Series]:
    """The same series at two values, each for hours."""
    fires, rests = ({series: f"{number:.0f}x300"} for number in numbers)
    return fires, rests


def growing(selector: str, every_minute: int, of: int) -> Series:
    """Requests with these labels, among all that are answered in a minute."""
    name = "foldstream_http_requests_total"
    told = {f'{name}{{route="/orders",{selector}}}': every_minute, f'{name}{{route="/orders",status="200"}}': of}
    probes = {f'{name}{{route="/health/ready",status="503"}}': 600}  # which count for nothing
    return {series: f"0+{number}x300" for series, number in {**told, **probes}.items()}


def state(check: str, bad: str, good: str = "ok") -> tuple[Series, Series]:
    """A check of readiness in one state, and in another."""
    return {f'foldstream_check_state{{check="{check}",state="{bad}"}}': "1x300"}, {
        f'foldstream_check_state{{check="{check}",state="{bad}"}}': "0x300",
        f'foldstream_check_state{{check="{check}",state="{good}"}}': "1x300",
    }


def durations(below_a_second: int, of: int) -> Series:
    """How long commands took, of so many a minute."""
    counted = {"1": below_a_second, "2.5": of, "+Inf": of}
    name = "foldstream_command_seconds_bucket"
    return {f'{name}{{command="CreateOrder",le="{bound}"}}': f"0+{number}x300" for bound, number in counted.items()}


def _of_saga(name: str, number: float = 1, bound: float = 0) -> AlertCase:
    return AlertCase(*constant(f'foldstream_saga_{name}{{saga="booking"}}', number, bound), {"saga": "booking"})


def _quotient(part: str, whole: str, labels: str, numbers: tuple[int, int]) -> tuple[Series, Series]:
    """Two parts of a hundred."""
    parts = ({f"{part}{{{labels}}}": f"{each}x300"} for each in numbers)
    fires, rests = ({**each, f"{whole}{{{labels}}}": "100x300"} for each in parts)
    return fires, rests


_DISK: Final = ("foldstream_disk_free_bytes", "foldstream_disk_size_bytes", 'folder="/data/redis"')
CASES: Final[Mapping[str, AlertCase]] = {
    "FoldstreamApiDown": AlertCase(*constant(f"up{{{API}}}", 0, 1)),
    "FoldstreamTargetDown": AlertCase(*constant(f"up{{{API}}}", 0, 1), _INSTANCE),
    "FoldstreamErrors": AlertCase(growing('status="503"', 6, 94), growing('status="503"', 4, 96)),
    "FoldstreamCommandsSlow": AlertCase(durations(98, 100), durations(99, 100)),
    "FoldstreamOverloaded": AlertCase(growing('status="429"', 2, 98), growing('status="429"', 1, 99)),
    "FoldstreamTokensRefused": AlertCase(growing('status="401"', 51, 49), growing('status="401"', 50, 50)),
    "FoldstreamKeysMissing": AlertCase(*constant(f"foldstream_access_keys_known{{{API}}}", 0, 1), _INSTANCE),
    "FoldstreamCertificateEnding": AlertCase(
        *constant(f"foldstream_certificate_expiry_timestamp_seconds{{{API}}}", 14 * 86_400, 15 * 86_400), _INSTANCE
    ),
    "FoldstreamAccessLogRefused": AlertCase(
        {'foldstream_access_log_entries_total{result="refused"}': "0+1x300"},
        {
            'foldstream_access_log_entries_total{result="refused"}': "1x300",
            'foldstream_access_log_entries_total{result="stored"}': "0+1x300",
        },
    ),
    "FoldstreamChecksStale": AlertCase(*constant(f"foldstream_checks_age_seconds{{{API}}}", 61, 60), _INSTANCE),
    "FoldstreamEventStoreUnusable": AlertCase(*state("eventstore", "away"), {"state": "away"}),
    "FoldstreamRedisUnusable": AlertCase(*state("redis", "failing", "misconfigured"), {"state": "failing"}),
    "FoldstreamRedisMisconfigured": AlertCase(*state("redis", "misconfigured", "away"), {"state": "misconfigured"}),
    "FoldstreamReadModelBehind": AlertCase(*state("all_stock", "slow", "paused"), {"check": "all_stock"}),
    "FoldstreamReadModelStuck": AlertCase(*state("all_stock", "stopped", "behind"), {"check": "all_stock"}),
    "FoldstreamStreamsBlocked": AlertCase(
        *constant('foldstream_projection_blocked_streams{projection="all_stock"}', 1, 0), {"projection": "all_stock"}
    ),
    "FoldstreamReadModelDiffers": AlertCase(
        *constant('foldstream_projection_differing_streams{projection="all_stock"}', 1, 0), {"projection": "all_stock"}
    ),
    "FoldstreamSagaWithoutWorker": AlertCase(*state("booking", "stopped", "behind"), {"check": "booking"}),
    "FoldstreamSagaStandsStill": _of_saga("standstill_seconds", 61, 60),
    "FoldstreamSagaInstancesStopped": _of_saga("stopped_instances"),
    "FoldstreamSagaInstancesStuck": _of_saga("stuck_instances"),
    "FoldstreamSagaDeadlinesOverdue": _of_saga("overdue_deadlines"),
    "FoldstreamSagaMessagesUnsettled": _of_saga("unsettled_messages"),
    "FoldstreamMessagesParked": AlertCase(
        *constant('foldstream_parked_messages{group="foldstream-booking"}', 1, 0), {"group": "foldstream-booking"}
    ),
    "FoldstreamDiskUnusable": AlertCase(*state("disk", "failing"), {"state": "failing"}),
    "FoldstreamDiskLow": AlertCase(*_quotient(*_DISK, (9, 10)), {"folder": "/data/redis"}),
    "FoldstreamDescriptorsLow": AlertCase(*_quotient("process_open_fds", "process_max_fds", API, (81, 80)), _INSTANCE),
    "FoldstreamMemoryHigh": AlertCase(
        *constant(f"process_resident_memory_bytes{{{API}}}", 2_000_000_001, 2_000_000_000), _INSTANCE
    ),
}
