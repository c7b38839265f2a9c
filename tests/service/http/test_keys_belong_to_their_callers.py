"""An Idempotency-Key is its caller's, and what was stored before callers were known is found all the same."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import httpx
import pytest

from domain.accounts.account import Deposit, OpenAccount
from infrastructure.commands.handler import CommandHandler
from infrastructure.commands.request import Outcome
from service.consumers import route
from service.history.sources import CODEC
from service.http.endpoints.forms import AccountForm, AmountForm
from service.http.endpoints.idempotency import digest
from tests.infrastructure.commands.tally import connected, request
from tests.service.http.shop import done, new_account, new_name, read
from tests.support.callers import header_of

_COMMANDS = uuid5(NAMESPACE_URL, "foldstream:command")
_CREATIONS = uuid5(NAMESPACE_URL, "foldstream:creation")
CLERKS = [header_of(name, "clerk") for name in ("alice", "bob")]


def test_two_clerks_with_one_key_send_two_commands(http: httpx.Client) -> None:
    account, key = new_account(http), {"Idempotency-Key": "1"}
    path, form = f"/accounts/{account}/deposits", {"amount": "5.00"}
    answers = [http.post(path, json=form, headers={**clerk, **key}) for clerk in (*CLERKS, CLERKS[0])]
    first, second, again = map(done, answers)
    assert (first["version"], second["version"], again) == (1, 2, first)
    assert read(http, f"/accounts/{account}", answers[1])["balance"] == "10.00"


def test_two_clerks_with_one_key_create_two_things(http: httpx.Client) -> None:
    form, key = {"owner_id": new_name("ada"), "currency": "EUR"}, {"Idempotency-Key": str(uuid4())}
    first, second, again = (
        done(http.post("/accounts", json=form, headers={**clerk, **key})) for clerk in (*CLERKS, CLERKS[0])
    )
    assert first["id"] != second["id"]
    assert again == first


@pytest.mark.parametrize("stored_as", ["{}", '"{}"'])
def test_what_an_earlier_release_stored_is_repeated(http: httpx.Client, eventstore_uri: str, stored_as: str) -> None:
    """It knew no callers, and stored a key with the quotes that it came with, before it took them off."""
    name, owner = str(uuid4()), new_name("ada")
    first, second = (stored_as.format(f"{name}{number}") for number in (1, 2))
    account = str(uuid5(_CREATIONS, f"accounts default anonymous {first}"))
    opening: dict[str, Any] = {"owner_id": owner, "currency": "EUR"}
    opened = digest("POST", "/accounts", AccountForm.model_validate(opening))
    paid = digest("POST", f"/accounts/{account}/deposits", AmountForm.model_validate({"amount": "5.00"}))
    stream = f"account-{account}"
    commands = (OpenAccount(account_id=account, **opening), Deposit(account_id=account, amount=Decimal("5.00")))
    asyncio.run(_stored(eventstore_uri, commands[0], uuid5(_COMMANDS, f"{stream} {first}"), opened))
    former = asyncio.run(_stored(eventstore_uri, commands[1], uuid5(_COMMANDS, f"{stream} {second}"), paid))
    again = http.post("/accounts", json=opening, headers={**CLERKS[0], "Idempotency-Key": f'"{name}1"'})
    assert (again.status_code, again.json()["id"], again.json()["version"]) == (201, account, 0)
    headers = {**CLERKS[1], "Idempotency-Key": f'"{name}2"'}
    repeated = http.post(f"/accounts/{account}/deposits", json={"amount": "5.00"}, headers=headers)
    assert done(repeated)["version"] == former.version == 1


def test_what_an_earlier_release_stored_for_another_is_no_customer_s_repeat(
    http: httpx.Client, eventstore_uri: str
) -> None:
    key, bob = str(uuid4()), new_name("bob")
    taken = str(uuid5(_CREATIONS, f"accounts default anonymous {key}"))
    hers: dict[str, Any] = {"owner_id": new_name("ada"), "currency": "EUR"}
    opening, told = OpenAccount(account_id=taken, **hers), digest("POST", "/accounts", AccountForm.model_validate(hers))
    asyncio.run(_stored(eventstore_uri, opening, uuid5(_COMMANDS, f"account-{taken} {key}"), told))
    headers, form = {**header_of(bob, "customer"), "Idempotency-Key": key}, {"owner_id": bob, "currency": "EUR"}
    first, again = (http.post("/accounts", json=form, headers=headers) for _ in range(2))
    assert (first.status_code, done(again)) == (201, done(first))
    assert first.json()["id"] != taken
    refused = http.post("/accounts", json={**form, "id": taken}, headers=headers)
    assert (refused.status_code, refused.json()["rule"]) == (409, "account-exists")


async def _stored(uri: str, command: OpenAccount | Deposit, command_id: UUID, told: str) -> Outcome:
    """As releases did that knew no callers."""
    async with connected(uri) as client:
        return await CommandHandler(client, CODEC).handle(route(command), command, request(command_id, digest=told))
