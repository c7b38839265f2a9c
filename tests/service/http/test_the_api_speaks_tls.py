"""With a certificate the API speaks HTTPS alone, by the certificate that its files hold now."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
import trustme
from cryptography import x509

from service.http.certificate import certificate_of
from service.settings import Settings, SettingsError
from tests.service.http.api_server import away, serving
from tests.service.http.wire import GET, connected
from tests.support.callers import AUTHORIZED
from tests.support.canaries import watch_key
from tests.support.polling import poll_until

AUTHORITY = trustme.CA()


def write(folder: Path, issued: trustme.LeafCert) -> dict[str, str]:
    """The settings that name the files of a certificate."""
    files = {"tls_certificate_file": folder / "api.pem", "tls_key_file": folder / "api.key"}
    files["tls_certificate_file"].write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    files["tls_key_file"].touch(0o600)
    files["tls_key_file"].write_bytes(issued.private_key_pem.bytes())
    watch_key(issued.private_key_pem.bytes())
    return {name: str(file) for name, file in files.items()}


@pytest.fixture
def named(tmp_path: Path) -> dict[str, str]:
    return write(tmp_path, AUTHORITY.issue_cert("127.0.0.1"))


@pytest.fixture
def http(named: dict[str, str]) -> Iterator[httpx.Client]:
    with serving(away(**named, head_seconds=1)) as client:
        yield client


def proven(url: str) -> tuple[str, bytes]:
    """The version of TLS, and the certificate that a connection gets, which has to be one of the authority's."""
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    with connected(url) as plain, trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
        return str(secured.version()), secured.getpeercert(binary_form=True) or b""


def test_it_answers_by_https(http: httpx.Client) -> None:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    answer = httpx.get(f"{http.base_url}/health/live", verify=trusting, trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert proven(str(http.base_url))[0] == "TLSv1.3"


def test_metrics_tell_when_the_certificate_ends(http: httpx.Client, named: dict[str, str]) -> None:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    told = httpx.get(f"{http.base_url}/metrics", verify=trusting, trust_env=False, headers=AUTHORIZED).text
    [issued, *_] = x509.load_pem_x509_certificates(Path(named["tls_certificate_file"]).read_bytes())
    [line] = [line for line in told.splitlines() if line.startswith("foldstream_certificate_expiry_timestamp_seconds")]
    assert float(line.split()[1]) == issued.not_valid_after_utc.timestamp()
    assert "foldstream_access_keys_known 1.0" in told.splitlines()


def test_what_is_no_handshake_gets_no_answer_and_no_line_in_the_log(http: httpx.Client) -> None:
    with structlog.testing.capture_logs() as lines, connected(str(http.base_url)) as plain:
        plain.sendall(GET + b"\r\n")
        assert b"HTTP/" not in plain.recv(1000)
    assert [line for line in lines if line["event"] != "outage_began"] == []  # its store is away, meanwhile


def test_a_client_that_does_not_end_its_handshake_is_left(http: httpx.Client) -> None:
    with connected(str(http.base_url)) as silent:
        assert silent.recv(1) == b""


def test_older_versions_of_tls_are_refused(http: httpx.Client) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    AUTHORITY.configure_trust(old)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with connected(str(http.base_url)) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="127.0.0.1")


def test_new_connections_get_the_new_certificate_and_a_broken_one_changes_nothing(
    http: httpx.Client, tmp_path: Path
) -> None:
    url = str(http.base_url)
    first = proven(url)[1]
    write(tmp_path, AUTHORITY.issue_cert("127.0.0.1"))
    poll_until(lambda: proven(url)[1] != first, seconds=10, what="the new certificate")
    second = proven(url)[1]
    with structlog.testing.capture_logs() as lines:
        (tmp_path / "api.key").write_bytes(AUTHORITY.issue_cert("127.0.0.1").private_key_pem.bytes())
        poll_until(lambda: _of_certificates(lines), seconds=10, what="a line about it")
    assert _of_certificates(lines) == ["certificate_unusable"]
    assert proven(url)[1] == second


def _of_certificates(lines: list[Any]) -> list[str]:
    return [line["event"] for line in lines if line["event"].startswith("certificate_")]


def test_a_key_that_others_may_read_is_warned_of(named: dict[str, str]) -> None:
    Path(named["tls_key_file"]).chmod(0o644)
    with structlog.testing.capture_logs() as lines:
        assert certificate_of(away(**named)) is not None
    assert [line["event"] for line in lines] == ["certificate_key_readable_by_others"]


def test_one_file_without_the_other_is_refused(named: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        certificate_of(Settings(tls_key_file=named["tls_key_file"]))
    said = "FOLDSTREAM_TLS_CERTIFICATE_FILE: is not set; a certificate and its key go together"
    assert str(refused.value) == said


def test_files_that_can_t_be_used_are_refused_by_their_names(named: dict[str, str], tmp_path: Path) -> None:
    ended = AUTHORITY.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    empty, expired, missing = tmp_path / "empty", tmp_path / "expired.pem", tmp_path / "missing"
    empty.touch()
    expired.write_bytes(ended.cert_chain_pems[0].bytes())
    other = tmp_path / "other.key"
    other.write_bytes(ended.private_key_pem.bytes())
    certificate, key = "FOLDSTREAM_TLS_CERTIFICATE_FILE", "FOLDSTREAM_TLS_KEY_FILE"
    told = {
        ("tls_certificate_file", missing): f"{certificate}: {missing}: no such file or directory",
        ("tls_certificate_file", empty): f"{certificate}: {empty}: holds no certificate in PEM",
        ("tls_key_file", missing): f"{key}: {missing}: no such file or directory",
        ("tls_key_file", empty): f"{key}: {empty}: is no unencrypted key in PEM of that certificate",
        ("tls_key_file", other): f"{key}: {other}: is no unencrypted key in PEM of that certificate",
    }
    assert {which: refusal({**named, which[0]: str(which[1])}) for which in told} == told
    assert refusal({**named, "tls_certificate_file": str(expired)}).startswith(
        f"{certificate}: {expired}: the certificate ended at "
    )


def refusal(named: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        certificate_of(away(**named))
    return str(refused.value)


def test_the_files_are_named_by_variables() -> None:
    variables = {"FOLDSTREAM_TLS_CERTIFICATE_FILE": "api.pem", "FOLDSTREAM_TLS_KEY_FILE": "api.key"}
    assert Settings.from_mapping(variables) == Settings(tls_certificate_file="api.pem", tls_key_file="api.key")


def test_nothing_listens_by_tls_without_a_certificate() -> None:
    assert certificate_of(Settings()) is None
    with serving(away()) as http:
        assert urlsplit(str(http.base_url)).scheme == "http"
