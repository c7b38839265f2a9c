"""Passwords are expensive to find out and cheap to recognise."""

import asyncio
from pathlib import Path
from time import perf_counter

import pytest

from infrastructure.embedded.eventstoredb.access.logins import Logins, WrongCredentials
from infrastructure.embedded.eventstoredb.access.passwords import PasswordHash
from infrastructure.embedded.eventstoredb.access.users import set_password
from tests.eventstoredb.access.conftest import login


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("logins") / "users"
    set_password(file, "ada", "right")
    return file


def judged(logins: Logins, password: str, times: int) -> list[bool]:
    """Whether each of many callers at once was let in."""

    async def admitted() -> bool:
        try:
            return await logins.admit(login("ada", password))
        except WrongCredentials:
            return False

    async def everybody() -> list[bool]:
        return await asyncio.gather(*(admitted() for _ in range(times)))

    return asyncio.run(everybody())


@pytest.mark.parametrize(("password", "expected"), [("right", True), ("wrong", False)])
def test_many_callers_with_the_same_password_cost_one_hash(users: Path, password: str, expected: bool) -> None:
    begun = perf_counter()
    PasswordHash.of("anything")
    one = perf_counter() - begun
    begun = perf_counter()
    assert judged(Logins(users), password, 200) == [expected] * 200
    assert perf_counter() - begun < 20 * one


def test_a_caller_who_goes_away_takes_nobody_along(users: Path) -> None:
    async def story() -> bool:
        logins = Logins(users)
        impatient = asyncio.create_task(logins.admit(login("ada", "right")))
        patient = asyncio.create_task(logins.admit(login("ada", "right")))
        await asyncio.wait({impatient}, timeout=0.01)
        impatient.cancel()
        return await patient

    assert asyncio.run(story())


def test_a_hash_as_text_is_the_same_hash() -> None:
    made = PasswordHash.of("grün und blau")
    assert PasswordHash.parse(str(made)) == made
    assert [made.matches(password) for password in ("grün und blau", "grün")] == [True, False]


def test_nobodys_password_is_never_right() -> None:
    assert not PasswordHash.nobodys().matches("")
