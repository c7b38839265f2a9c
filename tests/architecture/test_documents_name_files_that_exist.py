"""What the documents point at is there: whoever follows a road of the README finds each of its files."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md")]
NAMED = re.compile(r"`((?:domain|projections|infrastructure|service|bench|tests|docs|deploy)/[\w./-]*(?:\.py|\.md|/))`")
MADE_BY_READERS = {  # of the guides
    "guides/projections.md": {"projections/cancellations.py", "tests/projections/test_cancelled_orders_say_why.py"},
    "guides/sagas.md": {"domain/welcome.py"},
}
LINKED = re.compile(r"\]\(([\w./-]+\.md)(?:#[\w-]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [ROOT / name for name in NAMED.findall(text)] + [document.parent / name for name in LINKED.findall(text)]
    missing = {str(each.relative_to(ROOT)) for each in named if not each.exists()}
    assert missing == MADE_BY_READERS.get(f"{document.parent.name}/{document.name}", set())
