"""A server that can't be as secure as it was asked to be does not start, and says why in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from infrastructure.embedded.eventstoredb.access.guard import Guard
from infrastructure.embedded.eventstoredb.access.security import Security
from infrastructure.embedded.eventstoredb.access.users import set_password
from infrastructure.embedded.eventstoredb.errors import StartRefused
from tests.support.processes import FOLDSTREAM, Listened
from tests.support.secure import Certificates

HALF = (
    "foldstream eventstore: Invalid value: secure mode needs --tls-cert, --tls-key and --users together: without TLS"
    " passwords would go over the wire in clear text, without users every password would be right"
)
NO_PAIR = "is no certificate, or {key} is not its unencrypted private key (both as PEM)"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("files")
    set_password(folder / "users", "ada", "secret")
    return Certificates(folder).write()


def refusal(*options: str | Path) -> tuple[int, list[str], list[str]]:
    command = (*FOLDSTREAM, "eventstore", "--port", "0", "--memory", *map(str, options))
    process = Listened(command, {})
    return process.wait(within=30), process.output, process.errors


def secured(certificate: Path, key: Path, users: Path) -> tuple[str | Path, ...]:
    return "--tls-cert", certificate, "--tls-key", key, "--users", users


@pytest.mark.parametrize("given", [("--tls-cert", "--tls-key"), ("--users",), ("--tls-cert", "--users")])
def test_half_of_secure_mode(given: tuple[str, ...]) -> None:
    assert refusal(*(part for name in given for part in (name, "a-file"))) == (2, [], [HALF])


def reason(security: Security) -> str:
    with pytest.raises(StartRefused) as refused:
        Guard.load(security)
    return str(refused.value)


def test_files_that_are_not_there(files: Certificates, tmp_path: Path) -> None:
    complete, missing = Security(files.certificate, files.key, files.folder / "users"), tmp_path / "missing"
    line = f"{missing}: can't be read: No such file or directory"
    assert reason(replace(complete, certificate=missing)) == line
    assert reason(replace(complete, key=missing)) == line
    assert reason(replace(complete, users=missing)) == line


def test_a_key_of_another_certificate(files: Certificates, tmp_path: Path) -> None:
    other, users = Certificates(tmp_path).write(), files.folder / "users"
    line = f"foldstream eventstore: {files.certificate}: {NO_PAIR.format(key=other.key)}"
    given = ("--tls-cert", files.certificate, "--tls-key", other.key, "--users", users)
    assert refusal(*given) == (1, [], [line])


def test_a_key_with_a_passphrase_asks_nobody(files: Certificates, tmp_path: Path) -> None:
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    form = PrivateFormat.PKCS8
    locked.write_bytes(key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"passphrase")))
    said = reason(Security(files.certificate, locked, files.folder / "users"))
    assert said == f"{files.certificate}: {NO_PAIR.format(key=locked)}"


def test_no_certificate_at_all(files: Certificates) -> None:
    users = files.folder / "users"
    assert reason(Security(users, files.key, users)) == f"{users}: {NO_PAIR.format(key=files.key)}"
