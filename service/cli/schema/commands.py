"""The commands `foldstream schema list` and `check`."""

from typing import Annotated

import typer

from service.access.action import OPEN, Action
from service.cli.options import DEFAULT_DATA, Data, Json, Since, Until
from service.cli.verbs import verb, verb_group

SUMMARY = "Show how events are stored, and find those that today's code can't read."
app = verb_group(SUMMARY)


@verb(app, "list", action=OPEN, example="schema list --json")
def list_(as_json: Json = False) -> int:
    """List every name and version that is read, with its fields and what it is read as."""
    from service.cli.schema.report import print_shapes  # noqa: PLC0415 - a command loads only what it runs

    return print_shapes(json=as_json)


@verb(app, action=Action.CHECK_RELEASE, example="schema check --from 7d", uses=("eventstore",))
def check(
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to show at most; all are counted.")] = 1000,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Read the store, and report every event that this release can't read; exit code 3 if there is one."""
    from infrastructure.eventstore.schema_check import Window  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.schema.report import print_unreadable  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    if since is not None and until is not None and until <= since:
        raise typer.BadParameter("--to is not after --from")
    return print_unreadable(store_uri(data), Window(since, until), limit, json=as_json)
