"""How progress reads, on a terminal and in a log file."""

import pytest

from infrastructure.readmodels.status import Failure
from infrastructure.rebuilds.progress import PartitionProgress, Progress
from service.cli.rebuild.progress_lines import RebuildProgress, progress_answer, progress_text
from tests.support.clock import Clock

FAILED = Failure(error="StoreUnavailable", reason="esdb://ada:a-secret@host is away")
HALF = Progress(
    7, 1_000, (PartitionProgress(1_000, 900.0), PartitionProgress(0, 334.4)), caught_up=1, seconds_left=75.2
)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (HALF, "tallies generation 7 [############............]  50% 1,234 events/s ETA 0:01:15"),
        (
            Progress(7, 0, (PartitionProgress(),)),
            "tallies generation 7 [........................]   0% 0 events/s ETA unknown",
        ),
        (
            Progress(7, 9, (PartitionProgress(4, 2.0),), caught_up=1, seconds_left=0.0),
            "tallies generation 7 [########################] 100% 2 events/s caught up",
        ),
        (
            Progress(7, 9, (PartitionProgress(0, 0.0, FAILED),)),
            "tallies generation 7 [........................]   0% 0 events/s ETA unknown; esdb://…@host is away",
        ),
    ],
)
def test_it_says_generation_share_speed_and_time_and_what_it_waits_for(progress: Progress, text: str) -> None:
    assert progress_text("tallies", progress) == text


def test_a_document_has_the_same() -> None:
    answer = progress_answer("tallies", HALF)
    del answer["at"]
    assert answer == {
        "projection": "tallies", "generation": 7, "share": 0.5, "events_per_second": 1_234.4, "seconds_left": 75.2,
        "position": 0, "end": 1_000, "partitions": 2, "caught_up": 1, "failure": None,
    }  # fmt: skip


@pytest.mark.parametrize(("as_json", "seconds"), [(False, 5.0), (True, 1.0)])
def test_a_file_gets_a_line_now_and_then_and_one_at_the_end(
    capsys: pytest.CaptureFixture[str], as_json: bool, seconds: float
) -> None:
    clock = Clock()
    lines = RebuildProgress("tallies", as_json=as_json, clock=clock)
    shown = []
    for moved in (0.0, seconds - 0.1, 0.2):
        clock.now += moved
        lines.show(HALF)
        shown.append(capsys.readouterr().out.count("\n"))
    lines.show(Progress(7, 9, (PartitionProgress(9),), caught_up=1))
    lines.end()
    assert (shown, capsys.readouterr().out.count("\n")) == ([1, 0, 1], 1)
