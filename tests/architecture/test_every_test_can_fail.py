"""Tests that a stranger trusts: each asserts something that could be otherwise, and on any machine."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture import assertions
from tests.architecture.assertions import Helpers, unasserting_tests
from tests.architecture.sources import parsed, sources

TESTS = sources("tests")
Rule = Callable[[ast.AST], Iterator[int]]


def breaches(rule: Rule) -> list[str]:
    return [f"{source.path}:{line}" for source in TESTS for line in rule(source.tree)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("assert order.total == order.total", True),
        ("assert 0 < order.total == order.total", True),
        ("assert order == {'id': order['id'], 'total': 3}", True),
        ("refused(answer, 503, 'behind', position=answer.json()['position'])", True),
        ("refused(answers[0], 429, answers[0].json()['detail'])", True),
        ("assert drawn() == drawn()", False),
        ("assert order == {'id': other['id'], 'total': other['total']}", False),
        ("assert rows == sorted(rows)", False),
        ("refused(answer, 503, 'behind', position=other.json()['position'])", False),
        ("same = order.total == order.total", False),
    ],
)
def test_a_comparison_with_itself_is_found(code: str, found: bool) -> None:
    assert any(assertions.comparisons_with_itself(ast.parse(code))) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("assert outcome.position >= 0", True),
        ("assert client.get_commit_position() >= 0", True),
        ("assert 0 <= row['version'] < 5", True),
        ("assert outcome.position > 0", False),
        ("assert stock.available >= 0", False),
        ("assert 0 >= version", False),
    ],
)
def test_a_comparison_that_always_holds_is_found(code: str, found: bool) -> None:
    assert any(assertions.comparisons_that_always_hold(ast.parse(code))) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("assert time.monotonic() - began < 0.9", True),
        ("assert taken[0] <= 0.2", True),
        ("assert 0.5 > longest", True),
        ("assert 0.4 < time.monotonic() - began < 5", False),
        ("assert time.thread_time() - began < 0.5", False),
        ("assert wrong / asked < 0.01", False),
    ],
)
def test_a_bound_below_a_second_is_found(code: str, found: bool) -> None:
    assert any(assertions.hurried_bounds(ast.parse(code))) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("@given(numbers)\ndef test_it(number):\n    if number < 0:\n        return\n    assert number", True),
        ("@given(numbers)\ndef test_it(number):\n    assume(number >= 0)\n    assert number", False),
        ("@given(numbers)\ndef test_it(number):\n    def own():\n        return 3\n    assert own()", False),
        ("def helper(number):\n    return number", False),
    ],
)
def test_a_silent_return_is_found(code: str, found: bool) -> None:
    assert any(assertions.silent_returns(ast.parse(code))) == found


HELPER = "from tests.own import check\n"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def test_it():\n    assert 1", []),
        ("def test_it():\n    with pytest.raises(ValueError):\n        int('x')", []),
        ("def test_it():\n    given(decider).when(ASK).then()", []),
        (HELPER + "def test_it():\n    check(1)", []),
        (HELPER + "def twice():\n    check(1)\ndef test_it():\n    twice()", []),
        (HELPER + "def test_it():\n    print(1)", ["test_it"]),
        ("def test_it():\n    pass", ["test_it"]),
        ("def test_it():\n    poll_until(is_there, seconds=3, what='it')", ["test_it"]),
    ],
)
def test_a_test_without_assertion_is_found(code: str, found: list[str]) -> None:
    own = parsed("tests/own.py", "def check(it):\n    assert it")
    source = parsed("tests/test_it.py", code)
    assert [name for _, name in unasserting_tests(source, Helpers([own, source]))] == found


def test_nothing_is_compared_with_itself() -> None:
    assert breaches(assertions.comparisons_with_itself) == []


def test_no_position_and_no_version_is_compared_with_nought() -> None:
    assert breaches(assertions.comparisons_that_always_hold) == []


def test_nothing_has_to_be_done_within_less_than_a_second() -> None:
    assert breaches(assertions.hurried_bounds) == []


def test_examples_that_do_not_fit_are_rejected_by_assume() -> None:
    assert breaches(assertions.silent_returns) == []


def test_every_test_has_a_visible_assertion() -> None:
    helpers = Helpers(TESTS)
    modules = [source for source in TESTS if source.path.rpartition("/")[2].startswith("test_")]
    assert [f"{s.path}:{line} {name}" for s in modules for line, name in unasserting_tests(s, helpers)] == []
