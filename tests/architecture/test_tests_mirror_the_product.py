"""Where a test stands and what it is called: beside the code that it tests, after the outcome that it proves."""

from collections.abc import Iterable

import pytest

from tests.architecture.sources import ROOT, sources

MIRRORED = ("domain", "projections", "infrastructure", "service", "bench")
OTHERS = {"architecture", "conformance", "deployment", "support"}
WORDS = 4  # `test` among them
# Tests of a whole folder by a method of their own: random histories, kills under load, mutated requests.
OF_A_WHOLE = {
    "domain/histories",
    "infrastructure/embedded/eventstoredb/durability",
    "infrastructure/embedded/eventstoredb/fuzz",
    "infrastructure/readmodels/durability",
    "infrastructure/sagas/rounds",
}
# What -ing is the field's own noun for.
NOUNS = {"trip_booking", "upcasting"}


def folders(*trees: str) -> set[str]:
    """The folders that hold modules."""
    return {source.path.rpartition("/")[0] for source in sources(*trees)}


def names(*trees: str) -> list[str]:
    """The modules' paths without their endings."""
    return [source.path.removesuffix(".py") for source in sources(*trees)]


def is_sentence(path: str) -> bool:
    name = path.rpartition("/")[2]
    return not name.startswith("test_") or len(name.split("_")) >= WORDS


def actions(paths: Iterable[str]) -> list[str]:
    """Those that are named after what is done, where a module is a thing."""
    return [path for path in paths if (name := path.rpartition("/")[2]).endswith("ing") and name not in NOUNS]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("tests/domain/test_money_is_exact", True),
        ("tests/domain/money", True),
        ("tests/domain/test_orders", False),
        ("tests/domain/test_slow_readers", False),
    ],
)
def test_a_name_that_is_no_sentence_is_found(path: str, sentence: bool) -> None:
    assert is_sentence(path) == sentence


def test_a_module_that_is_an_action_is_found() -> None:
    assert actions(["domain/upcasting", "service/serving", "service/server"]) == ["service/serving"]


def test_test_files_are_named_after_outcomes() -> None:
    assert [path for path in names("tests") if not is_sentence(path)] == []


def test_modules_of_the_product_are_named_after_things() -> None:
    assert actions(names(*(tree for tree in MIRRORED if (ROOT / tree).is_dir()))) == []


def test_the_folders_of_the_tests_are_those_of_the_product() -> None:
    known = {f"tests/{folder}" for folder in (*MIRRORED, *OTHERS, *OF_A_WHOLE)} | {"tests"}
    product = {f"tests/{folder}" for folder in folders(*(tree for tree in MIRRORED if (ROOT / tree).is_dir()))}
    assert sorted(folders("tests") - known - product) == []
