"""Whose token counts may name a trace; of anybody else the API begins one of its own, as often as its share says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from service.cli.spans.spans_file import Span, Unreadable, spans_in
from service.telemetry.process_traces import recording_traces
from tests.service.http.api_server import away, serving
from tests.support.callers import AUTHORIZED

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
PARENT: Final = "b7ad6b7169203331"
NAMED: Final = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
UNSAMPLED: Final = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
STRANGERS: Final = {"nobody": {}, "a forger": {"Authorization": "Bearer e30.e30.c2ln"}}
REFUSED: Final = "/accounts/0af76519-16cd-43dd-8448-eb211c80319c"


class Traced:
    """Requests to an API, and the spans that they leave in a file."""

    def __init__(self, url: str, file: Path) -> None:
        self.url = url
        self.file = file

    def get(self, path: str, headers: Mapping[str, str]) -> int:
        return httpx.get(f"{self.url}{path}", headers=dict(headers), trust_env=False, timeout=30).status_code

    def spans(self) -> list[Span]:
        return [span for span in spans_in(self.file, Unreadable()) if span.name.startswith("GET ")]


@contextmanager
def traced(file: Path, **chosen: Any) -> Iterator[Traced]:
    """Its spans are in the file once the block has ended."""
    settings = away(traces_file=str(file), **chosen)
    with recording_traces(settings, "api"), serving(settings) as http:
        yield Traced(str(http.base_url).rstrip("/"), file)


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_forces_no_recording(tmp_path: Path, stranger: str) -> None:
    with traced(tmp_path / "spans", traces_ratio=0.0) as api:
        headers = {**NAMED, **STRANGERS[stranger]}
        assert [api.get(path, headers) for path in (REFUSED, "/openapi.json", "/nowhere")] == [401, 200, 404]
    assert api.spans() == []


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_joins_no_trace_which_is_linked(tmp_path: Path, stranger: str) -> None:
    with traced(tmp_path / "spans") as api:
        assert api.get(REFUSED, {**UNSAMPLED, **STRANGERS[stranger]}) == 401
    [span] = api.spans()
    assert (span.trace == TRACE, span.parent) == (False, None)
    assert f'"trace_id": "0x{TRACE}", "span_id": "0x{PARENT}"' in api.file.read_text(encoding="utf-8")


def test_one_who_sends_too_much_from_an_address_joins_none_either(tmp_path: Path) -> None:
    with traced(tmp_path / "spans", traces_ratio=0.0, requests_per_second=1, requests_burst=1) as api:
        answers = [api.get("/openapi.json", NAMED) for _ in range(5)]
    assert (429 in answers, api.spans()) == (True, [])


def test_a_known_caller_s_is_gone_on_with_as_its_flag_says(tmp_path: Path) -> None:
    with traced(tmp_path / "spans", traces_ratio=0.0) as api:
        assert api.get(REFUSED, {**NAMED, **AUTHORIZED}) == 503
        assert api.get(REFUSED, {**UNSAMPLED, **AUTHORIZED}) == 503
        assert api.get(REFUSED, AUTHORIZED) == 503
    [span] = api.spans()
    assert (span.trace, span.parent) == (TRACE, PARENT)
