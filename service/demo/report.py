"""What the demo says: headings, tables, and checks that decide its exit code."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.text import Text

from infrastructure.terminal import flush_output, print_json, printable
from service.tables import build_table, print_whole


@dataclass(slots=True)
class Report:
    """Prints as it goes, or with `as_json` one document at the end; `failed` are the checks that did not hold."""

    as_json: bool = False
    held: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        self._print("")
        self._print(Text(printable(text), style="bold"))
        self._print(Text("-" * len(text)))

    def say(self, text: str) -> None:
        self._print(printable(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Collection[str] = ()) -> None:
        """Prints a table; the columns in `right` are aligned to the right."""
        self._print(build_table(columns, rows, right=right))

    def check(self, what: str, holds: bool, seen: str = "") -> None:
        """Says whether `what` holds; `seen` is shown where it does not."""
        (self.held if holds else self.failed).append(what)
        word = Text("  holds ", style="green") if holds else Text("  FAILS ", style="bold red")
        self._print(word + Text(printable(what if holds or not seen else f"{what}: {seen}"), style="default"))

    def conclude(self) -> int:
        """The last line, and the exit code that goes with it."""
        total = len(self.held) + len(self.failed)
        if self.as_json:
            print_json({"checks": total, "failed": self.failed, "held": self.held})
        elif self.failed:
            self._print(Text(f"\n{len(self.failed)} of {total} checks failed.", style="bold red"))
        else:
            self._print(Text(f"\nAll {total} checks hold.", style="bold green"))
        return 3 if self.failed else 0

    def _print(self, content: RenderableType) -> None:
        if self.as_json:
            return
        print_whole(content)
        flush_output()
