"""Nothing but infrastructure/terminal.py writes to the output or the errors: it knows what may reach a terminal."""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.sources import sources

TERMINAL: Final = "infrastructure/terminal.py"
CALLS: Final = {
    *("print", "input", "getpass.getpass", "rich.print", "rich.print_json"),
    *(f"{library}.{call}" for library in ("typer", "click") for call in ("echo", "secho", "confirm", "prompt")),
}
STREAMS: Final = tuple(f"sys.{stream}.{what}" for stream in ("stdout", "stderr") for what in ("write", "buffer"))
IMPORTS: Final = {"echo", "secho", "print", "print_json", "stdout", "stderr", "confirm", "prompt", "getpass"}
PRINTERS: Final = {"typer", "click", "rich", "sys", "getpass"}


def prints(tree: ast.AST) -> Iterator[str]:
    """What in a module prints by itself."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=called) if ast.unparse(called) in CALLS:
                yield ast.unparse(called)
            case ast.Attribute() if ast.unparse(node).startswith(STREAMS):
                yield ast.unparse(node)
            case ast.ImportFrom(module=module, names=names) if module in PRINTERS:
                yield from (alias.name for alias in names if alias.name in IMPORTS)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("print(1)", ["print"]),
        ("typer.echo(1)", ["typer.echo"]),
        ("from rich import print", ["print"]),
        ("typer.confirm(question, err=True)", ["typer.confirm"]),
        ("name = input(question)", ["input"]),
        ("getpass.getpass(question)", ["getpass.getpass"]),
        ("from typer import prompt", ["prompt"]),
        ("from sys import stderr", ["stderr"]),
        ("sys.stdout.write(text)", ["sys.stdout.write"]),
        ("sys.stderr.writelines(lines)", ["sys.stderr.writelines"]),
        ("sys.stdout.isatty()\nprint_line(1)\nConsole(file=text).print(1)", []),
    ],
)
def test_printers_are_found(code: str, found: list[str]) -> None:
    assert list(prints(ast.parse(code))) == found


def test_no_other_module_prints() -> None:
    product = sources("domain", "projections", "infrastructure", "service")
    assert {source.path for source in product if list(prints(source.tree))} == {TERMINAL}
