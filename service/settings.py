"""What a deployment may choose, read once from the environment; nothing else reads it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from redis.connection import parse_url

from infrastructure.eventstore.uri import files_in

PREFIX: Final = "FOLDSTREAM_"
_CREDENTIALS: Final = re.compile(r"(?<=//).*@|(?<=[?&])(username|password)=[^&]*&?")
_SUBJECT: Final = re.compile("^(Value error, |(Input|String) (?=should))")


class SettingsError(Exception):
    """A setting that can't be used; one line says which and why, without its value, which may hold a password."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable = variable
        self.reason = reason


def _eventstore_uri(uri: str) -> str:
    try:
        files = files_in(uri)
    except ValueError as error:
        raise ValueError("must be a URI such as esdb://host:2113?tls=false or esdb+discover://name:2113") from error
    for name, file in files.items():
        _require_readable(name, file)
    return uri


def _require_readable(name: str, file: str) -> None:
    try:
        Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"names a {name} that can't be read: {error.strerror}") from error


def _redis_uri(uri: str) -> str:
    try:
        parse_url(uri)  # type: ignore[no-untyped-call] # redis has no types for it
    except ValueError as error:
        raise ValueError("must be a URI such as redis://host:6379/0, rediss://… or unix:///path") from error
    return uri


def _whole_number(text: object) -> object:
    return int(text) if isinstance(text, str) and re.fullmatch(r"[0-9]{1,9}", text) else text


def _names(text: object) -> object:
    return tuple(name.strip() for name in text.split(",")) if isinstance(text, str) else text


class Settings(BaseModel):
    """The settings of one deployment. Each is read from FOLDSTREAM_<NAME>; an empty variable counts as not set.

    `eventstore_uri` and `redis_uri`: the servers to use; None where `serve` is to run the embedded ones.
    `namespace`: what the keys in Redis and the names of consumer groups begin with.
    `partitions`: into how many shares each read model is divided.
    `skip_unreadable`: the projections that pass by events which today's code can't read, and log them; the others stop.
    `command_seconds`: how long a command may take before its caller is told that the store is not available.
    `commands_at_once`, `commands_waiting`: how many commands are worked on at once, and how many more may wait for
    their turn; `queries_at_once`: how many queries may be open. Whoever comes beyond that is told to come back.
    `histories_at_once`: how many requests may look back at once, in a thread each; eight times as many may wait for
    their turn. `history_seconds`: how long one may take, that wait included.
    `read_seconds`: how long a query may read in Redis, apart from any wait for a position.
    `head_bytes`, `url_bytes`, `header_bytes`, `headers`: how large the head of a request may be in all, its URL, each
    of its headers, and how many of these there may be; trailers count as headers. `head_seconds`, `body_seconds`: how
    long a head and a body may take to come. `keep_alive_seconds`: how long a connection may rest between two requests.
    `connections`: how many may be open; `pending_per_address`: how many of one address without a whole head.
    `cached_aggregates`: how many loaded aggregates each process keeps in memory.
    `metrics_port`: where a worker that is started by itself serves its metrics; None: nowhere.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    eventstore_uri: Annotated[str, AfterValidator(_eventstore_uri)] | None = Field(default=None, repr=False)
    redis_uri: Annotated[str, AfterValidator(_redis_uri)] | None = Field(default=None, repr=False)
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "foldstream"
    partitions: Annotated[Literal[1, 2, 4, 8, 16], BeforeValidator(_whole_number)] = 1
    skip_unreadable: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    command_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=60)] = 4
    commands_at_once: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=90)] = 64
    commands_waiting: Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=100_000)] = 1024
    queries_at_once: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=100_000)] = 1024
    histories_at_once: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=64)] = 4
    history_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=60)] = 10
    read_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=60)] = 5
    head_bytes: Annotated[int, BeforeValidator(_whole_number), Field(ge=1024, le=1024 * 1024)] = 32 * 1024
    url_bytes: Annotated[int, BeforeValidator(_whole_number), Field(ge=256, le=1024 * 1024)] = 8 * 1024
    header_bytes: Annotated[int, BeforeValidator(_whole_number), Field(ge=256, le=1024 * 1024)] = 16 * 1024
    headers: Annotated[int, BeforeValidator(_whole_number), Field(ge=10, le=10_000)] = 100
    head_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=600)] = 10
    body_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=600)] = 30
    keep_alive_seconds: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=3600)] = 75
    connections: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=100_000)] = 4096
    pending_per_address: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=100_000)] = 256
    cached_aggregates: Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=1_000_000)] = 10_000
    metrics_port: Annotated[int, BeforeValidator(_whole_number), Field(ge=1, le=65_535)] | None = None

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """The settings that these variables give. Raises SettingsError for the first that can't be used."""
        given = {name: variables[variable_of(name)] for name in cls.model_fields if variables.get(variable_of(name))}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise SettingsError(variable_of(str(first["loc"][0])), _SUBJECT.sub("", first["msg"])) from error

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises SettingsError."""
        return cls.from_mapping(os.environ)  # noqa: TID251 - the one place that reads the environment

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
    os.environ[variable_of(name)] = value  # noqa: TID251 - an option counts as its variable


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def without_credentials(uri: str) -> str:
    """The URI as it may be shown and logged."""
    return _CREDENTIALS.sub("", uri)


def _named(name: str, uri: str | None) -> str:
    if uri is None:
        raise SettingsError(variable_of(name), "is not set; it names the server to use")
    return uri
