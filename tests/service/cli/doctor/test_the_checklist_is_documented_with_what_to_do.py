"""The checklist of `foldstream doctor` in docs/operations.md: what holds, and by which verbs one looks and acts."""

import re
from pathlib import Path
from typing import Final

from service.cli.doctor.findings import CHECKS
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import verbs

DOCUMENT: Final = Path("docs/operations.md").read_text(encoding="utf-8")
HEADING: Final = "| check | to look at it | to act |\n|---|---|---|\n"


def test_it_is_the_one_that_is_checked() -> None:
    rows = "".join(f"| `{check}` | {holds} |\n" for check, holds in CHECKS.items())
    assert rows in DOCUMENT


def test_each_line_has_a_verb_to_look_at_it_and_a_word_of_what_to_do() -> None:
    table = DOCUMENT.partition(HEADING)[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()]
    assert [check.strip("`") for check, _, _ in rows] == list(CHECKS)
    assert [check for check, look, act in rows if not look.startswith("`foldstream ") or not act] == []


def test_the_verbs_that_it_names_exist() -> None:
    table = DOCUMENT.partition(HEADING)[2].partition("\n\n")[0]
    named = re.findall(r"`foldstream ([a-z-]+(?: [a-z]+)?)", table)
    assert [words for words in named if words not in verbs()] == []
