"""The command `foldstream rebuild`, and what its options may mean together."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from projections.projection import Projection
from service.cli import completion
from service.cli.operator_act import Act, Why
from service.cli.options import DEFAULT_DATA, Data, Json, Pipe
from service.cli.projection_names import projections_named
from service.cli.verbs import Yes, require_consent
from service.cli.views.options import AsOf, FromPosition, FromTime, Into, ToPosition, Ttl, ViewOptions
from service.settings import Settings

_ALONE: Final = ("dry_run", "abort", "rollback", "stream", "into")
_OF_A_VIEW: Final = ("as_of", "to_position", "from_time", "from_position", "ttl")
_ASKS: Final = ("abort", "rollback", "stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildOptions:
    """What is built, by how many, and what becomes of the live generation."""

    name: Annotated[
        str, typer.Argument(metavar="PROJECTION", autocompletion=completion.projections, help="The projection.")
    ]
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=16,
            metavar="N",
            help="How many processes fold, at most one a partition [default: as many as there are processors].",
        ),
    ] = None
    keep: Annotated[bool, typer.Option("--keep", help="Keep the live generation, to go back to.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False
    abort: Annotated[bool, typer.Option("--abort", help="Give up what was begun, and unlink it.")] = False
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the generation that was kept, once it has caught up.")
    ] = False
    stream: Annotated[
        str | None,
        typer.Option("--stream", metavar="STREAM", help="Fold one stream again, into the live generation."),
    ] = None
    into: Into = None
    as_of: AsOf = None
    to_position: ToPosition = None
    from_time: FromTime = None
    from_position: FromPosition = None
    ttl: Ttl = None
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False
    # What the processes are told that fold for a rebuild; nobody else needs these.
    fold: Annotated[str | None, typer.Option("--fold", hidden=True)] = None
    partition: Annotated[list[int] | None, typer.Option("--partition", hidden=True)] = None
    stop_when_closed: Pipe = None

    def require_one_meaning(self) -> None:
        """Raises BadParameter where options contradict each other, or have no effect."""
        alone = [option for option in _ALONE if self._has(option)]
        if len(alone) > 1:
            raise typer.BadParameter(f"give either {' or '.join(map(_written, alone))}")
        asks = [option for option in alone if option in _ASKS]
        if self.keep and (asks or self.into):
            raise typer.BadParameter(f"--keep has no effect with {_written([*asks, 'into'][0])}")
        if self.into is None and (given := [option for option in _OF_A_VIEW if getattr(self, option) is not None]):
            raise typer.BadParameter(f"{_written(given[0])} belongs to --into")
        self.view.require_one_meaning()
        if self.workers is not None and asks and not self.rollback:
            raise typer.BadParameter(f"--workers has no effect with {_written(asks[0])}")
        if self.yes and not asks:
            raise typer.BadParameter("--yes belongs to --abort, --rollback and --stream")
        if self.why is not None and self.dry_run:
            raise typer.BadParameter("--why has no effect with --dry-run")

    @property
    def view(self) -> ViewOptions:
        """Those of the view to be made."""
        return ViewOptions(name=self.into or "", **{name: getattr(self, name) for name in _OF_A_VIEW})

    @property
    def asks(self) -> bool:
        """Whether it asks before it acts: what it does shows at once."""
        return any(self._has(option) for option in _ASKS)

    def _has(self, option: str) -> bool:
        return getattr(self, option) not in {None, False}


def rebuild(_: typer.Context, options: RebuildOptions) -> int:
    """Build a projection anew beside the live generation, and let it take its place once it has caught up.

    Queries are answered from the live generation meanwhile, and after Ctrl-C too: the next call goes on. The generation
    before is unlinked by the workers, or kept with --keep: --rollback goes back to it.

    With --into it builds a view of the past instead, as of a time or a position: queries read it with ?view=NAME until
    it expires or is dropped (foldstream views). One that begins after the log's beginning holds what happened since.
    """
    from service.cli.rebuild import acts  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import both_servers  # noqa: PLC0415 - a command loads only what it runs

    [projection] = projections_named([options.name])
    if options.fold is not None:
        return _fold(both_servers(options.data), projection, options, options.fold)
    options.require_one_meaning()
    if options.asks:
        require_consent(yes=options.yes)
    settings = both_servers(options.data)
    order = acts.Order(settings, projection, options.workers, options.data, options.as_json, Act(options.why))
    if options.dry_run:
        from service.cli.rebuild.plan import print_plan  # noqa: PLC0415 - a command loads only what it runs

        return print_plan(settings, projection, acts.workers_of(options.workers), as_json=options.as_json)
    if options.into is not None:
        from service.cli.views.build import make_view  # noqa: PLC0415 - a command loads only what it runs

        return make_view(order, options.view)
    if options.stream is not None:
        from service.cli.rebuild.refold import refold  # noqa: PLC0415 - a command loads only what it runs

        return refold(order, options.stream, yes=options.yes)
    if options.abort:
        return acts.abort(order, yes=options.yes)
    if options.rollback:
        return acts.roll_back(order, yes=options.yes)
    return acts.rebuild(order, keep=options.keep)


def _fold(settings: Settings, projection: Projection[Any], options: RebuildOptions, what: str) -> int:
    """What a process of the crew does."""
    partitions, pipe = options.partition or (), options.stop_when_closed
    if options.into is not None:
        from service.cli.views import worker as views  # noqa: PLC0415 - a command loads only what it runs

        return views.fold(settings, projection, (options.into, what), partitions, pipe)
    from service.cli.rebuild.worker import fold  # noqa: PLC0415 - a command loads only what it runs

    return fold(settings, projection, what, partitions, pipe)


def _written(option: str) -> str:
    return f"--{option.replace('_', '-')}"
