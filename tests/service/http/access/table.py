"""Records what each role gets from each route, by real requests: `python -m tests.service.http.access.table`."""

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from service.access.policy import ROLES
from tests.service.http.access.calls import CALLS, Route, World, new_world
from tests.support.callers import AUTHORIZED, header_of
from tests.support.service import FoldstreamProcess

RECORDED: Final = Path(__file__).parents[4] / "docs" / "access-table.md"
_AT_ONCE: Final = 8
_HEAD: Final = """# Who gets what

What each role is answered by each route, by real requests: `python -m tests.service.http.access.table` records it, a
test compares. What the roles are for stands in [roles.md](roles.md).

A cell has up to three answers: for what is the caller's own, for what is another's, and for the caller's own subject in
another tenant than the thing's. One stands for all three where they are the same. Without a token, or with one that is
not good, each route answers 401, those that are `open` aside.

- 409 is a refusal by the rules of what is asked, so by then it was allowed: sagas and trips that have ended take no
  words, and more is drawn and written off here than there is. So is 404 for a signal, which this saga knows none of.
- 404 is also what a thing is answered with that is another's: as if it were not there. Lists of it are empty.
"""


def recorded(http: httpx.Client) -> str:
    """The table as this service answers."""
    world = new_world(http, f"ada-{uuid4().hex[:12]}")
    document = http.get("/openapi.json").json()["paths"]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        rows = list(threads.map(lambda route: _row(world, route, document), CALLS))
    head = ("route", "does", *ROLES)
    return "\n".join([_HEAD, _line(head), _line(["---"] * len(head)), *(_line(row) for row in rows), ""])


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _row(world: World, route: Route, document: Mapping[str, Any]) -> list[str]:
    method, template = route
    action = document[template][method.lower()]["x-action"]
    return [f"`{method} {template}`", f"`{action}`", *(_cell(world, route, role) for role in ROLES)]


def _cell(world: World, route: Route, role: str) -> str:
    answers = list(_answers(world, route, role))
    return answers[0] if len(set(answers)) == 1 else " / ".join(answers)


def _answers(world: World, route: Route, role: str) -> Iterator[str]:
    stranger = f"bob-{uuid4().hex[:12]}"
    yield _told(_asked(world, route, world.owner, header_of(world.owner, role)))
    yield _told(_asked(world, route, world.owner, header_of(stranger, role)))
    yield _told(_asked(world, route, world.owner, header_of(world.owner, role, tenant=world.elsewhere)))


def _asked(world: World, route: Route, owner: str, header: dict[str, str]) -> httpx.Response:
    path, body = CALLS[route](world, owner)
    return world.http.request(route[0], path, json=body, headers=header)


def _told(answer: httpx.Response) -> str:
    path = answer.request.url.path
    if answer.status_code == 200 and path.startswith("/customers/"):
        [listed] = [each for each in answer.json().values() if isinstance(each, list)]
        return "200" if listed else "200 empty"
    return str(answer.status_code)


def main() -> None:
    """Records it anew, of a service of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        FoldstreamProcess(Path(folder)) as service,
        httpx.Client(base_url=service.url, timeout=40, trust_env=False, headers=AUTHORIZED) as http,
    ):
        RECORDED.write_text(recorded(http), encoding="utf-8")


if __name__ == "__main__":
    main()
