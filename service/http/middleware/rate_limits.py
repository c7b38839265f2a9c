"""Bounds how many requests one sender may make: a token bucket for each subject, and for each address without one."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final, TypeAlias

from fastapi import Request

from infrastructure.access.caller import ANONYMOUS
from service.http.middleware.callers import caller_of
from service.http.problems import Problem
from service.watch_paths import WATCH_PATHS

_MOST: Final = 10_000  # senders
Sender: TypeAlias = tuple[str, ...]
"""Tenant and subject, or an address alone."""


class RateLimits:
    """Each sender has a bucket of `burst` tokens, into which `per_second` come each second; a request takes one.

    Without `per_second` nobody is limited. A bucket is kept as the time when it will be full again, by `clock`, which
    is the virtual scheduling of the generic cell rate algorithm (ITU-T I.371). `most` are kept; beyond that, the one
    that was used least recently begins anew with a full bucket.
    """

    def __init__(
        self, per_second: int, burst: int, clock: Callable[[], float] = monotonic, *, most: int = _MOST
    ) -> None:
        self._per_second: Final = per_second
        self._seconds: Final = 1 / per_second if per_second else 0.0  # that one token takes to come
        self._room: Final = (burst - 1) * self._seconds
        self._clock: Final = clock
        self._most: Final = most
        self._full_at: Final = OrderedDict[Sender, float]()

    def take(self, sender: Sender) -> None:
        """Takes one token of the sender. Raises Problem `rate-limited`, without a token taken, where there is none."""
        if not self._per_second:
            return
        now = self._clock()
        full_at = max(self._full_at.get(sender, now), now)
        if full_at - now > self._room:
            raise Problem("rate-limited", f"One sender may send {self._per_second} requests a second; come back later.")
        self._full_at[sender] = full_at + self._seconds
        self._full_at.move_to_end(sender)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)

    def __len__(self) -> int:
        """How many senders are kept."""
        return len(self._full_at)


def require_rate(request: Request) -> None:
    """Takes a token of the request's sender: of its subject, or of its address where it has no valid token.

    What watches the service is answered in any case. Raises Problem `rate-limited`.
    """
    if request.scope["route"].path not in WATCH_PATHS:
        limits: RateLimits = request.app.state.rate_limits
        limits.take(_sender(request))


def address_of(request: Request) -> str:
    """Where it comes from, which is the proxy where one stands in front."""
    return request.client.host if request.client else ""


def _sender(request: Request) -> Sender:
    caller = caller_of(request)
    if caller is ANONYMOUS:
        return (address_of(request),)
    return caller.tenant, caller.subject
