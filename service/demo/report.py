"""What the demo says: headings, tables, and checks that decide its exit code."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from service.tables import build_table


@dataclass(slots=True)
class Report:
    """Prints as it goes; `failed` are the checks that did not hold."""

    console: Console = field(default_factory=lambda: Console(highlight=False, width=118))
    held: int = 0
    failed: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left")

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Collection[str] = ()) -> None:
        """Prints a table; the columns in `right` are aligned to the right."""
        self.console.print(build_table(columns, rows, right=right, wrapped=columns))

    def check(self, what: str, holds: bool, seen: str = "") -> None:
        """Says whether `what` holds; `seen` is shown where it does not."""
        if holds:
            self.held += 1
            self.console.print(f"  [green]holds[/] {what}")
        else:
            self.failed.append(what)
            self.console.print(f"  [bold red]FAILS[/] {what}{': ' + seen if seen else ''}")

    def conclude(self) -> int:
        """The last line, and the exit code that goes with it."""
        self.console.print()
        if self.failed:
            self.console.print(f"[bold red]{len(self.failed)} of {self.held + len(self.failed)} checks failed.")
            return 1
        self.console.print(f"[bold green]All {self.held} checks hold.")
        return 0
