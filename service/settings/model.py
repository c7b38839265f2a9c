"""All settings there are, and how they are read from variables."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from infrastructure.access.verification_keys import ALGORITHMS
from service.settings import access, calls, http, read_models, sagas, servers, traces
from service.settings.errors import SettingsError
from service.settings.kind import Kind
from service.settings.numbers import PerProjection
from service.settings.variables import IN_FILES, PREFIX, environment, file_variable_of, variable_of


class Settings(BaseModel):
    """The settings of one deployment. Each is read from FOLDSTREAM_<NAME>; an empty variable counts as not set.

    What each is for, and what it may be, stands with its type; docs/settings.md lists them all.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    eventstore_uri: servers.EventstoreUri = None
    redis_uri: servers.RedisUri = None
    namespace: servers.Namespace = "foldstream"
    disk_free_mib: servers.DiskFreeMib = 256
    metrics_port: servers.MetricsPort = None
    metrics_host: servers.MetricsHost = "127.0.0.1"
    partitions: read_models.Partitions = 1
    projection_workers: read_models.ProjectionWorkers = None
    skip_unreadable: read_models.SkipUnreadable = ()
    priorities: read_models.Priorities = ()
    lag_events: read_models.LagEvents = PerProjection(1_000)
    lag_seconds: read_models.LagSeconds = PerProjection(10)
    audit_streams: read_models.AuditStreams = 1
    command_seconds: calls.CommandSeconds = 4
    commands_at_once: calls.CommandsAtOnce = 64
    commands_waiting: calls.CommandsWaiting = 1024
    cached_aggregates: calls.CachedAggregates = 10_000
    queries_at_once: calls.QueriesAtOnce = 1024
    queries_waiting: calls.QueriesWaiting = 512
    read_seconds: calls.ReadSeconds = 5
    histories_at_once: calls.HistoriesAtOnce = 4
    history_seconds: calls.HistorySeconds = 10
    flight_confirmation_seconds: sagas.FlightConfirmationSeconds = 900
    saga_stuck_seconds: sagas.SagaStuckSeconds = 900
    tls_certificate_file: http.TlsCertificateFile = None
    tls_key_file: http.TlsKeyFile = None
    head_bytes: http.HeadBytes = 32 * 1024
    url_bytes: http.UrlBytes = 8 * 1024
    header_bytes: http.HeaderBytes = 16 * 1024
    headers: http.Headers = 100
    head_seconds: http.HeadSeconds = 10
    body_seconds: http.BodySeconds = 30
    send_seconds: http.SendSeconds = 30
    keep_alive_seconds: http.KeepAliveSeconds = 75
    connections: http.Connections = 4096
    pending_per_address: http.PendingPerAddress = 256
    access_keys: access.AccessKeys = None
    access_algorithms: access.AccessAlgorithms = ALGORITHMS
    access_audience: access.AccessAudience = "foldstream"
    access_issuer: access.AccessIssuer = None
    access_leeway_seconds: access.AccessLeewaySeconds = 30
    development_key: access.DevelopmentKey = None
    production: access.Production = False
    token_file: access.TokenFile = None
    otlp_endpoint: traces.OtlpEndpoint = None
    traces_file: traces.TracesFile = None
    traces_ratio: traces.TracesRatio = 1.0

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """The settings that these variables give. Raises SettingsError for the first that can't be used.

        An address of a server, which may hold a password, can stand in a file: FOLDSTREAM_<NAME>_FILE names it.
        """
        given = {name: text for name in cls.model_fields if (text := variables.get(variable_of(name)))}
        for name in IN_FILES:
            if file := variables.get(file_variable_of(name)):
                given[name] = _read_from(file, name, is_given=name in given)
        return cls.model_validate({name: _value_of(name, text) for name, text in given.items()})

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises SettingsError."""
        return cls.from_mapping(environment())

    @property
    def eventstore(self) -> str:
        """The URI of the event store. Raises SettingsError where none is named."""
        return _named("eventstore_uri", self.eventstore_uri)

    @property
    def redis(self) -> str:
        """The URI of Redis. Raises SettingsError where none is named."""
        return _named("redis_uri", self.redis_uri)


def kind_of(name: str) -> Kind:
    """What a setting's value may be."""
    return next(each for each in Settings.model_fields[name].metadata if isinstance(each, Kind))


def unknown_variables(variables: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """What looks like a setting and is none, with the one it may be meant for; of this process where none are given."""
    known = {name.upper() for name in Settings.model_fields} | {f"{name.upper()}_FILE" for name in IN_FILES}
    given = environment() if variables is None else variables
    unknown = sorted({name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)} - known)
    return {PREFIX + name: _nearest(name, known) for name in unknown}


def _value_of(name: str, text: str) -> object:
    try:
        return kind_of(name).of_text(text)
    except ValueError as error:
        raise SettingsError(variable_of(name), str(error)) from None


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next((PREFIX + near for near in get_close_matches(name, known, n=1)), None)


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
