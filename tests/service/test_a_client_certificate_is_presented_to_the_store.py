"""A store that lets in only clients with a certificate is reached by `userCertFile` and `userKeyFile` of its URI."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from infrastructure.eventstore.errors import StoreUnavailable
from infrastructure.eventstore.log_reader import open_reader
from tests.service.client import Client, stock_level
from tests.support.client_certificates import CertifiedDoor
from tests.support.secure import SecureEventStore
from tests.support.service import FoldstreamProcess


@pytest.fixture
def door(tmp_path: Path) -> Iterator[CertifiedDoor]:
    with SecureEventStore(tmp_path) as store, CertifiedDoor(store) as opened:
        yield opened


def uri_of(door: CertifiedDoor, files: tuple[Path, Path] | None = None) -> str:
    """What a client connects to that has this certificate and key, or none."""
    if files is None:
        return door.uri
    certificate, key = (quote(str(file)) for file in files)
    return f"{door.uri}&userCertFile={certificate}&userKeyFile={key}"


def test_the_service_runs_on_a_store_that_asks_for_one(door: CertifiedDoor, tmp_path: Path) -> None:
    uri = uri_of(door, door.write_certificate(tmp_path))
    with FoldstreamProcess(tmp_path / "data", {"FOLDSTREAM_EVENTSTORE_URI": uri}).start() as service:
        with Client(service.url) as client:
            client.receive("lamp", 3)
            order = client.order(client.account("100.00"), ("lamp", 2, "10.00"))
            client.confirm(order)
            assert client.ended(order)["status"] == "shipped"
            client.assert_becomes("/stock/lamp", stock_level("lamp", 1, version=3))
        assert service.stop() == 0


def test_a_client_with_none_or_with_another_authority_s_is_not_let_in(door: CertifiedDoor, tmp_path: Path) -> None:
    for files in (None, door.write_certificate(tmp_path, trustme.CA())):
        with closing(open_reader(uri_of(door, files))) as reader, pytest.raises(StoreUnavailable):
            reader.end()
    with closing(open_reader(uri_of(door, door.write_certificate(tmp_path)))) as reader:
        assert reader.end() >= 0
