"""With a token, the verbs that look back show what `/history` shows: one tenant's streams of known categories."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from domain.stock.stock import SkuRegistered, stock_id
from infrastructure.access.revocations import REVOCATIONS_STREAM
from infrastructure.eventstore.log_reader import CORRELATION_PROJECTION
from infrastructure.eventstore.record import NewRecord
from service.cli.history.commands import app
from service.history.sources import CODEC
from tests.infrastructure.eventstore.operator import operating
from tests.infrastructure.history.ledger import metadata
from tests.service.cli.snapshots.command import RUNNER
from tests.support.access import token_for
from tests.support.callers import KEY
from tests.support.eventstore import EventStoreProcess
from tests.support.forked import SETTINGS
from tests.support.polling import poll_until

OWN: Final = f"acme.stock-{stock_id('mug')}"
MUG: Final = OWN.removeprefix("acme.")
SHARED: Final = uuid4()  # a correlation id that clients of both tenants used
LINKS: Final = f"$bc-{SHARED}"
OTHERS: Final = (
    "kiosk-1",
    "acme.kiosk-1",
    "$settings",
    REVOCATIONS_STREAM,
    "access-2026-11-28",
    "acme.access-2026-11-28",
)
VERBS: Final = (("history",), ("export",), ("changes",), ("as-of", "--version", "0"), ("trace",))


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    """A mug of each of two tenants, and streams of no category."""
    mug = SkuRegistered(sku="mug")
    with EventStoreProcess(None) as process, operating(process.uri) as operator:
        for stream in (OWN, MUG):
            operator.append(stream, CODEC.encode(mug, metadata(mug, correlation=SHARED)))
        for stream in OTHERS:
            operator.append(stream, NewRecord("Noted", b'{"secret":"s"}', b"{}"))
        yield process.uri


def asked(uri: str, folder: Path | None, tenant: str, verb: tuple[str, ...], stream: str) -> tuple[object, str, str]:
    """What came of it; with a token of that tenant where there is a folder for it."""
    environment: dict[str, str | None] = {**dict.fromkeys(SETTINGS), "FOLDSTREAM_EVENTSTORE_URI": uri}
    if folder is not None:
        (folder / "token").write_text(token_for(KEY, roles=["auditor"], tenant=tenant), encoding="utf-8")
        environment |= {"FOLDSTREAM_TOKEN_FILE": str(folder / "token"), "FOLDSTREAM_DEVELOPMENT_KEY": str(KEY)}
    words = (verb[0], stream, *verb[1:], "--tenant", tenant)
    result = RUNNER.invoke(app, words, env=environment, standalone_mode=False)
    return result.return_value, result.stdout, str(result.exception or "")


@pytest.mark.parametrize("verb", VERBS[:4])
def test_its_own_streams_are_shown(uri: str, tmp_path: Path, verb: tuple[str, ...]) -> None:
    code, output, _ = asked(uri, tmp_path, "acme", verb, "stock:mug")
    assert (code, OWN in output) == (0, True)


@pytest.fixture(params=[False, True], ids=["searched", "linked"])
def traced(request: pytest.FixtureRequest, uri: str) -> Iterator[str]:
    """The store, without and with the projection that links what has one correlation id."""
    if not request.param:
        yield uri
        return
    with operating(uri) as operator:
        operator.start_projection(CORRELATION_PROJECTION)
        try:
            poll_until(lambda: len(operator.reader.page(LINKS, 0, 9) or ()) == 2, seconds=10, what="the links")
            yield uri
        finally:
            operator.stop_projection(CORRELATION_PROJECTION)


@pytest.mark.parametrize("tenant", ["acme", "default"])
def test_of_a_trace_its_own_part_is_shown(traced: str, tmp_path: Path, tenant: str) -> None:
    assert streams_of(traced, tmp_path, tenant) == [OWN if tenant == "acme" else MUG]
    assert streams_of(traced, None, tenant) == [OWN, MUG]


def test_an_id_that_only_others_events_carry_is_one_that_nothing_carries(traced: str, tmp_path: Path) -> None:
    unknown = uuid4()
    said = [asked(traced, tmp_path, "zeta", ("trace",), str(each)) for each in (SHARED, unknown)]
    assert [each[:2] for each in said] == [(None, "")] * 2
    assert said[0][2].startswith(f"no event carries the correlation id {SHARED} in ")
    assert said[0][2].replace(str(SHARED), str(unknown)) == said[1][2]


def streams_of(uri: str, folder: Path | None, tenant: str) -> list[str]:
    """Those of the commands in the trace of the shared id."""
    code, output, _ = asked(uri, folder, tenant, ("trace", "--json"), str(SHARED))
    assert code == 0
    return [command["stream"] for command in json.loads(output)["commands"]]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("stream", ["kiosk-1", REVOCATIONS_STREAM, "access-2026-11-28", "$settings", "Kiosk 1"])
def test_what_is_of_no_known_category_is_not_shown(
    uri: str, tmp_path: Path, verb: tuple[str, ...], stream: str
) -> None:
    code, output, refusal = asked(uri, tmp_path, "default", verb, stream)
    assert (code, output, "s" in output) == (None, "", False)
    assert refusal.startswith(f"{stream} is of no known category")
    assert asked(uri, None, "default", ("history",), "kiosk-1")[0] == 0


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_another_tenant_s_is_not_shown(uri: str, tmp_path: Path, verb: tuple[str, ...]) -> None:
    code, output, refusal = asked(uri, tmp_path, "default", verb, OWN)
    assert (code, output) == (None, "")
    assert refusal.startswith("the roles of tester do not allow ")


def test_a_bare_id_is_still_told_what_it_may_stand_for(uri: str, tmp_path: Path) -> None:
    assert asked(uri, tmp_path, "default", ("history",), "mug")[2] == "there is no stream mug; there is stock:mug"
