"""The project's own sources as syntax trees, for the tests that measure them."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
TREES = ("domain", "projections", "infrastructure", "service", "bench", "tests")
TAKEN_IN_WHOLE = ROOT / "tests" / "conformance"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its path from the root, its lines, its tree, and what is defined anywhere in that."""

    path: str
    lines: tuple[str, ...]
    tree: ast.Module
    definitions: tuple[Function | ast.ClassDef, ...]

    def functions(self) -> Iterator[Function]:
        return (node for node in self.definitions if not isinstance(node, ast.ClassDef))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.definitions if isinstance(node, ast.ClassDef))


def sources(*trees: str) -> list[Source]:
    """Every module of ours below these folders, but for tools that were taken in whole."""
    paths = [path for tree in trees for path in sorted((ROOT / tree).rglob("*.py"))]
    gc.disable()  # trees stay: to look through them again and again takes two thirds of the time
    try:
        return [read(path) for path in paths if TAKEN_IN_WHOLE not in path.parents]
    finally:
        gc.enable()


@cache
def read(path: Path) -> Source:
    """The module, which is parsed once for all tests: nobody changes its tree."""
    return parsed(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))


def parsed(path: str, text: str) -> Source:
    """The module of this text."""
    tree = ast.parse(text)
    defined = tuple(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )
    return Source(path, tuple(text.splitlines()), tree, defined)


def numbered(source: Source) -> list[tuple[int, str]]:
    return list(enumerate(source.lines, 1))


def length(function: Function) -> int:
    """Lines from `def` to the last statement."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> int:
    """How many arguments a caller may give, `self` and `cls` not counted."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([argument for argument in arguments if argument.arg not in {"self", "cls"}])


_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def depth(node: ast.AST, inside: int = 0) -> int:
    """How deep blocks are nested; `elif` is no deeper than its `if`, an inner function begins anew."""
    deepest = inside
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        step = 1 if isinstance(child, _BLOCKS) and not chained else 0
        deepest = max(deepest, depth(child, inside + step))
    return deepest
