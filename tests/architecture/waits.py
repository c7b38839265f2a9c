"""Waits on events, threads and tasks that end so soon that they are a sleep in disguise."""

import ast
from collections.abc import Iterator, Mapping
from typing import Final

# The place of the bound in each call; -1 where it has to be named.
_BOUNDS: Final[Mapping[str, int]] = {
    "wait": 0,
    "join": 0,
    "result": 0,
    "wait_for": 1,
    "poll": 0,
    "poll_until": 1,
    "poll_until_async": 1,
    "get": -1,
    "acquire": -1,
    "as_completed": -1,
    "timeout": 0,
}
_NAMES: Final = ("timeout", "seconds")


def short_waits(tree: ast.Module) -> Iterator[int]:
    """The lines that wait for less than a second. A wait of nought only looks, and is none."""
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and any(0 < _value(bound, constants) < 1 for bound in _bounds(node)):
            yield node.lineno


def _bounds(call: ast.Call) -> Iterator[ast.expr]:
    name = _name(call.func)
    if name not in _BOUNDS or (name == "get" and call.args):  # which asks a server, where that of a queue waits
        return
    if 0 <= _BOUNDS[name] < len(call.args):
        yield call.args[_BOUNDS[name]]
    yield from (keyword.value for keyword in call.keywords if keyword.arg in _NAMES)


def _name(called: ast.expr) -> str:
    match called:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _value(bound: ast.expr, constants: Mapping[str, float]) -> float:
    """In seconds; nought where only running it would tell."""
    match bound:
        case ast.Constant(value=int(seconds) | float(seconds)):
            return seconds
        case ast.Name(id=name):
            return constants.get(name, 0)
        case _:
            return 0


def _constants(tree: ast.Module) -> Mapping[str, float]:
    """The numbers that the module names."""
    found: dict[str, float] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(number) | float(number))):
                found[name] = number
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int(number) | float(number))):
                found[name] = number
            case _:
                pass
    return found
