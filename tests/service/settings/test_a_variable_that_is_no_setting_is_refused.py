"""A variable that is called as settings are, and is none, is refused, but for those that Kubernetes and Docker set."""

import pytest

from service.settings import VARIABLES, Settings, SettingsError
from service.settings.injected import is_injected

# As Kubernetes sets them for Services called `foldstream`, `foldstream-metrics` and `foldstream-api`, and Docker for a
# container that is linked as `foldstream`.
INJECTED = {
    "FOLDSTREAM_SERVICE_HOST": "10.96.0.12",
    "FOLDSTREAM_SERVICE_PORT": "8000",
    "FOLDSTREAM_SERVICE_PORT_HTTP": "8000",
    "FOLDSTREAM_PORT": "tcp://10.96.0.12:8000",
    "FOLDSTREAM_PORT_8000_TCP": "tcp://10.96.0.12:8000",
    "FOLDSTREAM_PORT_8000_TCP_PROTO": "tcp",
    "FOLDSTREAM_PORT_8000_TCP_PORT": "8000",
    "FOLDSTREAM_PORT_8000_TCP_ADDR": "10.96.0.12",
    "FOLDSTREAM_METRICS_SERVICE_HOST": "10.96.0.13",
    "FOLDSTREAM_METRICS_SERVICE_PORT": "9464",
    "FOLDSTREAM_METRICS_PORT": "tcp://10.96.0.13:9464",
    "FOLDSTREAM_METRICS_PORT_9464_TCP": "tcp://10.96.0.13:9464",
    "FOLDSTREAM_API_SERVICE_HOST": "fd00::12",
    "FOLDSTREAM_API_PORT": "udp://[fd00::12]:8000",
    "FOLDSTREAM_NAME": "/api/foldstream",
    "FOLDSTREAM_ENV_PATH": "/usr/bin",
}


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("FOLDSTREAM_REDIS_URL", "the nearest is FOLDSTREAM_REDIS_URI"),
        ("FOLDSTREAM_METRIC_PORT", "the nearest is FOLDSTREAM_METRICS_PORT"),
        ("FOLDSTREAM_CONFIG_FILE", "the nearest is FOLDSTREAM_CONFIG"),
        ("FOLDSTREAM_ZZZ", "docs/settings.md lists all"),
        ("FOLDSTREAM_NAME", "the nearest is FOLDSTREAM_NAMESPACE"),
    ],
)
def test_it_is_told_with_the_one_that_it_may_be_meant_for(variable: str, hint: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_mapping({variable: "9", "FOLDSTREAM_PARTITIONS": "1", "PATH": "/bin"})
    assert str(refusal.value) == f"{variable}: is no setting; {hint}"


def test_an_empty_one_counts_as_not_set() -> None:
    assert Settings.from_mapping({"FOLDSTREAM_ZZZ": ""}) == Settings()


def test_those_of_kubernetes_and_docker_are_left_alone() -> None:
    assert Settings.from_mapping(INJECTED) == Settings()


def test_none_that_is_a_setting_is_taken_for_one_of_those() -> None:
    assert [variable for variable in VARIABLES if is_injected(variable, "9464")] == []
    assert Settings.from_mapping({"FOLDSTREAM_METRICS_PORT": "9464"}) == Settings(metrics_port=9464)
