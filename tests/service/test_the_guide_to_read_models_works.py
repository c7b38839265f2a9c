"""The guide's read model is put into the project as it says: so many lines, its spec holds, its endpoints answer."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.service import guide
from tests.service.client import Client
from tests.service.http.shop import order_form
from tests.service.release import Release
from tests.support.callers import AUTHORIZED
from tests.support.eventstore import EventStoreProcess
from tests.support.processes import Listened

REASONS: Final = ("found it cheaper", "ordered twice", "found it cheaper")
DAY: Final = "2026-03-01"
REQUESTS: Final = re.findall(r"^\$ curl -s -H \"\$auth\" '?localhost:8000(/[^\s']+)'?$", guide.GUIDE, re.MULTILINE)
CHECKS: Final = (
    guide.SPEC,
    "tests/projections/test_no_event_is_forgotten.py",
    "tests/projections/test_a_changed_projection_has_a_new_version.py",
)


def run(project: Path, *command: str, **settings: str) -> None:
    """A Python program of that project, which has to succeed."""
    process = Listened((sys.executable, "-P", *command), {"PYTHONPATH": str(project), **settings})
    assert process.wait(within=100) == 0, "\n".join((*process.output, *process.errors))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the read model, whose version is recorded."""
    made = guide.copied_project(tmp_path_factory.mktemp("guide"))
    run(made, "-m", "tests.projections.fingerprints")
    return made


@pytest.fixture(scope="module")
def url(project: Path, redis_uri: str) -> Iterator[str]:
    """Where its API answers, beside a worker, on a store without any order."""
    with EventStoreProcess(None) as store:
        servers = {
            "FOLDSTREAM_EVENTSTORE_URI": store.uri,
            "FOLDSTREAM_REDIS_URI": redis_uri,
            "FOLDSTREAM_NAMESPACE": project.name,
        }
        service = Release(servers, project)
        service.start("api", "projections")
        try:
            yield service.url
        finally:
            service.close()


@pytest.fixture(scope="module")
def last(url: str) -> str:
    """The position of the last of three cancellations; another order goes on."""
    with Client(url) as client:
        client.done("/orders", order_form())
        for reason in REASONS:
            order_id = client.done("/orders", order_form())["id"]
            position = client.done(f"/orders/{order_id}/cancel", {"reason": reason})["position"]
    return str(position)


def answer(url: str, path: str, last: str) -> dict[str, Any]:
    """With the day of the guide in place of today."""
    asked = httpx.URL(url + path).copy_merge_params({"at_least": last, "wait": "30"})
    response = httpx.get(asked, timeout=40, trust_env=False, headers=AUTHORIZED)
    assert response.status_code == 200, response.text
    today = datetime.now(UTC).date()
    text = response.text.replace(f"{today}", DAY).replace(f"{today - timedelta(days=1)}", DAY)
    return dict(json.loads(text))


def test_it_takes_the_files_and_lines_that_the_guide_says(project: Path) -> None:
    changed = guide.changed_files(project)
    made = changed.pop(guide.FINGERPRINT)
    assert made > 0
    assert {**changed, guide.FINGERPRINT: None} == guide.counted_files()


def test_its_spec_holds_and_so_does_what_is_demanded_of_every_read_model(project: Path, redis_uri: str) -> None:
    tests = (str(project / name) for name in CHECKS)
    configured = ("-c", str(project / "pyproject.toml"), "--rootdir", str(project))
    run(project, "-m", "pytest", *configured, *tests, FOLDSTREAM_REDIS_URI=redis_uri)


def test_its_code_is_as_the_project_s_rules_want_it(project: Path) -> None:
    for check in (("check",), ("format", "--check")):
        run(
            project,
            "-m",
            "ruff",
            *check,
            *(str(project / name) for name in (guide.MODULE, guide.SPEC, guide.CONSUMERS)),
        )


def test_its_endpoints_answer_as_the_guide_says(url: str, last: str) -> None:
    assert [answer(url, path, last) for path in REQUESTS] == [json.loads(block) for block in guide.blocks("json")]


def test_its_list_is_filtered_and_paged(url: str, last: str) -> None:
    whole = answer(url, "/cancellations", last)["cancellations"]
    assert [each["reason"] for each in whole] == list(reversed(REASONS))
    first = answer(url, "/cancellations?limit=2", last)
    rest = answer(url, f"/cancellations?limit=2&cursor={first['next']}", last)
    assert first["cancellations"] + rest["cancellations"] == whole
    assert answer(url, "/cancellations?to=2026-03-01T00:00:00Z", last) == {"cancellations": [], "next": None}
