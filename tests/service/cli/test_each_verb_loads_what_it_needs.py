"""A verb loads the modules that it runs when it runs: each of these can be the first that is loaded.

Other tests run verbs in processes that have loaded all of them, where an import in a circle would not show.
"""

import ast
import sys
from pathlib import Path
from typing import Final

from tests.support.processes import Listened

SERVICE: Final = Path("service")
OURS: Final = ("infrastructure", "service")


def loaded_late(path: Path) -> set[str]:
    """Our modules that functions of this file import."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    imports = [node for each in functions for node in ast.walk(each) if isinstance(node, ast.ImportFrom)]
    return {str(node.module) for node in imports if str(node.module).partition(".")[0] in OURS}


def test_each_module_that_a_function_imports_can_be_the_first() -> None:
    modules = sorted({module for path in SERVICE.rglob("*.py") for module in loaded_late(path)})
    assert {"service.workers.api", "service.demo.run", "service.cli.streams.report"} <= set(modules)
    process = Listened((sys.executable, "-m", "tests.service.cli.loading", *modules), {})
    assert (process.wait(within=100), process.output, process.errors) == (0, [], [])
