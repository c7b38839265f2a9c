"""What the tests of a module assert, read from its syntax tree: comparisons, bounds, and whether there are any."""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from tests.architecture.sources import Function, Source

# Methods that compare or wait and fail by themselves; functions of ours are looked into.
ASSERTING_METHODS: Final = frozenset(
    {
        "then",
        "refuses",
        "raises",
        "fail",
        "becomes",
    }
)
_NUMBERED: Final = ("position", "version", "revision")
_CPU_CLOCKS: Final = {"thread_time", "process_time"}
_FOLLOWED: Final = 2  # a test may assert in a helper, and that one in another


def comparisons(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """Every pair that an assert compares, those of chains one by one."""
    for asserted in _asserted(tree):
        for node in ast.walk(asserted):
            if isinstance(node, ast.Compare):
                yield from zip([node.left, *node.comparators], node.ops, node.comparators, strict=False)


def _asserted(tree: ast.AST) -> Iterator[ast.expr]:
    return (node.test for node in ast.walk(tree) if isinstance(node, ast.Assert))


def comparisons_with_itself(tree: ast.AST) -> Iterator[int]:
    """The lines that compare an expression, or one of its fields, with itself. A call may return something else."""
    for left, _, right in comparisons(tree):
        same = ast.dump(left) == ast.dump(right) and not _calls(left)
        if same or _has_field_of(left, right) or _has_field_of(right, left):
            yield left.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _expects_of_itself(node.value):
            yield node.lineno


def _calls(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def _has_field_of(whole: ast.expr, display: ast.expr) -> bool:
    """Whether the display of a dict has at a key what `whole` has there."""
    if not isinstance(display, ast.Dict):
        return False
    pairs = zip(display.keys, display.values, strict=True)
    return any(
        isinstance(value, ast.Subscript)
        and key is not None
        and ast.dump(value.slice) == ast.dump(key)
        and ast.dump(value.value) == ast.dump(whole)
        for key, value in pairs
    )


def _expects_of_itself(call: ast.Call) -> bool:
    """Whether a helper is given an answer, and a field of the same answer's JSON to expect there."""
    if not call.args:
        return False
    given = ast.dump(call.args[0])
    expected = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    return any(_root(each) == given for each in expected if isinstance(each, ast.Subscript))


def _root(field: ast.expr) -> str:
    """What `answer.json()["detail"]` is a field of."""
    while isinstance(field, ast.Subscript):
        field = field.value
    if isinstance(field, ast.Call) and isinstance(field.func, ast.Attribute):
        field = field.func.value
    return ast.dump(field)


def comparisons_that_always_hold(tree: ast.AST) -> Iterator[int]:
    """The lines that compare a position or a version, which is never negative, with nought."""
    for left, operator, right in comparisons(tree):
        low, high = (right, left) if isinstance(operator, ast.GtE) else (left, right)
        if isinstance(operator, ast.GtE | ast.LtE) and _is_nought(low) and _name(high).endswith(_NUMBERED):
            yield left.lineno


def _is_nought(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


def _name(node: ast.expr) -> str:
    match node:
        case ast.Call(func=called):
            return _name(called)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case _:
            return ""


def hurried_bounds(tree: ast.AST) -> Iterator[int]:
    """The lines where something has to be done within less than a second of the wall clock.

    Any fraction below one as an upper bound counts as seconds; a quotient and the CPU's time are something else.
    """
    for left, operator, right in comparisons(tree):
        if isinstance(operator, ast.Lt | ast.LtE) and _is_fraction(right) and not _is_no_wall_clock(left):
            yield right.lineno
        if isinstance(operator, ast.Gt | ast.GtE) and _is_fraction(left) and not _is_no_wall_clock(right):
            yield left.lineno


def _is_fraction(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1


def _is_no_wall_clock(node: ast.expr) -> bool:
    quotient = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    return quotient or any(isinstance(part, ast.Call) and _name(part) in _CPU_CLOCKS for part in ast.walk(node))


def silent_returns(tree: ast.AST) -> Iterator[int]:
    """The lines where a test of random examples skips one silently, which Hypothesis then counts as passed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_name(each) == "given" for each in node.decorator_list):
            yield from (each.lineno for each in _own(node) if isinstance(each, ast.Return))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """All that is below a function, but for functions within it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own(child)


class Helpers:
    """The functions of the tests' modules, to tell which of them assert something."""

    def __init__(self, sources: list[Source]) -> None:
        self._functions = {_module(source): _functions(source.tree) for source in sources}
        self._imported = {_module(source): _imports(source.tree) for source in sources}

    def asserts(self, module: str, function: ast.AST, deep: int = _FOLLOWED) -> bool:
        """Whether a function asserts, itself or in a helper that it calls."""
        if any(_visibly_asserts(node) for node in ast.walk(function)):
            return True
        return deep > 0 and any(
            self.asserts(home, helper, deep - 1)
            for node in ast.walk(function)
            for home, helper in self._called(module, node)
        )

    def _called(self, module: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
        if not isinstance(node, ast.Name):
            return
        home, name = self._imported[module].get(node.id, (module, node.id))
        if (helper := self._functions.get(home, {}).get(name)) is not None:
            yield home, helper


def _visibly_asserts(node: ast.AST) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError"))):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ASSERTING_METHODS
        case _:
            return False


def _module(source: Source) -> str:
    return source.path.removesuffix(".py").replace("/", ".")


def _functions(tree: ast.Module) -> Mapping[str, Function]:
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _imports(tree: ast.Module) -> Mapping[str, tuple[str, str]]:
    """From where names come, by the name that they have here."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }


def unasserting_tests(source: Source, helpers: Helpers) -> Iterator[tuple[int, str]]:
    """Line and name of each test in which nothing can be seen to fail."""
    for function in source.functions():
        if function.name.startswith("test_") and not helpers.asserts(_module(source), function):
            yield function.lineno, function.name
