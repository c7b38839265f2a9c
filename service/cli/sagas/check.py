"""Prints where this build would decide otherwise than histories show, or lacks a version that they need."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from domain.saga import Saga
from infrastructure.eventstore.log import Log
from infrastructure.sagas.errors import NoRecording
from infrastructure.sagas.recorded_decisions import compared
from infrastructure.sagas.release_check import Counted, ReleaseCheck
from infrastructure.sagas.replay import Finding
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.connections import connected, streams_of
from service.cli.progress import ProgressLine
from service.cli.surroundings import store_uri
from service.consumers import SAGAS, route
from service.errors import FileUnusable
from service.history.sources import CODEC
from service.tables import print_table

SAMPLES: Final = Path("tests/samples/sagas")
_PATIENCE: Final = 30.0  # a long check is not given up for a store that is slow for a while


@dataclass(slots=True)
class Report:
    """What was compared, by saga, and what differs: all of it is counted, and the first `limit` are kept."""

    limit: int
    compared: dict[str, Counted] = field(default_factory=dict)
    histories: dict[str, int] = field(default_factory=dict)
    differences: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, *found: Finding) -> None:
        """Counts what differs."""
        self.differences += len(found)
        self.findings += found[: self.limit - len(self.findings)]


def check_sagas(data: Path, samples: Path | None, limit: int, *, as_json: bool) -> int:
    """Prints it; 3 where anything differs. Raises FileUnusable, NoStore, SettingsError, and what reading raises."""
    require_output()
    if samples is not None and not samples.is_dir():
        raise FileUnusable(samples, "it is no folder")
    report = Report(limit)
    uri = store_uri(data)
    for saga in SAGAS:
        report.histories[saga.category] = sum(1 for _ in _recorded(saga, samples or SAMPLES, report))
    with ProgressLine("sagas") as progress:
        asyncio.run(check_store(uri, report, progress.show))
    if as_json:
        print_json(_answer(report))
    else:
        _print(report)
    return 3 if report.differences else 0


def _recorded(saga: Saga[Any, Any], folder: Path, report: Report) -> Iterator[str]:
    try:
        for history in compared(saga, CODEC, folder):
            report.add(*([] if history.finding is None else [history.finding]))
            yield history.name
    except NoRecording as error:
        raise FileUnusable(error.file, error.reason) from error


async def check_store(uri: str, report: Report, told: Callable[[str], object] = str) -> None:
    """Adds what differs in the histories that a store holds; `told` is how far it is. Raises what reading raises."""
    async with connected(uri) as client, streams_of(client, _PATIENCE) as streams:
        for saga in SAGAS:
            await _check_saga(ReleaseCheck(saga, route, streams, Log(client), CODEC), report, told)


async def _check_saga(check: ReleaseCheck, report: Report, told: Callable[[str], object]) -> None:
    saga, counted = check.saga.category, check.counted
    report.compared[saga] = counted
    async for findings in check.findings():
        report.add(*findings)
        told(f"{saga}: {counted.instances:,} instances read, {counted.open:,} of them open")


def _answer(report: Report) -> dict[str, Any]:
    sagas = [
        {"type": saga, **asdict(counted), "recorded_histories": report.histories[saga]}
        for saga, counted in report.compared.items()
    ]
    return {"sagas": sagas, "differences": report.differences, "findings": [asdict(each) for each in report.findings]}


def _print(report: Report) -> None:
    if report.findings:
        rows = [tuple(asdict(finding).values()) for finding in report.findings]
        print_table(("instance", "after", "what", "recorded", "this build"), rows)
    for saga, counted in report.compared.items():
        print_line(
            f"{saga}: {counted.open:,} of {counted.instances:,} instances are open; {counted.turns:,} decisions and"
            f" {counted.pending:,} pending commands of theirs compared, and {report.histories[saga]:,} recorded"
            " histories."
        )
    shown = f", {len(report.findings):,} of them shown" if report.differences > len(report.findings) else ""
    print_line(f"{report.differences:,} differences{shown}.")
