"""A payment provider over HTTP, each payment under an idempotency key; an example of a call that a saga makes."""

from typing import Any, Final
from uuid import UUID

import httpx

from domain.payment import PaymentAccepted, PaymentAnswer, PaymentDeclined, TakePayment
from infrastructure.sagas.errors import CallUnanswered, CallUnsent
from infrastructure.sagas.outside import Performer

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_DONE: Final = frozenset({429, 503})  # the provider says that it did not begin


class PaymentProvider:
    """Takes payments by `POST /payments` with `Idempotency-Key`, and looks them up by `GET /payments/{key}`.

    It says 201 or 200 with the payment's `id`, or 402 with a `reason`; 404 for a key that it does not know.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http: Final = http

    @property
    def performer(self) -> Performer:
        """For the composition: what performs `TakePayment`."""
        return Performer(self.take, self.look_up)

    async def take(self, request: TakePayment, key: UUID) -> PaymentAnswer:
        """Takes the payment, or gives the answer that this key got before.

        Raises CallUnsent, CallUnanswered, and httpx.HTTPStatusError for an answer that no such request should get.
        """
        amount = {"amount": str(request.amount.amount), "currency": request.amount.currency}
        body = {"reference": request.reference, **amount}
        response = await self._sent("POST", "/payments", {"Idempotency-Key": str(key)}, body)
        return _answer_in(response)

    async def look_up(self, request: TakePayment, key: UUID) -> PaymentAnswer | None:
        """What was answered under this key; None where nothing was. Raises as `take`."""
        response = await self._sent("GET", f"/payments/{key}", {}, None)
        return None if response.status_code == httpx.codes.NOT_FOUND else _answer_in(response)

    async def _sent(self, method: str, path: str, headers: dict[str, str], body: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, headers=headers, json=body)
        except _NOT_SENT as error:
            raise CallUnsent(f"the payment provider is away: {error!r}") from error
        except httpx.TransportError as error:
            raise CallUnanswered(f"the payment provider did not answer: {error!r}") from error
        if response.status_code in _NOT_DONE:
            raise CallUnsent(f"the payment provider does not take it now: {response.status_code}")
        if response.is_server_error:
            raise CallUnanswered(f"the payment provider failed: {response.status_code}")
        return response


def _answer_in(response: httpx.Response) -> PaymentAnswer:
    if response.status_code == httpx.codes.PAYMENT_REQUIRED:
        return PaymentDeclined(reason=str(response.json()["reason"]))
    response.raise_for_status()
    return PaymentAccepted(payment_id=str(response.json()["id"]))
