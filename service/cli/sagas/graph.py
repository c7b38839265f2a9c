"""Prints a saga's table of steps, as a flowchart of Mermaid or in words."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from domain.saga import Saga
from domain.saga_steps import END, Step
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

    What undoes a step is at the end of a dotted arrow.
    """
    yield "flowchart TD"
    woken = " or ".join(event.stored_name for event in saga.woken_by)
    if saga.steps:
        yield f"    begin([{woken}]) --> {saga.steps[0].name}"
    for step in saga.steps:
        yield f'    {step.name}["{step.name}: {step.command.__name__}"]'
    for step in saga.steps:
        yield from _arrows(step)


def words(saga: Saga[Any, Any]) -> Iterator[str]:
    """The lines of a table of Markdown: a row for each answer of each step."""
    yield _row(_HEADING)
    yield _row(["---"] * len(_HEADING))
    for step in saga.steps:
        own, undone_by = (f"**{step.name}**", f"`{step.command.__name__}`"), step.undo or ""
        for answer, outcome in step.answers.items():
            noted = (f"`{answer.stored_name}`", f"`{outcome.fact.stored_name}`", _one_of(outcome.then))
            yield _row((*own, *noted, undone_by, "from here on" if outcome.no_return else ""))
            own, undone_by = ("", ""), ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _one_of(steps: Sequence[str]) -> str:
    *others, last = ["the end" if step == END else step for step in steps]
    return f"{', '.join(others)} or {last}" if others else last


def _arrows(step: Step) -> Iterator[str]:
    for outcome in step.answers.values():
        for following in outcome.then:
            target = "done([end])" if following == END else following
            yield f"    {step.name} -->|{outcome.fact.stored_name}| {target}"
    if step.undo is not None:
        yield f"    {step.name} -.->|undone by| {step.undo}"
