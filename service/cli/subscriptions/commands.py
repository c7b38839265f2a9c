"""The commands `foldstream subscriptions list` and `show`."""

from typing import Annotated

import typer

from service.access.action import Action
from service.cli.options import DEFAULT_DATA, Data, Json
from service.cli.verbs import verb, verb_group

SUMMARY = "Show the persistent subscriptions of the event store: how far they are, and who consumes them."
app = verb_group(SUMMARY)


@verb(app, "list", action=Action.READ_SUBSCRIPTIONS, example="subscriptions list", uses=("eventstore",))
def list_(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """List every persistent subscription: its state, how far it is behind, what waits, its consumers, its saga."""
    from service.cli.subscriptions.report import print_all  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_settings  # noqa: PLC0415 - a command loads only what it runs

    settings = store_settings(data)
    return print_all(settings.eventstore, settings.namespace, as_json=as_json)


@verb(app, action=Action.READ_SUBSCRIPTIONS, example="subscriptions show '$all::billing'", uses=("eventstore",))
def show(
    group: Annotated[
        str,
        typer.Argument(
            metavar="GROUP",
            help="The persistent subscription, or its name with its stream, such as $all::billing.",
        ),
    ],
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show one persistent subscription: places, counts, each consumer with what it has in hand, settings."""
    from service.cli.subscriptions.report import print_one  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_settings  # noqa: PLC0415 - a command loads only what it runs

    settings = store_settings(data)
    return print_one(settings.eventstore, settings.namespace, group, as_json=as_json)
