"""The Kubernetes manifest as documents, and what Kubernetes would make of them."""

from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from tests.architecture.sources import ROOT

Document: TypeAlias = dict[str, Any]
FOLDER: Final = ROOT / "deploy" / "kubernetes"
EXAMPLE: Final = "secret.example.yaml"
KUSTOMIZATION: Final = "kustomization.yaml"


def documents_of(path: Path) -> list[Document]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


@cache
def resources() -> tuple[Document, ...]:
    """All that is applied: the documents of the files that the kustomization names."""
    [kustomization] = documents_of(FOLDER / KUSTOMIZATION)
    return tuple(document for name in kustomization["resources"] for document in documents_of(FOLDER / name))


def of_kind(kind: str) -> list[Document]:
    return [document for document in resources() if document["kind"] == kind]


def name_of(document: Document) -> str:
    return str(document["metadata"]["name"])


def pod_of(deployment: Document) -> Document:
    return dict(deployment["spec"]["template"]["spec"])


def container_of(deployment: Document) -> Document:
    [container] = pod_of(deployment)["containers"]
    return dict(container)


def environment_of(deployment: Document) -> dict[str, str]:
    """The variables of its container; those of a config map come first."""
    container = container_of(deployment)
    maps = {name_of(document): document["data"] for document in of_kind("ConfigMap")}
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    return found | {each["name"]: each["value"] for each in container.get("env", ())}


def selects(selector: dict[str, str], deployment: Document) -> bool:
    """Whether the labels of a selector are those of the deployment's pods."""
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return selector.items() <= labels.items()
