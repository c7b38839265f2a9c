"""A worker in a process of its own: folds a log from the beginning, says what that took, and follows the log then.

Run as `-m bench.projections.replay_worker TASK`. Says a line of JSON when it is ready; waits for a line; says when all
read models are complete, also those that other workers fold with it; and goes on until its input ends.
"""

import logging
import re
import sys
import threading
import time
from pathlib import Path
from typing import Final

from bench.commands.replies import reply
from bench.projections.task import NAMESPACE, Task, told_task
from bench.projections.templates import CODEC
from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.readmodels.worker import run_projections
from service import logs
from service.workers.collector import freeze_before_folding

_POLL: Final = 0.05  # seconds; each look takes some time of the folding


def main() -> None:
    """Folds what its task says."""
    task, stop = told_task(), threading.Event()
    logs.set_up("json", "bench")
    logging.getLogger().setLevel(logging.WARNING)
    deployment = Deployment(task.eventstore, task.redis, NAMESPACE, task.partitions, CODEC)
    freeze_before_folding()
    reply({"versions": {}})
    sys.stdin.readline()
    threading.Thread(target=_tell_when_complete, args=(task, stop), daemon=True).start()
    threading.Thread(target=_stop_with_input, args=(stop,), daemon=True).start()
    run_projections(task.projections, deployment, stop)


def _stop_with_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _tell_when_complete(task: Task, stop: threading.Event) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    keys = [ProjectionKeys(NAMESPACE, each.name, each.version).live for each in task.projections]
    with connect(task.redis) as connection:
        while None in connection.mget(keys):
            if stop.wait(_POLL):
                return
    took = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
    reply({**took, "megabytes": _most_megabytes()})


def _most_megabytes() -> float:
    """What it has had in memory at most; `ru_maxrss` would tell of its parent as well."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
