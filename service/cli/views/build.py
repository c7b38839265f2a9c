"""`foldstream rebuild --into`: makes a view of the past, and says what came of it."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from infrastructure.readmodels.pointers import Generation
from infrastructure.terminal import print_line, require_output
from infrastructure.times import time_text
from infrastructure.views.definition import Span, ViewDefinition
from infrastructure.views.view_build import ViewRequest, build_view
from infrastructure.views.view_fold import ViewFold
from service.cli.plurals import counted
from service.cli.rebuild.acts import Order, fold_command, translated, workers_of
from service.cli.rebuild.progress_lines import RebuildProgress, print_document
from service.cli.views.options import DEFAULT_TTL, ViewOptions
from service.cli.views.report import view_answer
from service.cli.views.survey import listed_view
from service.workers.projections import deployment_of

_MS: Final = 1_000


def make_view(order: Order, options: ViewOptions) -> int:
    """Raises ViewsUnusable, NotRebuilt, RedisUnavailable, EventStoreError; what was built stays for the next call."""
    require_output()
    lines = RebuildProgress(order.name, as_json=order.as_json, view=options.name)
    deployment = deployment_of(order.settings)
    command = partial(_command, order, options.name)
    fold = ViewFold(deployment, order.projection, workers_of(order.workers), command, lines.show)
    try:
        with translated(order):
            view = build_view(deployment, order.projection, _request(order, options), fold.build)
            rows = listed_view(order.settings, view).rows
    finally:
        lines.end()
    order.act.log("view_built", projection=order.name, view=view.name, position=view.position, rows=rows)
    if order.as_json:
        print_document({**view_answer(view), "rows": rows})
    else:
        print_line(_said(view, rows))
    return 0


def _request(order: Order, options: ViewOptions) -> ViewRequest:
    places = (options.to_position, options.from_position)
    span = Span(
        options.as_of,
        None if options.to_position is None else options.to_position.position,
        options.from_time,
        None if options.from_position is None else options.from_position.position,
    )
    ttl = int((options.ttl or DEFAULT_TTL).total_seconds() * _MS)
    stores = frozenset(place.store for place in places if place is not None and place.store is not None)
    return ViewRequest(options.name, span, ttl, order.act.actor, order.act.why, stores)


def _command(order: Order, name: str, generation: Generation, partitions: Sequence[int], pipe: int) -> Sequence[str]:
    return (*fold_command(order, str(generation.number), partitions, pipe), "--into", name)


def _said(view: ViewDefinition, rows: int) -> str:
    until = time_text(view.expires.replace(microsecond=0))
    held = f"{counted(rows, 'row')} as of {view.span}, at position {view.position}"
    return f"{view.projection}: the view {view.name} holds {held}; ?view={view.name} reads it until {until}"
