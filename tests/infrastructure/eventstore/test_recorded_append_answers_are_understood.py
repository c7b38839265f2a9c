"""What a real EventStoreDB 24.10 answered to appends, and what their callers are told then."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from esdbclient.protos.Grpc.streams_pb2 import BatchAppendResp
from google.protobuf.json_format import ParseDict

from infrastructure.eventstore.appender import Appended, Appender
from infrastructure.eventstore.errors import EventStoreError, StreamGone, WrongExpectedVersion
from tests.infrastructure.eventstore.appends import noted, sent
from tests.infrastructure.eventstore.playing import Playing, played

RECORDED: Final = Path(__file__).parents[2] / "conformance/24.10.4/raw/write_batchappend.json"
STREAM: Final = "note-0"
TOLD: Final = {
    ("missing", "ANY"): "appended 0 at 7",
    ("missing", "NO_STREAM"): "appended 0 at 7",
    ("missing", "EXISTS"): "race lost, at None",
    ("missing", 2): "race lost, at None",
    ("missing", 1): "race lost, at None",
    ("existing", "ANY"): "appended 3 at 7",
    ("existing", "NO_STREAM"): "race lost, at 2",
    ("existing", "EXISTS"): "appended 3 at 7",
    ("existing", 2): "appended 3 at 7",
    ("existing", 1): "race lost, at 2",
    ("soft-deleted", "ANY"): "appended 3 at 7",
    ("soft-deleted", "NO_STREAM"): "appended 3 at 7",
    ("soft-deleted", "EXISTS"): "gone",
    ("soft-deleted", 2): "appended 3 at 7",
    ("soft-deleted", 1): "race lost, at 2",
    ("tombstoned", "ANY"): "gone",
    ("tombstoned", "NO_STREAM"): "gone",
    ("tombstoned", "EXISTS"): "gone",
    ("tombstoned", 2): "gone",
    ("tombstoned", 1): "gone",
}


def recorded() -> Iterator[tuple[tuple[str, str | int], BatchAppendResp]]:
    """The state of the stream and the version that was expected, with the answer."""
    steps = json.loads(RECORDED.read_text(encoding="utf-8"))["steps"]
    for given, appended in zip(steps[::2], steps[1::2], strict=True):
        [answer] = appended["result"]
        yield (given["args"]["state"], appended["args"]["version"]), ParseDict(_filled(answer), BatchAppendResp())


def _filled(answer: Any) -> Any:
    """The recording without what differs from run to run: positions are 7, streams are not named."""
    if not isinstance(answer, dict):
        return 7 if isinstance(answer, str) and answer.startswith("P") else answer
    return {key: _filled(value) for key, value in answer.items() if key != "stream_identifier"}


def in_words(outcome: Appended | EventStoreError) -> str:
    match outcome:
        case Appended():
            return f"appended {outcome.version} at {outcome.position}"
        case WrongExpectedVersion(stream=stream) if stream == STREAM:
            return f"race lost, at {outcome.current}"
        case StreamGone(stream=stream) if stream == STREAM:
            return "gone"
        case _:
            raise outcome


def test_each_answer_of_a_real_server_is_understood() -> None:
    async def run() -> None:
        node, told = Playing(), {}
        async with played(node) as client:
            appender = Appender(client)
            for case, answer in recorded():
                made = sent(appender.append(STREAM, 2, [noted()]))
                node.answer(await node.next_asked(), answer)
                told[case] = in_words(await made)
        assert told == TOLD

    asyncio.run(run())
