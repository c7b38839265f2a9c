"""What a deployment may choose, read once from the environment; nothing else reads it."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from infrastructure.access.claims import LONGEST_LEEWAY
from infrastructure.access.verification_keys import ALGORITHMS
from infrastructure.eventstore.uri import require_valid as require_eventstore_uri
from infrastructure.readmodels.uri import require_valid as require_redis_uri
from service.access_settings import AccessKeys, Algorithms, Name, YesOrNo

PREFIX: Final = "FOLDSTREAM_"
_SUBJECT: Final = re.compile("^(Value error, |Input (?=should))")
_IN_FILES: Final = ("eventstore_uri", "redis_uri")
_NAMESPACE: Final = re.compile("[A-Za-z0-9._-]{1,64}")


class SettingsError(Exception):
    """A setting that can't be used; one line says which and why, without its value, which may hold a password."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


def _eventstore_uri(uri: str) -> str:
    require_eventstore_uri(uri)
    return uri


def _redis_uri(uri: str) -> str:
    require_redis_uri(uri)
    return uri


def _namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise ValueError("should be 1 to 64 letters of a to z, digits, '.', '_' or '-'")
    return text


def _whole_number(text: object) -> object:
    return int(text) if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text) else text


def _number(lowest: int, highest: int) -> BeforeValidator:
    """Reads a whole number within bounds, which its refusal names."""

    def read(given: object) -> object:
        number = _whole_number(given)
        if isinstance(number, str) or (isinstance(number, int) and not lowest <= number <= highest):
            raise ValueError(f"should be a whole number from {lowest} to {highest}")
        return number

    return BeforeValidator(read)


def _names(text: object) -> object:
    return tuple(name.strip() for name in text.split(",")) if isinstance(text, str) else text


@dataclass(frozen=True, slots=True)
class PerProjection:
    """A number for every projection but those that are named."""

    default: int
    exceptions: Mapping[str, int] = field(default_factory=dict)

    def of(self, projection: str) -> int:
        return self.exceptions.get(projection, self.default)


def _per_projection(default: int, highest: int) -> BeforeValidator:
    """Reads a whole number for all, numbers by name, or both: `1000`, `stock_levels=50,order_summary=5000`."""

    def read(given: object) -> object:
        if not isinstance(given, str):
            return given
        numbers = dict[str, int]()
        for part in given.split(","):
            name, _, number = (word.strip() for word in part.rpartition("="))
            found = _whole_number(number)
            if not isinstance(found, int) or not 1 <= found <= highest or ("=" in part and not name):
                raise ValueError(f"should be a whole number from 1 to {highest}, or such as name=number, with commas")
            if name in numbers:
                raise ValueError(f"has two numbers for {name or 'all'}")
            numbers[name] = found
        return PerProjection(numbers.pop("", default), numbers)

    return BeforeValidator(read)


class Settings(BaseModel):
    """The settings of one deployment. Each is read from FOLDSTREAM_<NAME>; an empty variable counts as not set.

    `eventstore_uri` and `redis_uri`: the servers to use; None where `serve` is to run the embedded ones.
    `namespace`: what the keys in Redis and the names of consumer groups begin with.
    `partitions`: into how many shares each read model is divided.
    `projection_workers`: how many processes of `serve` fold; None: as many as the machine has processors for.
    `skip_unreadable`: the projections whose workers skip events that today's code can't read; the others block the
    event's stream.
    `priorities`: the projections that go before the others while a worker has more to fold than it can, in this order.
    `lag_events`, `lag_seconds`: with more events than this, or an older one, a projection is said to be behind.
    `audit_streams`: how many streams a second each process of workers compares with the log in the background; 0: none.
    `command_seconds`: how long a command may take before its caller is told that the store is not available.
    `commands_at_once`, `commands_waiting`: how many commands are worked on at once, and how many more may wait for
    their turn; `queries_at_once`: how many queries may be answered at once, `queries_waiting`: how many more may wait
    for a position. Whoever comes beyond that is told to come back.
    `histories_at_once`: how many requests may look back at once, in a thread each; eight times as many may wait for
    their turn. `history_seconds`: how long one may take, that wait included.
    `read_seconds`: how long a query may read in Redis, apart from any wait for a position.
    `head_bytes`, `url_bytes`, `header_bytes`, `headers`: how large the head of a request may be in all, its URL, each
    of its headers, and how many of these there may be; trailers count as headers. `head_seconds`, `body_seconds`: how
    long a head and a body may take to come. `send_seconds`: how long an answer may wait for its client to read on.
    `keep_alive_seconds`: how long a connection may rest between two requests.
    `connections`: how many may be open; `pending_per_address`: how many of one address without a whole head.
    `cached_aggregates`: how many loaded aggregates each process keeps in memory.
    `disk_free_mib`: how much room, in MiB, the disk of an embedded server's folder should have.
    `flight_confirmation_seconds`: how long a trip that is booked waits for the airline's word.
    `saga_stuck_seconds`: for how long a running instance of a saga that waits for no deadline may be left as it is
    before that is told.
    `tls_certificate_file`, `tls_key_file`: the files, in PEM, of the API's certificate with its chain and of its key;
    with them it speaks HTTPS alone.
    `metrics_host`, `metrics_port`: where a process serves its own metrics without a token; no port: nowhere.
    `access_keys`: the file or the address of the keys that sign tokens; `access_algorithms`: by which they may do so.
    `access_audience`, `access_issuer`: whom a token has to be for and from, None: from anybody with such a key.
    `access_leeway_seconds`: by how much clocks may differ from that of whoever issues tokens.
    `development_key`: the file of a development key, in place of `access_keys`; `production` refuses it.
    `token_file`: a file with the token that the verbs of the command line present.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    eventstore_uri: Annotated[str, AfterValidator(_eventstore_uri)] | None = Field(default=None, repr=False)
    redis_uri: Annotated[str, AfterValidator(_redis_uri)] | None = Field(default=None, repr=False)
    namespace: Annotated[str, AfterValidator(_namespace)] = "foldstream"
    partitions: Annotated[Literal[1, 2, 4, 8, 16], BeforeValidator(_whole_number)] = 1
    projection_workers: Annotated[int, _number(1, 16)] | None = None
    skip_unreadable: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    priorities: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    lag_events: Annotated[PerProjection, _per_projection(1_000, 100_000_000)] = PerProjection(1_000)
    lag_seconds: Annotated[PerProjection, _per_projection(10, 86_400)] = PerProjection(10)
    audit_streams: Annotated[int, _number(0, 50)] = 1
    command_seconds: Annotated[int, _number(1, 60)] = 4
    commands_at_once: Annotated[int, _number(1, 90)] = 64
    commands_waiting: Annotated[int, _number(0, 100_000)] = 1024
    queries_at_once: Annotated[int, _number(1, 100_000)] = 1024
    queries_waiting: Annotated[int, _number(1, 100_000)] = 512
    histories_at_once: Annotated[int, _number(1, 64)] = 4
    history_seconds: Annotated[int, _number(1, 60)] = 10
    read_seconds: Annotated[int, _number(1, 60)] = 5
    head_bytes: Annotated[int, _number(1024, 1024 * 1024)] = 32 * 1024
    url_bytes: Annotated[int, _number(256, 65_535)] = 8 * 1024
    header_bytes: Annotated[int, _number(256, 1024 * 1024)] = 16 * 1024
    headers: Annotated[int, _number(10, 10_000)] = 100
    head_seconds: Annotated[int, _number(1, 600)] = 10
    body_seconds: Annotated[int, _number(1, 600)] = 30
    send_seconds: Annotated[int, _number(1, 600)] = 30
    keep_alive_seconds: Annotated[int, _number(1, 3600)] = 75
    connections: Annotated[int, _number(1, 100_000)] = 4096
    pending_per_address: Annotated[int, _number(1, 100_000)] = 256
    cached_aggregates: Annotated[int, _number(0, 1_000_000)] = 10_000
    disk_free_mib: Annotated[int, _number(1, 1_000_000)] = 256
    flight_confirmation_seconds: Annotated[int, _number(1, 30 * 86_400)] = 900
    saga_stuck_seconds: Annotated[int, _number(1, 10_000_000)] = 900
    metrics_host: Name = "127.0.0.1"
    metrics_port: Annotated[int, _number(1, 65_535)] | None = None
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    access_keys: AccessKeys | None = None
    access_algorithms: Algorithms = ALGORITHMS
    access_audience: Name = "foldstream"
    access_issuer: Name | None = None
    access_leeway_seconds: Annotated[int, _number(0, LONGEST_LEEWAY)] = 30
    development_key: str | None = None
    production: YesOrNo = False
    token_file: str | None = None

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """The settings that these variables give. Raises SettingsError for the first that can't be used.

        An address of a server, which may hold a password, can stand in a file: FOLDSTREAM_<NAME>_FILE names it.
        """
        given = {name: variables[variable_of(name)] for name in cls.model_fields if variables.get(variable_of(name))}
        for name in _IN_FILES:
            if file := variables.get(file_variable_of(name)):
                given[name] = _read_from(file, name, is_given=name in given)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise SettingsError(variable_of(str(first["loc"][0])), _SUBJECT.sub("", first["msg"])) from None

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises SettingsError."""
        return cls.from_mapping(_environment())

    @property
    def eventstore(self) -> str:
        """The URI of the event store. Raises SettingsError where none is named."""
        return _named("eventstore_uri", self.eventstore_uri)

    @property
    def redis(self) -> str:
        """The URI of Redis. Raises SettingsError where none is named."""
        return _named("redis_uri", self.redis_uri)


def override(name: str, value: str) -> None:
    """Sets a setting for this process and those that it starts, as the command line asks."""
    os.environ.pop(file_variable_of(name), None)  # noqa: TID251 - an option counts as its variable, over a file
    os.environ[variable_of(name)] = value  # noqa: TID251 - as above


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def file_variable_of(name: str) -> str:
    """The environment variable that names the file of a setting."""
    return f"{variable_of(name)}_FILE"


def unknown_variables(variables: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """What looks like a setting and is none, with the one it may be meant for; of this process where none are given."""
    known = {name.upper() for name in Settings.model_fields} | {f"{name.upper()}_FILE" for name in _IN_FILES}
    given = _environment() if variables is None else variables
    unknown = sorted({name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)} - known)
    return {PREFIX + name: _nearest(name, known) for name in unknown}


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next((PREFIX + near for near in get_close_matches(name, known, n=1)), None)


def _environment() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 - the one place that reads the environment


def _read_from(file: str, name: str, *, is_given: bool) -> str:
    """What stands in a file, without the end of its last line. Raises SettingsError, which repeats none of it."""
    variable = file_variable_of(name)
    if is_given:
        raise SettingsError(variable, f"is set beside {variable_of(name)}")
    try:
        found = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise SettingsError(variable, f"{file}: {(error.strerror or 'it can not be read').lower()}") from None
    except UnicodeDecodeError:
        raise SettingsError(variable, f"{file}: is no text in UTF-8") from None
    if not found:
        raise SettingsError(variable, f"{file}: is empty")
    return found


def _named(name: str, uri: str | None) -> str:
    if uri is None:
        raise SettingsError(variable_of(name), "is not set; it names the server to use")
    return uri
