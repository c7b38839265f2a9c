"""What the OpenAPI document gives as examples is of its schemas, and works when it is sent."""

from uuid import uuid4

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.service.http.description import Description
from tests.service.http.documented_examples import Example, bodies_in, examples_and_schemas, examples_in
from tests.support.callers import AUTHORIZED, header_of
from tests.support.polling import poll_until

IN_ORDER = (
    "receive_stock",
    "write_off_damage",
    "receive_stock",
    "open_account",
    "deposit",
    "withdraw",
    "deposit",
    "create_order",
    "add_item",
    "remove_item",
    "confirm_order",
    "cancel_order",
    "offer_cars",
    "offer_rooms",
    "offer_seats",
    "request_trip",
    "pause_saga",
    "resume_saga",
    "migrate_saga",
    "cancel_saga",
    "cancel_trip",
    "compensate_saga",
    "decline_flight",
    "confirm_flight",
)
"""Commands, each after what it needs."""
OF_ONE_THAT_IS_WELL = {
    "retry_saga": "saga-not-retryable",
    "skip_step_of_saga": "saga-not-skippable",
    "signal_saga": "unknown-signal",
}
"""What helps an instance of a saga that is not well is refused by one that is, with this rule."""
COMMANDS = {"POST", "PUT", "DELETE"}


@pytest.fixture(scope="module")
def caller() -> dict[str, str]:
    """An administrator of a tenant of its own, where nothing of the examples is there yet; all has one correlation."""
    header = header_of("ada", "administrator", tenant=f"examples_{uuid4().hex[:8]}")
    return {**header, "Foldstream-Correlation-Id": "5d0b8a52-0f4e-4c39-9a57-1f6f7c2c9e10"}


def test_each_example_is_of_its_schema(description: Description) -> None:
    document = description.document
    faults = {
        name: [fault.message for fault in Draft202012Validator({**document, **schema}).iter_errors(example)]
        for name, example, schema in examples_and_schemas(document)
    }
    assert {name: found for name, found in faults.items() if found} == {}


def test_each_body_and_each_part_of_a_path_has_an_example(description: Description) -> None:
    schemas = description.document["components"]["schemas"]
    assert sorted(name for name in bodies_in(description.document) if not schemas[name].get("examples")) == []
    assert [example.path for example in examples_in(description.document).values() if "{" in example.path] == []


def test_each_command_is_in_the_order(description: Description) -> None:
    found = examples_in(description.document)
    commands = {name for name, example in found.items() if example.method in COMMANDS}
    assert commands == {*IN_ORDER, *OF_ONE_THAT_IS_WELL}


def test_the_examples_of_requests_work_in_order(
    http: httpx.Client, description: Description, caller: dict[str, str]
) -> None:
    """The connection demands that each answer is as described."""
    found = examples_in(description.document)
    for name in IN_ORDER:
        _until_done(http, found[name], caller)
    refused = {name: found[name].send(http, caller)[0].json().get("rule") for name in OF_ONE_THAT_IS_WELL}
    assert refused == OF_ONE_THAT_IS_WELL
    for name, example in found.items():
        if example.method not in COMMANDS:
            _until_done(http, example, AUTHORIZED if name == "read_metrics" else caller)


def _until_done(http: httpx.Client, example: Example, headers: dict[str, str]) -> None:
    """Sends it until it is done: sagas and read models come a moment later."""

    def is_done() -> bool:
        return {answer.status_code for answer in example.send(http, headers)} <= {200, 201}

    poll_until(is_done, seconds=30, what=example.path)
