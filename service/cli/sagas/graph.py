"""Prints a saga's table of steps, as a flowchart of Mermaid or in words."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from domain.saga import Saga
from domain.saga_steps import END, Outcome, Step, Wait
from infrastructure.terminal import print_json, print_line
from service.cli.sagas.instances import saga_named

_HEADING: Final = ("step", "asks", "answered by", "notes", "then", "undone by", "point of no return")


def print_graph(name: str, *, as_table: bool, as_json: bool) -> int:
    """Prints it. Raises BadParameter."""
    saga = saga_named(name)
    lines = list(words(saga) if as_table else flowchart(saga))
    if as_json:
        form = "markdown" if as_table else "mermaid"
        print_json({"type": name, "version": saga.version, form: "\n".join(lines)})
    else:
        for line in lines:
            print_line(line)
    return 0


def flowchart(saga: Saga[Any, Any]) -> Iterator[str]:
    """Its lines: each step with its command, and an arrow for each of the saga's events that leads to another one.

    What undoes a step is at the end of a dotted arrow. Where it waits, the message is named with what is made of it.
    """
    yield "flowchart TD"
    waited_for = {event for wait in saga.waits for event in wait.heard}
    woken = " or ".join(event.stored_name for event in saga.woken_by if event not in waited_for)
    if saga.steps:
        yield f"    begin([{woken}]) --> {saga.steps[0].name}"
    for step in saga.steps:
        yield f'    {step.name}["{step.name}: {step.command.__name__}"]'
    for wait in saga.waits:
        yield f'    {wait.name}{{{{"{wait.name}: waits"}}}}'
    for step in saga.steps:
        yield from _arrows_of_step(step)
    for wait in saga.waits:
        yield from _arrows_of_wait(wait)


def words(saga: Saga[Any, Any]) -> Iterator[str]:
    """The lines of a table of Markdown: a row for each answer of each step, and for each end of a wait."""
    yield _row(_HEADING)
    yield _row(["---"] * len(_HEADING))
    for step in saga.steps:
        answers = [(f"`{answer.stored_name}`", outcome) for answer, outcome in step.answers.items()]
        yield from _rows(step.name, f"`{step.command.__name__}`", answers, step.undo or "")
    for wait in saga.waits:
        heard = [(f"`{message.stored_name}`", outcome) for message, outcome in wait.heard.items()]
        yield from _rows(wait.name, "nothing, it waits", [*heard, ("its deadline", wait.passed)])


def _rows(name: str, asks: str, outcomes: Sequence[tuple[str, Outcome]], undo: str = "") -> Iterator[str]:
    own = (f"**{name}**", asks)
    for answer, outcome in outcomes:
        noted = (answer, f"`{outcome.fact.stored_name}`", _one_of(outcome.then))
        yield _row((*own, *noted, undo, "from here on" if outcome.no_return else ""))
        own, undo = ("", ""), ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _one_of(steps: Sequence[str]) -> str:
    *others, last = ["the end" if step == END else step for step in steps]
    return f"{', '.join(others)} or {last}" if others else last


def _arrows_of_step(step: Step) -> Iterator[str]:
    for outcome in step.answers.values():
        yield from _arrows(step.name, outcome, outcome.fact.stored_name)
    if step.undo is not None:
        yield f"    {step.name} -.->|undone by| {step.undo}"


def _arrows_of_wait(wait: Wait) -> Iterator[str]:
    for message, outcome in wait.heard.items():
        yield from _arrows(wait.name, outcome, f"{message.stored_name}: {outcome.fact.stored_name}")
    yield from _arrows(wait.name, wait.passed, f"deadline: {wait.passed.fact.stored_name}")


def _arrows(source: str, outcome: Outcome, label: str) -> Iterator[str]:
    for following in outcome.then:
        target = "done([end])" if following == END else following
        yield f"    {source} -->|{label}| {target}"
