"""The commands by which operators act on instances of sagas: `foldstream sagas pause`, `retry`, `skip` and so on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import typer

from domain.stream_name import DEFAULT_TENANT
from service.access.action import Action
from service.cli import completion
from service.cli.operator_act import Act, Reason
from service.cli.options import DEFAULT_DATA, Data, Json, Tenant, parse_age, with_options
from service.cli.verbs import Yes, require_consent, verb

_INSTANCE: Final = "fulfilment 0b6c1c1e-4f0e-4c86-9d5e-0d8f6f0f3a10"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOptions:
    """Which instances are meant, and why."""

    saga: Annotated[
        str, typer.Argument(metavar="TYPE", autocompletion=completion.sagas, help="The saga, such as fulfilment.")
    ]
    instance: Annotated[
        str | None, typer.Argument(metavar="ID", help="The instance; of fulfilment, the order's id.")
    ] = None
    why: Reason
    every: Annotated[
        bool, typer.Option("--all", help="All instances that have not ended, or those that the filter matches.")
    ] = False
    status: Annotated[
        Literal["running", "paused", "failed"] | None,
        typer.Option("--status", help="With --all: only those in this state; one that stopped has failed."),
    ] = None
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="STEP", help="With --all: only those with this step pending, such as release."),
    ] = None
    older_than: Annotated[
        timedelta | None,
        typer.Option(
            "--older-than",
            parser=parse_age,
            metavar="DURATION",
            help="With --all: only those without an event for so long, such as 90s, 2h or 7d.",
        ),
    ] = None
    yes: Yes = False
    tenant: Tenant = DEFAULT_TENANT
    data: Data = DEFAULT_DATA
    as_json: Json = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipOptions(ActOptions):
    """Which step is skipped as well."""

    step: Annotated[
        str, typer.Option("--step", metavar="STEP", help="The step; with --all, of the instances where it is pending.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOptions(ActOptions):
    """With which version they go on as well."""

    version: Annotated[
        int | None,
        typer.Option("--to", metavar="N", min=1, help="The version; this build must have it [default: the newest]."),
    ] = None


def _pause(_: typer.Context, options: ActOptions) -> int:
    """Have a saga's instance stand still: what comes meanwhile waits, in order, until it is resumed.

    The answer to a command that is under way waits, too: it is heard once the instance goes on.
    """
    from infrastructure.sagas.operator_words import Pause  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, Pause)


def _resume(_: typer.Context, options: ActOptions) -> int:
    """Have a saga's instance that is paused go on: a worker takes what waits for it, in log order."""
    from infrastructure.sagas.operator_words import Resume  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, Resume)


def _retry(_: typer.Context, options: ActOptions) -> int:
    """Have a saga's instance that stopped go on: a worker takes the messages that wait for it, in log order.

    The event store keeps it, with the reason. The instance stops again where the same error is met again.
    """
    from infrastructure.sagas.operator_words import Retry  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, Retry)


def _compensate(_: typer.Context, options: ActOptions) -> int:
    """Have a saga's instance undone, before its point of no return; one that stands still goes on for it.

    What it has asked for is answered first, then it undoes what was done, last step first.
    """
    from infrastructure.sagas.operator_words import Compensate  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, Compensate)


def _cancel(_: typer.Context, options: ActOptions) -> int:
    """Cancel what a saga's instance is for, as the customer would; one that stands still stays so."""
    from infrastructure.sagas.operator_words import Cancel  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, Cancel)


def _skip(_: typer.Context, options: SkipOptions) -> int:
    """Have a saga's instance do without a step that was done by hand; only what its saga offers can be skipped.

    One that stopped goes on, one that is paused stays so.
    """
    from infrastructure.sagas.operator_words import Skip  # noqa: PLC0415 - a command loads only what it runs

    return _act(options, lambda why: Skip(why, options.step))


def _migrate(_: typer.Context, options: MigrateOptions) -> int:
    """Have a saga's instance go on with another version of its saga.

    Refused as `saga-not-migratable` while an asked step is unanswered and would not be the same command there. The
    event store keeps it, with the reason.
    """
    from infrastructure.sagas.operator_words import Migrate  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.sagas.instances import saga_named  # noqa: PLC0415 - a command loads only what it runs

    versions = saga_named(options.saga).versions
    if options.version is not None and options.version not in versions:
        known = ", ".join(str(each) for each in versions)
        raise typer.BadParameter(f"there is no version {options.version} of {options.saga}; there is {known}")
    return _act(options, lambda why: Migrate(why, options.version))


def _act(options: ActOptions, word_of: Callable[[str], Any]) -> int:
    """Raises BadParameter where the options contradict each other."""
    from service.cli.sagas.instances import saga_named  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.sagas.operation import Order  # noqa: PLC0415 - a command loads only what it runs

    _require_one_meaning(options)
    word, act = word_of(options.why), Act(options.why)
    order = Order(options.data, saga_named(options.saga), word, act, options.tenant, as_json=options.as_json)
    if options.instance is not None:
        from service.cli.sagas.one import act_on_one  # noqa: PLC0415 - a command loads only what it runs

        return act_on_one(order, options.instance)
    from service.cli.sagas.many import Wanted, act_on_all  # noqa: PLC0415 - a command loads only what it runs

    require_consent(yes=options.yes)
    wanted = Wanted(options.status, options.step, options.older_than)
    return act_on_all(order, wanted, yes=options.yes)


def _require_one_meaning(options: ActOptions) -> None:
    if (options.instance is None) != options.every:
        raise typer.BadParameter("name one instance by its ID, or --all")
    step = None if isinstance(options, SkipOptions) else options.step
    given = {"--status": options.status, "--step": step, "--older-than": options.older_than, "--yes": options.yes}
    if not options.every and (alone := [name for name, value in given.items() if value]):
        raise typer.BadParameter(f"{alone[0]} belongs to --all")


def register(app: typer.Typer) -> None:
    """Adds the verbs to `foldstream sagas`."""
    _add(app, "retry", _retry, f"{_INSTANCE} --why 'a new release is out'")
    _add(app, "skip", _skip, f"{_INSTANCE} --step refund --why 'the bank has sent it back'", SkipOptions)
    _add(app, "compensate", _compensate, f"{_INSTANCE} --why 'the customer may not buy this'")
    _add(app, "cancel", _cancel, f"{_INSTANCE} --why 'the customer has called'")
    _add(app, "pause", _pause, "fulfilment --all --step charge --yes --why 'the bank is being moved'")
    _add(app, "resume", _resume, "fulfilment --all --status paused --yes --why 'the bank has moved'")
    _add(app, "migrate", _migrate, f"{_INSTANCE} --why 'the new carrier'", MigrateOptions)


def _add(
    app: typer.Typer, name: str, run: Callable[[typer.Context, Any], int], example: str, options: type[Any] = ActOptions
) -> None:
    action = Action(f"{name}-saga")
    verb(app, name, action=action, example=f"sagas {name} {example}", uses=("eventstore",))(with_options(options)(run))
