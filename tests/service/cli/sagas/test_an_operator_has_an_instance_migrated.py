"""`foldstream sagas migrate` says what it did, and why not."""

import json

import pytest
import typer

from service.cli.sagas.commands import app
from service.errors import NoInstance
from tests.infrastructure.sagas.open_orders import TOLD
from tests.service.cli.snapshots.command import ran

WHY = ("--why", "the new carrier")


def test_one_that_runs_on_the_version_already_is_left_as_it_is(store_uri: str) -> None:
    order = next(each for each in TOLD["ended"])
    result = ran(store_uri, app, "migrate", "fulfilment", order, "--to", "1", *WHY, "--json")
    assert json.loads(result.stdout) == {
        "type": "fulfilment",
        "id": order,
        "changed": False,
        "version": 1,
        "version_before": None,
    }
    said = ran(store_uri, app, "migrate", "fulfilment", order, "--to", "1", *WHY)
    assert (said.return_value, said.stdout) == (0, f"fulfilment-{order} runs on version 1 already\n")


def test_a_version_that_this_build_lacks_is_wrong_usage(store_uri: str) -> None:
    refused = ran(store_uri, app, "migrate", "fulfilment", "0", "--to", "3", *WHY).exception
    assert isinstance(refused, typer.BadParameter)
    assert str(refused) == "there is no version 3 of fulfilment; there is 1, 2"


@pytest.mark.parametrize("saga", ["shipping", "order"])
def test_a_saga_that_there_is_not_is_wrong_usage(store_uri: str, saga: str) -> None:
    refused = ran(store_uri, app, "migrate", saga, "0", "--to", "1", *WHY).exception
    assert str(refused) == f"there is no saga {saga!r}; there is fulfilment, booking"


def test_an_instance_for_which_no_message_came_is_refused(store_uri: str) -> None:
    refused = ran(store_uri, app, "migrate", "fulfilment", "0", "--to", "1", *WHY).exception
    assert isinstance(refused, NoInstance)
