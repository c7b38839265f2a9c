"""All settings there are."""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from infrastructure.access.verification_keys import ALGORITHMS
from service.settings import access, calls, http, read_models, sagas, servers, traces
from service.settings.errors import SettingsError
from service.settings.given import Given, Places
from service.settings.kind import Kind
from service.settings.numbers import PerProjection
from service.settings.sources import given_by
from service.settings.variables import environment, variable_of, variables_for


class Settings(BaseModel):
    """The settings of one deployment. Each is FOLDSTREAM_<NAME> in the environment, <name> in a file.

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
    requests_per_second: calls.RequestsPerSecond = 500
    requests_burst: calls.RequestsBurst = 10_000
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
    _places: Places = PrivateAttr(default_factory=Places)

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """The settings that these variables give, and the file that they name. Raises SettingsError for the first that
        can't be used, and for what is called as a setting and is none.
        """
        return cls.from_given(given_by(variables, KINDS))

    @classmethod
    def from_given(cls, given: Mapping[str, Given]) -> Self:
        """The settings of values that have been read."""
        settings = cls.model_validate({name: each.value for name, each in given.items()})
        settings._places = Places({name: each.place for name, each in given.items()})
        return settings

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises SettingsError."""
        return cls.from_mapping(environment())

    def place_of(self, name: str) -> str:
        """Where a setting is to be changed: a variable, an option, or a file with its key."""
        return self._places.of.get(name, variable_of(name))

    @property
    def eventstore(self) -> str:
        """The URI of the event store. Raises SettingsError where none is named."""
        return _named("eventstore_uri", self.eventstore_uri)

    @property
    def redis(self) -> str:
        """The URI of Redis. Raises SettingsError where none is named."""
        return _named("redis_uri", self.redis_uri)


KINDS: Final[Mapping[str, Kind]] = {
    name: next(each for each in field.metadata if isinstance(each, Kind))
    for name, field in Settings.model_fields.items()
}
"""What each setting may be."""
VARIABLES: Final = tuple(variables_for(KINDS))
"""All that is read of the environment."""


def given_settings() -> dict[str, Given]:
    """What each setting of this process is, and where it comes from. Raises SettingsError."""
    given = given_by(environment(), KINDS)
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return {name: given.get(name, Given(value, "default", None, variable_of(name))) for name, value in defaults.items()}


def _named(name: str, uri: str | None) -> str:
    if uri is None:
        raise SettingsError(variable_of(name), "is not set; it names the server to use")
    return uri
