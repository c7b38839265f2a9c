"""What `kubectl apply -k deploy/kubernetes` asks for is valid, and fits the program, its settings and its bounds."""

import tomllib
from pathlib import Path
from typing import Final

import kubernetes_validate
import pytest
from trustme import CA

from infrastructure.uri import without_file
from service.settings import Settings
from service.supervisor.programs import Program
from tests.architecture.sources import ROOT
from tests.deployment import manifests
from tests.deployment.manifests import Document, container_of, environment_of, name_of, of_kind, pod_of, selects
from tests.deployment.setting_names import is_setting
from tests.support.command_lines import refusal

VERSIONS: Final = ("1.29", kubernetes_validate.latest_version().rpartition(".")[0])
FILES: Final = sorted(manifests.FOLDER.glob("*.yaml"))
APPLIED: Final = [path for path in FILES if path.name not in {manifests.EXAMPLE, manifests.KUSTOMIZATION}]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
STOP_SECONDS: Final = Program("any", ()).grace  # what `serve` leaves to a process, too
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
DEPLOYMENTS: Final = of_kind("Deployment")
[API] = [each for each in DEPLOYMENTS if name_of(each) == "foldstream-api"]


def selected_by(labels: dict[str, str]) -> list[str]:
    """The deployments whose pods have these labels."""
    return [name_of(each) for each in DEPLOYMENTS if selects(labels, each)]


def ports_of(deployment: Document) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container_of(deployment)["ports"]}


@pytest.mark.parametrize("path", [*APPLIED, manifests.FOLDER / manifests.EXAMPLE], ids=lambda path: path.name)
def test_every_document_is_valid_in_old_and_new_versions(path: Path) -> None:
    for document in manifests.documents_of(path):
        judged = [kubernetes_validate.validate(document, version, strict=True) for version in VERSIONS]
        assert judged == list(VERSIONS)


def test_a_document_that_is_not_valid_is_found() -> None:
    wrong = {**API, "spec": {**API["spec"], "replicaz": 2}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replicaz"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_everything_but_the_example_is_applied_into_one_namespace() -> None:
    [kustomization] = manifests.documents_of(manifests.FOLDER / manifests.KUSTOMIZATION)
    assert sorted(kustomization["resources"]) == [path.name for path in APPLIED]
    spaces = {each["metadata"].get("namespace", name_of(each)) for each in manifests.resources()}
    assert spaces == {kustomization["namespace"]} == {"foldstream"}


def test_api_projections_and_sagas_run_twice_each_by_verbs_that_there_are() -> None:
    assert {name_of(each): each["spec"]["replicas"] for each in DEPLOYMENTS} == {
        "foldstream-api": 2,
        "foldstream-projections": 2,
        "foldstream-sagas": 2,
    }
    for deployment in DEPLOYMENTS:
        program, verb, *options = container_of(deployment)["command"]
        assert (program, f"foldstream-{verb}") == ("foldstream", name_of(deployment))
        assert refusal([verb, *options]) is None


def test_the_image_is_that_of_this_version() -> None:
    [kustomization] = manifests.documents_of(manifests.FOLDER / manifests.KUSTOMIZATION)
    assert [each["newTag"] for each in kustomization["images"]] == [PROJECT["version"]]
    assert {container_of(each)["image"] for each in DEPLOYMENTS} == {f"foldstream:{PROJECT['version']}"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_its_settings_exist_and_can_be_used(deployment: Document) -> None:
    given = environment_of(deployment)
    assert [name for name in given if not is_setting(name)] == []
    plain = {name: value for name, value in given.items() if not name.endswith("_URI_FILE")}
    assert Settings.from_mapping(plain).production is True
    assert pod_of(deployment)["enableServiceLinks"] is False


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_its_secrets_are_files_and_stand_in_no_environment(deployment: Document) -> None:
    pod, container = pod_of(deployment), container_of(deployment)
    [secret] = manifests.documents_of(manifests.FOLDER / manifests.EXAMPLE)
    [volume] = [each for each in pod["volumes"] if "secret" in each]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == volume["name"]]
    assert (volume["secret"]["secretName"], mount["readOnly"]) == (name_of(secret), True)
    files = {value for name, value in environment_of(deployment).items() if name.endswith("_URI_FILE")}
    assert files == {f"{mount['mountPath']}/{key}" for key in secret["stringData"] if key.endswith("-uri")}
    assert [each for each in container["envFrom"] if "secretRef" in each] == []
    assert [each for each in container.get("env", ()) if "valueFrom" in each] == []


def test_addresses_of_the_example_are_such_as_the_service_takes(tmp_path: Path) -> None:
    [secret] = manifests.documents_of(manifests.FOLDER / manifests.EXAMPLE)
    authority = CA().cert_pem.bytes()
    for key, value in secret["stringData"].items():
        here = value.replace("/run/secrets/foldstream", str(tmp_path))
        (tmp_path / key).write_bytes(authority if key.endswith(".crt") else here.encode())
    files = {f"FOLDSTREAM_{name}_URI_FILE": str(tmp_path / f"{name.lower()}-uri") for name in ("EVENTSTORE", "REDIS")}
    settings = Settings.from_mapping(files)
    assert without_file(settings.eventstore).endswith(str(tmp_path / "eventstore-ca.crt"))
    assert without_file(settings.redis).endswith(str(tmp_path / "redis-ca.crt"))


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_it_may_do_as_little_as_the_strictest_profile_asks(deployment: Document) -> None:
    pod = pod_of(deployment)
    assert container_of(deployment)["securityContext"] == RESTRICTED
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pod["automountServiceAccountToken"] is False
    [space] = of_kind("Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_one_pod_at_a_time_is_taken_away(deployment: Document) -> None:
    budgets = [each["spec"] for each in of_kind("PodDisruptionBudget")]
    own = [each["maxUnavailable"] for each in budgets if selects(each["selector"]["matchLabels"], deployment)]
    assert own == [1]
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert selected_by(deployment["spec"]["selector"]["matchLabels"]) == [name_of(deployment)]
    spread = pod_of(deployment)["topologySpreadConstraints"]
    assert all(selects(each["labelSelector"]["matchLabels"], deployment) for each in spread)
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_it_is_asked_whether_it_started_is_ready_and_lives(deployment: Document) -> None:
    container = container_of(deployment)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container["resources"]["limits"]) == {"memory"}  # a limit of processor time only makes it slow


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_it_has_the_time_to_stop_that_it_may_take(deployment: Document) -> None:
    before = container_of(deployment).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
    assert pod_of(deployment)["terminationGracePeriodSeconds"] >= int(before[1]) + 2 * STOP_SECONDS


def test_the_service_and_the_network_lead_to_the_port_of_the_api() -> None:
    command, ports = container_of(API)["command"], ports_of(API)
    assert int(command[command.index("--port") + 1]) == ports["http"]
    [service] = of_kind("Service")
    assert selected_by(service["spec"]["selector"]) == [name_of(API)]
    assert [each["targetPort"] for each in service["spec"]["ports"]] == ["http"]
    [policy] = [each["spec"] for each in of_kind("NetworkPolicy") if name_of(each) == "foldstream-api"]
    assert selected_by(policy["podSelector"]["matchLabels"]) == [name_of(API)]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": ports["http"]}]}]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=name_of)
def test_prometheus_alone_reaches_the_port_of_metrics(deployment: Document) -> None:
    number = ports_of(deployment)["metrics"]
    given = environment_of(deployment)
    assert (given["FOLDSTREAM_METRICS_PORT"], given["FOLDSTREAM_METRICS_HOST"]) == (str(number), "0.0.0.0")
    scraped = deployment["spec"]["template"]["metadata"]["annotations"]
    assert scraped == {"prometheus.io/scrape": "true", "prometheus.io/port": str(number)}
    [policy] = [each["spec"] for each in of_kind("NetworkPolicy") if name_of(each) == "foldstream"]
    assert selects(policy["podSelector"]["matchLabels"], deployment)
    [ingress] = policy["ingress"]
    assert ingress["ports"] == [{"protocol": "TCP", "port": number}]
    assert ingress["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
