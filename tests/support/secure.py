"""An embedded event store in secure mode: with certificates and users of its own."""

import os
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from signal import SIGTERM
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import grpc
import trustme

from infrastructure.embedded.eventstoredb.access.users import set_password
from tests.support.canaries import STORE_PASSWORD, watch_key
from tests.support.processes import FOLDSTREAM, Listened

USER: Final = "ada"
PASSWORD: Final = STORE_PASSWORD
_BOUND: Final = ("/bin/sh", "-c", 'exec "$@" 3<"$0"')


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate of 127.0.0.1 and localhost until then, its key, and the authority that signed it, as files."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)
    until: datetime | None = None

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        return self.folder / "node.crt"

    @property
    def key(self) -> Path:
        return self.folder / "node.key"

    def write(self) -> Self:
        issued = self.authority.issue_cert("127.0.0.1", "localhost", not_after=self.until)
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(self.key))
        watch_key(issued.private_key_pem.bytes())
        return self

    def trusted(self) -> ssl.SSLContext:
        """For clients that trust this authority alone."""
        return ssl.create_default_context(cafile=self.ca)


class SecureEventStore:
    """`foldstream eventstore` in memory, in secure mode, with one user; its files are in `folder`."""

    def __init__(self, folder: Path, until: datetime | None = None) -> None:
        self.files = Certificates(folder, until=until).write()
        self.users = folder / "users"
        set_password(self.users, USER, PASSWORD)
        secure = ("--tls-cert", self.files.certificate, "--tls-key", self.files.key, "--users", self.users)
        command = ("eventstore", "--port", "0", "--memory", *map(str, secure), "--stop-when-closed", "3")
        self.process = Listened((*_BOUND, str(self._bind(folder / "alive")), *FOLDSTREAM, *command), {})
        self.ready = self.process.line("eventstore_ready ", within=30)
        self.target = self.ready.partition("esdb://")[2].partition("?")[0]

    def _bind(self, fifo: Path) -> Path:
        """A pipe that closes when this process ends, however it ends; then the server stops as well."""
        os.mkfifo(fifo)
        self._alive = os.open(fifo, os.O_RDWR)
        return fifo

    @property
    def port(self) -> int:
        return int(self.target.rpartition(":")[2])

    def uri(self, user: str = USER, password: str = PASSWORD) -> str:
        """What a client of this user connects to."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"esdb://{login}@{self.target}?tls=true&tlsCaFile={quote(str(self.files.ca))}"

    def channel(self) -> grpc.Channel:
        """A channel without a login."""
        return grpc.secure_channel(self.target, grpc.ssl_channel_credentials(self.files.ca.read_bytes()))

    def stop(self) -> int:
        self.process.send(SIGTERM)
        return self.process.wait(within=15)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        os.close(self._alive)
