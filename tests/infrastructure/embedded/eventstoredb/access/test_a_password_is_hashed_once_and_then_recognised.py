"""Passwords are expensive to find out and cheap to recognise."""

import asyncio
from pathlib import Path
from time import perf_counter

import pytest

from infrastructure.embedded.eventstoredb.access.logins import Logins, WrongCredentials
from infrastructure.embedded.eventstoredb.access.passwords import PasswordHash
from infrastructure.embedded.eventstoredb.access.users import set_password
from tests.infrastructure.embedded.eventstoredb.access.conftest import login


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("logins") / "users"
    set_password(file, "ada", "right")
    return file


def judged(logins: Logins, password: str, times: int) -> list[bool]:
    """Whether each of many callers at once was let in."""

    async def everybody() -> list[bool]:
        return await asyncio.gather(*(is_admitted(logins, "ada", password) for _ in range(times)))

    return asyncio.run(everybody())


async def is_admitted(logins: Logins, user: str, password: str) -> bool:
    """Whether a caller is let in."""
    try:
        return await logins.admit(login(user, password))
    except WrongCredentials:
        return False


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
        await asyncio.wait({impatient}, timeout=0)  # both begin
        impatient.cancel()
        return await patient

    assert asyncio.run(story())


def test_a_hash_as_text_is_the_same_hash() -> None:
    made = PasswordHash.of("grün und blau")
    assert PasswordHash.parse(str(made)) == made
    assert [made.matches(password) for password in ("grün und blau", "grün")] == [True, False]


def test_no_password_matches_the_unmatchable_hash() -> None:
    assert not PasswordHash.unmatchable().matches("")


def test_a_change_of_the_file_lets_known_users_in_before_those_who_guess(tmp_path: Path) -> None:
    for user in ("ada", "bob"):
        set_password(tmp_path / "users", user, "right")
    logins = Logins(tmp_path / "users")

    async def story() -> list[bool]:
        for user in ("ada", "bob"):
            assert await logins.admit(login(user, "right"))
        set_password(tmp_path / "users", "bob", "another")
        guesses = [asyncio.create_task(is_admitted(logins, "ada", f"guess {number}")) for number in range(2)]
        await asyncio.wait(guesses, timeout=0)  # they begin
        admitted = [await is_admitted(logins, "ada", "right"), any(guess.done() for guess in guesses)]
        return [*admitted, await is_admitted(logins, "bob", "right"), *await asyncio.gather(*guesses)]

    assert asyncio.run(story()) == [True, False, False, False, False]


def test_who_was_nobody_is_let_in_once_the_file_has_a_line_for_them(tmp_path: Path) -> None:
    set_password(tmp_path / "users", "ada", "right")
    logins = Logins(tmp_path / "users")
    assert not asyncio.run(is_admitted(logins, "bob", "his"))
    set_password(tmp_path / "users", "bob", "his")
    assert asyncio.run(is_admitted(logins, "bob", "his"))
