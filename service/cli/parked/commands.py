"""The commands `foldstream parked list`, `show`, `replay` and `drop`."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer

from service.access.action import Action
from service.cli.operator_act import Act, Why
from service.cli.options import DEFAULT_DATA, Data, Json, with_options
from service.cli.verbs import Yes, require_consent, verb, verb_group

SUMMARY = "Show the messages that persistent subscriptions have set aside, deliver them again, drop them."
app = verb_group(SUMMARY)
Group: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="GROUP",
        help="The persistent subscription, or its name with its stream, such as $all::billing.",
    ),
]


@verb(app, "list", action=Action.READ_PARKED, example="parked list", uses=("eventstore",))
def list_(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """List every persistent subscription of the event store with how many messages it has parked, and since when."""
    from service.cli.parked.report import print_groups  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_settings  # noqa: PLC0415 - a command loads only what it runs

    settings = store_settings(data)
    return print_groups(settings.eventstore, settings.namespace, as_json=as_json)


@verb(app, action=Action.READ_PARKED, example="parked show '$all::billing' --limit 20", uses=("eventstore",))
def show(
    group: Group,
    first: Annotated[int, typer.Option("--from", min=0, metavar="NUMBER", help="The number to begin with.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="How many are shown.")] = 100,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show the messages that a persistent subscription has parked: which events, when, by whom and why."""
    from service.cli.parked.report import Page, print_messages  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    return print_messages(store_uri(data), group, Page(first, limit), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Which messages are to be delivered again."""

    group: Group
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Only the oldest so many [default: all].")
    ] = None
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _replay(_: typer.Context, options: Replay) -> int:
    """Deliver the messages that a persistent subscription has parked again, oldest first, to whoever consumes it.

    They are handed over 200 at a time, as fast as consumers take them; what fails again is parked again. Interrupted,
    it leaves the others parked.
    """
    from service.cli.parked import replay  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    require_consent(yes=options.yes)
    asked = replay.Replay(limit=options.limit, yes=options.yes, as_json=options.as_json)
    return replay.replay(store_uri(options.data), options.group, asked, Act(options.why))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Which messages are to be dropped."""

    group: Group
    up_to: Annotated[
        int | None,
        typer.Option(
            "--up-to", min=0, metavar="NUMBER", help="Only up to this number, as `show` tells it [default: all]."
        ),
    ] = None
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _drop(_: typer.Context, options: Drop) -> int:
    """Drop the messages that a persistent subscription has parked: it never gets them again. No event is touched."""
    from service.cli.parked.drop import drop  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    require_consent(yes=options.yes)
    uri, act = store_uri(options.data), Act(options.why)
    return drop(uri, options.group, options.up_to, act, yes=options.yes, as_json=options.as_json)


verb(
    app,
    "replay",
    action=Action.MEND_PARKED,
    example="parked replay billing --limit 10 --yes --why 'the bug is mended'",
    uses=("eventstore",),
)(with_options(Replay)(_replay))
verb(
    app,
    "drop",
    action=Action.MEND_PARKED,
    example="parked drop billing --up-to 41 --yes --why 'paid by hand'",
    uses=("eventstore",),
)(with_options(Drop)(_drop))
