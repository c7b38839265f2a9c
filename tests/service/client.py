"""A customer of the HTTP API who repeats what got no answer, under the same key."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from tests.support.callers import AUTHORIZED
from tests.support.polling import poll_until

PATIENCE: Final = 60.0
_NOT_NOW: Final = {409, 429, 503}
ENDED: Final = ("shipped", "cancelled")


@dataclass
class Client:
    """Speaks to the service at `url`. Commands are repeated until they are answered; `answered` counts them.

    Queries see at least what was `seen` of the log in the answers to commands. It repeats for `patience` seconds.
    """

    url: str
    answered: int = 0
    seen: str | None = None
    patience: float = PATIENCE
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20, trust_env=False, headers=AUTHORIZED))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self._http.close()

    def command(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> httpx.Response:
        """The answer that counts: neither a lost connection nor "not now"."""
        headers = {"Idempotency-Key": key or str(uuid4())}

        def answer() -> httpx.Response | None:
            try:
                response = self._http.post(self.url + path, json=body, headers=headers)
            except httpx.TransportError:
                return None
            return None if _is_not_now(response) else response

        response = poll_until(
            lambda: [found] if (found := answer()) is not None else [], seconds=self.patience, what=path
        )[0]
        self.answered += 1
        return response

    def done(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> dict[str, Any]:
        """A command that must be done; the body of its answer."""
        response = self.command(path, body, key)
        assert response.status_code in {200, 201}, (path, response.status_code, response.text)
        said = dict(response.json())
        self.seen = str(said["position"])
        return said

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """A query's answer, asked again while the service is away or the read model behind."""
        return self.ask(path, **{**({} if self.seen is None else {"at_least": self.seen}), **parameters})

    def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        """The same where nothing is asked of its position: of the log."""

        def answer() -> dict[str, Any] | None:
            try:
                response = self._http.get(self.url + path, params=parameters)
            except httpx.TransportError:
                return None
            if response.status_code == 503:
                return None
            assert response.status_code == 200, (path, response.status_code, response.text)
            return dict(response.json())

        return poll_until(lambda: answer() or {}, seconds=self.patience, what=path)

    def ended(self, order_id: str) -> dict[str, Any]:
        """The order, once it is shipped or cancelled."""

        def order() -> dict[str, Any]:
            found = self.get(f"/orders/{order_id}")
            return found if found["status"] in ENDED else {}

        return poll_until(order, seconds=self.patience, what=f"the end of order {order_id}")

    def receive(self, sku: str, quantity: int, key: str | None = None) -> dict[str, Any]:
        return self.done(f"/stock/{sku}/receipts", {"quantity": quantity}, key)

    def account(self, amount: str | None = None, currency: str = "EUR") -> str:
        """A new account with so much in it; its id."""
        account_id = str(self.done("/accounts", {"owner_id": "ada", "currency": currency})["id"])
        if amount is not None:
            self.done(f"/accounts/{account_id}/deposits", {"amount": amount})
        return account_id

    def order(self, account_id: str, *items: tuple[str, int, str]) -> str:
        """A new order, not yet confirmed, of SKU, quantity and price; its id."""
        lines = [{"sku": sku, "quantity": quantity, "unit_price": price} for sku, quantity, price in items]
        body = {"customer_id": "ada", "account_id": account_id, "currency": "EUR", "items": lines}
        return str(self.done("/orders", {"id": str(uuid4()), **body})["id"])

    def confirm(self, order_id: str) -> str:
        """The position token of the confirmation."""
        return str(self.done(f"/orders/{order_id}/confirm")["position"])

    def assert_becomes(self, path: str, expected: dict[str, Any]) -> None:
        """Waits until a read model says exactly this."""
        answers = [self.get(path)]

        def reached() -> bool:
            answers.append(self.get(path))
            return answers[-1] == expected

        with suppress(AssertionError):
            poll_until(reached, seconds=10, what=path)
        assert answers[-1] == expected


def _is_not_now(response: httpx.Response) -> bool:
    if response.status_code not in _NOT_NOW:
        return False
    return response.json()["rule"] in {"conflict", "overloaded", "store-unavailable"}


def stock_level(of: str, on_hand: int, version: int) -> dict[str, Any]:
    """What the API says of a SKU of which nothing is reserved any more."""
    return {"sku": of, "on_hand": on_hand, "reserved": 0, "available": on_hand, "damaged": 0, "version": version}
