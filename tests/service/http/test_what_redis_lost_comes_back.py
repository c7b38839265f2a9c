"""Rows and lists that Redis has lost: 503 until the worker has mended them, and then what they were."""

from collections.abc import Sequence
from uuid import uuid4

import httpx
import redis

from projections import account_balance, account_statement
from service.workers.projections import deployment_of
from tests.infrastructure.readmodels.workers import ThreadWorker
from tests.service.http.api_server import away, serving
from tests.service.http.shop import new_account, read
from tests.support.polling import poll_until

KEPT = (account_balance.projection, account_statement.projection)


def lose(redis_uri: str, namespace: str, account: str) -> None:
    """The row of its balance, and the entries of its statement."""
    with redis.Redis.from_url(redis_uri) as connection:
        lost = [
            f"{{{namespace}:account_balance:1:p0}}:row:{account}",
            f"{{{namespace}:account_statement:1:p0}}:index:statement:{account}",
        ]
        assert connection.delete(*lost) == 2


def told(http: httpx.Client, paths: Sequence[str]) -> list[tuple[int, object]]:
    """The bodies of what is found there, and the rules by which it is refused."""
    answers = [http.get(path) for path in paths]
    return [
        (answer.status_code, answer.json() if answer.status_code == 200 else answer.json()["rule"])
        for answer in answers
    ]


def outcomes(bodies: Sequence[object]) -> list[tuple[int, object]]:
    return [(200, body) for body in bodies]


def mended(number: int) -> str:
    """What is said of a read model once so much of it was mended."""
    return f"{number} rows and entries were written anew: Redis had lost them, or their streams were blocked"


def test_an_account_and_its_statement(eventstore_uri: str, redis_uri: str) -> None:
    namespace = f"lost-{uuid4().hex[:12]}"
    settings = away(eventstore_uri=eventstore_uri, redis_uri=redis_uri, namespace=namespace)
    with serving(settings) as http, ThreadWorker(deployment_of(settings), *KEPT):
        account = new_account(http, "100.00")
        withdrawn = http.post(f"/accounts/{account}/withdrawals", json={"amount": "30.00"})
        paths = (f"/accounts/{account}", f"/accounts/{account}/statement")
        poll_until(lambda: all(http.get(path).status_code == 200 for path in paths), seconds=20, what="the read models")
        right = [read(http, path, withdrawn) for path in paths]
        lose(redis_uri, namespace, account)
        assert all(each == (503, "read-model-unavailable") or each in outcomes(right) for each in told(http, paths))
        poll_until(lambda: told(http, paths) == outcomes(right), seconds=20, what="the mending")
        checks = http.get("/health/ready").json()["checks"]
    assert [checks[projection.name] for projection in KEPT] == [
        {"ok": True, "state": "ok", "detail": mended(number)} for number in (1, 2)
    ]
