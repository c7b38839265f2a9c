"""Whatever a document tells its reader to type is a verb with options that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.support.command_lines import refusal, refusal_of_synopsis

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
# A line of code that begins with our program, by its path, after settings, or in a container that is named.
COMMAND = re.compile(
    r"^(?:    |\$ )\s*(?:[^#]*(?:-- |exec [\w/-]+ |run --rm [\w-]+ |\$\())?(?:\w+=\S+ )*(?:[\w./-]*/)?foldstream +(.+)$"
)
INLINE = re.compile(r"`foldstream ([^`]+)`")
NAMED_BY_READERS = re.compile(r"<[\w .-]+>")
NOW = re.compile(r'"\$\(date [^)]*\)"')
SYNOPSIS = re.compile(r"\[|\||(?<!-)…")


def commands(document: Path) -> Iterator[tuple[int, str]]:
    """The lines of code with a command, numbered, from what stands after the program's name."""
    fenced, begun = False, ""
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
            continue
        text = f"{begun}{line.strip()}" if begun else f"    {line}" if fenced else line
        begun = text.removesuffix("\\") if text.endswith("\\") and text.startswith(("    ", "$ ")) else ""
        if not begun and (found := COMMAND.match(text.replace("    $ ", "    "))):
            yield number, found[1]


def inline(document: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        yield from ((number, found) for found in INLINE.findall(line))


def judged(line: str) -> str | None:
    """Why our parser refuses the command."""
    plain = NOW.sub("2026-07-01", NAMED_BY_READERS.sub("NAME", line))
    if SYNOPSIS.search(plain.partition(" #")[0]):
        return refusal_of_synopsis(plain.partition(" #")[0])
    whole = plain.removesuffix(')"') if plain.count('"') % 2 else plain  # of `auth="$(foldstream token)"`
    words = shlex.split(whole, comments=True)
    end = next((at for at, word in enumerate(words) if word in {"|", ">", "&&", ";", "&"}), len(words))
    return refusal(words[:end])


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("lag --watch   # each second", None),
        ("lag --wach", "No such option: --wach (Possible options: --watch)"),
        ("lagg", "No such command 'lagg'. Did you mean 'lag'?"),
        ("as-of", "Missing argument 'STREAM'."),
        ("sagas show fulfilment <order id>", None),
        ("lag [NAME...] [--watch]", None),
        ("lag [NAME...] [--wach]", "No such option: --wach"),
        ("sagas shows [NAME...]", "No such command 'shows'."),
    ],
)
def test_a_command_that_there_is_not_is_found(line: str, refused: str | None) -> None:
    assert judged(line) == refused


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_is_taken(document: Path) -> None:
    refused = {f"{number}: {line}": why for number, line in commands(document) if (why := judged(line))}
    spoken = {f"{number}: {line}": why for number, line in inline(document) if (why := refusal_of_synopsis(line))}
    assert refused | spoken == {}


def test_the_documents_have_commands_of_each_form() -> None:
    found = {(path.name, line.split(" #")[0].strip()) for path in DOCUMENTS for _, line in commands(path)}
    assert {
        ("README.md", "history stock:mug-blue"),
        ("README.md", 'token)"'),
        ("README.md", "serve"),
        ("operations.md", "poison list --skips"),
        ("deployment.md", "doctor"),
        ("deployment.md", "schema check"),
        ("backup.md", "eventstore backup data/eventstore /backups/monday"),
    } - found == set()
