"""The event store is killed under load and stays away for seconds: each process says so, and when it is over."""

import json
from collections import Counter
from pathlib import Path
from typing import Final

from tests.service.load import Load
from tests.support.eventstore import EventStoreProcess
from tests.support.polling import poll_until
from tests.support.service import FoldstreamProcess

PROCESSES: Final = ("api", "projections", "sagas")


def outages(service: FoldstreamProcess) -> Counter[tuple[str, str, str]]:
    lines = [json.loads(line) for line in service.process.errors if '"outage_' in line]
    return Counter((line["process"], line["event"], line["server"]) for line in lines)


def test_a_store_that_is_killed_for_seconds_is_two_lines_of_each_process(tmp_path: Path) -> None:
    with EventStoreProcess(tmp_path / "store") as store:
        service = FoldstreamProcess(tmp_path / "data", {"FOLDSTREAM_EVENTSTORE_URI": store.uri})
        with service, Load(service.url) as load:
            load.goes_on(20)
            store.kill()
            began = {(process, "outage_began", "eventstore"): 1 for process in PROCESSES}
            poll_until(lambda: outages(service) == began, seconds=30, what="each process says that it began")
            store.start()
            load.goes_on(20)
            both = began | {(process, "outage_ended", "eventstore"): 1 for process in PROCESSES}
            poll_until(lambda: len(outages(service)) == len(both), seconds=60, what="each process says that it ended")
            load.goes_on(20)
        assert outages(service) == both
        noise = ("projection_failed", "projection_undecided", "request_unserved", "saga_message_failed")
        assert [line for line in service.process.errors if any(word in line for word in noise)] == []
