"""Sizes, names and shapes that keep the code readable; each failure names the place and the measure."""

import ast
import re

import pytest

from tests.architecture.sources import ROOT, TREES, Source, depth, length, numbered, parameters, sources

EMPTY_NAMES = {"utils", "helpers", "common", "base", "misc"}
EMPTY_SUFFIXES = ("Manager", "Impl", "Helper", "Utils")
ALL = sources(*TREES)


@pytest.mark.parametrize("tree", TREES)
def test_nine_functions_of_ten_have_at_most_twenty_lines(tree: str) -> None:
    lengths = sorted(length(function) for source in sources(tree) for function in source.functions())
    assert lengths
    assert lengths[int(len(lengths) * 0.9)] <= 20


def test_no_function_has_more_than_forty_lines() -> None:
    assert [f"{place(source, f)}: {length(f)}" for source in ALL for f in source.functions() if length(f) > 40] == []


def test_no_module_has_more_than_three_hundred_lines() -> None:
    assert [f"{source.path}: {len(source.lines)}" for source in ALL if len(source.lines) > 300] == []


def test_no_function_of_the_product_takes_more_than_six_parameters() -> None:
    product = [source for source in ALL if not source.path.startswith("tests/")]
    assert [place(source, f) for source in product for f in source.functions() if parameters(f) > 6] == []


def test_blocks_are_nested_at_most_three_deep() -> None:
    assert [f"{place(source, f)}: {depth(f)}" for source in ALL for f in source.functions() if depth(f) > 3] == []


def test_a_class_inherits_from_ours_one_level_deep() -> None:
    bases = {cls.name: {ast.unparse(base).split("[")[0] for base in cls.bases} for s in ALL for cls in s.classes()}
    heirs = {name for name, parents in bases.items() if parents & bases.keys()}
    part = {cls.name for source in ALL if source.path == "domain/trips/part.py" for cls in source.classes()}
    roots = {"Row", "Event", "Command", *part}  # a vocabulary's words are what everything else is a kind of
    deep = {
        (name, parent)
        for name in heirs
        for parent in bases[name] & heirs - roots
        if not _is_a_family_of_commands(parent, bases)
    }
    assert deep == set()


def _is_a_family_of_commands(name: str, bases: dict[str, set[str]]) -> bool:
    """Commands to one aggregate share the field that names it, through one private class."""
    return name.startswith("_") and bases[name] == {"Command"}


def test_modules_are_named_after_what_they_hold() -> None:
    assert [source.path for source in ALL if source.path.rsplit("/", 1)[-1][:-3] in EMPTY_NAMES] == []


def test_classes_are_named_after_what_they_are() -> None:
    assert [cls.name for s in ALL for cls in s.classes() if cls.name.endswith(EMPTY_SUFFIXES)] == []


def test_nothing_is_left_for_later() -> None:
    left = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
    assert [f"{source.path}:{n}" for source in ALL for n, line in numbered(source) if left.search(line)] == []


def test_every_exception_from_a_rule_names_the_rule_and_the_reason() -> None:
    bare = re.compile(r"# noqa(?!: [A-Z]+\d+)|# type: ignore(?!\[)")
    unreasoned = re.compile(r"# (noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[a-z, -]+\])\s*$")
    found = [f"{s.path}:{n}" for s in ALL for n, line in numbered(s) if bare.search(line) or unreasoned.search(line)]
    assert [place for place in found if not place.startswith("tests/architecture/")] == []


def test_every_top_level_folder_is_measured() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(TREES)


def place(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f"{source.path}:{function.lineno} {function.name}"
