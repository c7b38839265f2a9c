"""Whatever Schemathesis makes of the OpenAPI document, no answer is outside it, and none says that the service failed.

Status, content type, headers and body of each answer are as described; what the schemas allow is accepted and what they
do not allow is refused; other methods are refused; without a token nothing is told.
"""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.service.http.description import Description
from tests.service.http.random_calls import call_at_random
from tests.support.callers import AUTHORIZED, header_of
from tests.support.service import FoldstreamProcess

OF_EACH_KIND = ("open_account", "list_all_orders", "skip_step_of_saga")
"""Those whose boundaries are tried each time; the long form tries all."""


@pytest.fixture(scope="module")
def documented(description: Description) -> int:
    """How many operations there are, but for the one that is asked for the document."""
    return sum(len(operations) for operations in description.document["paths"].values()) - 1


@pytest.fixture(scope="module")
def authorization() -> str:
    """That of an administrator of a tenant of its own: random calls touch nothing of other tests."""
    return header_of("tester", "administrator", tenant=f"random_{uuid4().hex[:8]}")["Authorization"]


@pytest.mark.timeout(300)
def test_few_random_calls_of_each_operation(
    api: str, authorization: str, tmp_path: Path, figures: list[str], documented: int
) -> None:
    calls = call_at_random(
        api, authorization, tmp_path, "--phases", "examples,fuzzing", "-n", "3", "--seed", "1", within=280
    )
    figures.append(f"random calls: {calls}")
    assert calls.findings == [], calls.told
    assert calls.operations == f"{documented} of {documented}"


@pytest.mark.timeout(300)
def test_the_boundaries_of_an_operation_of_each_kind(
    api: str, authorization: str, tmp_path: Path, figures: list[str], documented: int
) -> None:
    chosen = [word for name in OF_EACH_KIND for word in ("--include-operation-id", name)]
    calls = call_at_random(api, authorization, tmp_path, "--phases", "coverage", "--seed", "1", *chosen, within=280)
    figures.append(f"calls at boundaries: {calls}")
    assert calls.findings == [], calls.told
    assert calls.operations == f"{len(OF_EACH_KIND)} of {documented}"


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("phases", "seed"),
    [("coverage", "1"), *[("examples,fuzzing,stateful", seed) for seed in ("1", "2", "3")]],
)
def test_many_random_calls_in_all_phases_and_in_sequences(
    tmp_path: Path, figures: list[str], documented: int, phases: str, seed: str
) -> None:
    """The boundaries of all operations once: they are the same for each seed."""
    options = ("--phases", phases, "-n", "30", "--seed", seed)
    with FoldstreamProcess(tmp_path / "data") as service:
        calls = call_at_random(service.url, AUTHORIZED["Authorization"], tmp_path, *options, within=3_500)
    figures.append(f"random calls, {phases}, seed {seed}: {calls}")
    assert calls.findings == [], calls.told
    assert calls.operations == f"{documented} of {documented}"
