"""Clients that all ask one API at once, each about goods of its own, and remember what they were answered."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import httpx

from tests.service.http.shop import new_name
from tests.support.callers import header_of
from tests.support.polling import poll_until

_UNUSED: Final = ssl.create_default_context()  # for no TLS, but a client makes one of its own else, which takes long
NOT_NOW: Final = {(429, "overloaded"), (429, "rate-limited"), (503, "store-unavailable"), (503, "read-model-behind")}
"""The refusals that say to come back."""


@dataclass
class Visitor:
    """A client that receives goods again and again, and looks at what there is.

    `acknowledged` is what it knows to be in stock; `unknown` are the receipts, by key, that it was told to send again.
    """

    header: Mapping[str, str]
    sku: str = field(default_factory=lambda: new_name("mug"))
    acknowledged: int = 0
    token: str | None = None
    unknown: dict[str, int] = field(default_factory=dict)
    answered: Counter[tuple[int, str | None]] = field(default_factory=Counter)

    @property
    def path(self) -> str:
        return f"/stock/{self.sku}"

    async def visit(self, url: str, rounds: int) -> None:
        """One request after the other on a connection of its own, never twice the same."""
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=_UNUSED) as http:
            for number in range(1, rounds + 1):
                await self._go_round(http, number)

    async def _go_round(self, http: httpx.AsyncClient, number: int) -> None:
        key = str(uuid4())
        headers = {**self.header, "Idempotency-Key": key}
        self._note(await http.post(f"{self.path}/receipts", json={"quantity": number}, headers=headers), key, number)
        looked = await http.get(self.path, headers=dict(self.header))
        self.answered[looked.status_code, _rule_of(looked)] += 1

    def settle(self, http: httpx.Client) -> None:
        """Sends what it was told to send again, until it is done."""
        for key, quantity in self.unknown.items():
            headers = {**self.header, "Idempotency-Key": key}

            def is_done(headers: dict[str, str] = headers, quantity: int = quantity) -> bool:
                answer = http.post(f"{self.path}/receipts", json={"quantity": quantity}, headers=headers)
                if answer.status_code not in {200, 201}:
                    return False
                self._acknowledge(answer, quantity)
                return True

            poll_until(is_done, seconds=60, what=f"the receipt of {quantity} {self.sku}")

    def _note(self, answer: httpx.Response, key: str, quantity: int) -> None:
        self.answered[answer.status_code, _rule_of(answer)] += 1
        if answer.status_code in {200, 201}:
            self._acknowledge(answer, quantity)
        elif answer.status_code == 503:  # it may have taken effect
            self.unknown[key] = quantity

    def _acknowledge(self, answer: httpx.Response, quantity: int) -> None:
        self.acknowledged += quantity
        self.token = answer.headers["Foldstream-Position"]


def crowd(number: int) -> list[Visitor]:
    """So many clients, each a subject of its own, in a tenant that nobody else has."""
    tenant = f"crowd_{uuid4().hex[:8]}"
    return [Visitor(header_of(f"visitor-{each}", "administrator", tenant=tenant)) for each in range(number)]


def visit_at_once(url: str, visitors: list[Visitor], rounds: int) -> Counter[tuple[int, str | None]]:
    """They all come, each on a connection of its own. All answers, by status and rule."""

    async def run() -> None:
        await asyncio.gather(*(visitor.visit(url, rounds) for visitor in visitors))

    asyncio.run(run())
    return sum((visitor.answered for visitor in visitors), Counter())


def _rule_of(answer: httpx.Response) -> str | None:
    """The rule that refused it, None where it was done. Whoever is told to come back is told when."""
    if answer.status_code < 400:
        return None
    rule = str(answer.json()["rule"])
    if (answer.status_code, rule) in NOT_NOW:
        assert answer.headers["Retry-After"] == "1"
    return rule
