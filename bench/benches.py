"""Which benches there are, and the parts that each measures one after the other."""

from collections.abc import Mapping
from typing import Final

from bench.access.decisions import measure_decisions
from bench.commands.hot_account import measure_hot_account
from bench.commands.long_streams import measure_long_streams
from bench.commands.looks import measure_looks
from bench.commands.old_keys import measure_old_keys
from bench.commands.overload import measure_overload
from bench.commands.stages import measure_stages
from bench.commands.throughput import measure_throughput
from bench.figures import Part
from bench.projections.dashboard import measure_dashboard
from bench.projections.library import measure_library
from bench.projections.live import measure_live
from bench.projections.other_models import measure_other_models
from bench.projections.replay import measure_memory, measure_replay
from bench.projections.waits import measure_waits
from bench.projections.worker_counts import measure_workers
from bench.sagas.at_once import measure_at_once
from bench.sagas.deadlines import measure_deadlines
from bench.sagas.latency import measure_latency
from bench.store.appends import measure_appends
from bench.store.deliveries import measure_deliveries
from bench.store.long_logs import measure_long_logs
from bench.store.reads import measure_reads
from bench.telemetry.traces import measure_traces

BENCHES: Final[Mapping[str, Mapping[str, Part]]] = {
    "store": {
        "reads": measure_reads,
        "appends": measure_appends,
        "deliveries": measure_deliveries,
        "long logs": measure_long_logs,
    },
    "commands": {
        "throughput": measure_throughput,
        "stages": measure_stages,
        "long streams": measure_long_streams,
        "old keys": measure_old_keys,
        "hot account": measure_hot_account,
        "overload": measure_overload,
        "looks": measure_looks,
    },
    "projections": {
        "replay": measure_replay,
        "library": measure_library,
        "workers": measure_workers,
        "live": measure_live,
        "models": measure_other_models,
        "dashboard": measure_dashboard,
        "memory": measure_memory,
        "waits": measure_waits,
    },
    "sagas": {
        "at once": measure_at_once,
        "latency": measure_latency,
        "deadlines": measure_deadlines,
    },
    "access": {
        "decisions": measure_decisions,
    },
    "telemetry": {
        "traces": measure_traces,
    },
}
