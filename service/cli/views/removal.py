"""Drops views on an operator's word."""

from collections.abc import Sequence

from infrastructure.readmodels.connection import connect
from infrastructure.readmodels.keys import ProjectionKeys
from infrastructure.terminal import print_json, print_line
from infrastructure.views.catalog import ViewCatalog
from infrastructure.views.definition import ViewDefinition
from infrastructure.views.removal import held_keys, unlink
from service.cli.operator_act import Act
from service.cli.verbs import consented
from service.cli.views.survey import reading_views, views_of
from service.errors import NoView
from service.settings import Settings


def drop_views(settings: Settings, projections: Sequence[str], name: str, act: Act, *, yes: bool, as_json: bool) -> int:
    """Drops the views of that name. Raises NoView where there is none, RedisUnavailable, ViewsUnusable."""
    with reading_views(settings):
        found = [view for view in views_of(settings, projections) if view.name == name]
        if not found:
            raise NoView(name, projections)
        keys = sum(_count(settings, view) for view in found)
    where = ", ".join(view.projection for view in found)
    if not consented(f"Drop the view {name} of {where}, about {keys:,} keys?", yes=yes):
        return 1
    with reading_views(settings):
        removed = {view.projection: _drop(settings, view, act) for view in found}
    if as_json:
        print_json({"view": name, "dropped": [{"projection": each, "keys": keys} for each, keys in removed.items()]})
    else:
        print_line(f"Dropped the view {name} of {where}: {sum(removed.values()):,} keys.")
    return 0


def _count(settings: Settings, view: ViewDefinition) -> int:
    keys = [view.keys(settings.namespace, number) for number in range(view.partitions)]
    found = 1
    for each in keys:
        with connect(settings.redis, each.checkpoint) as connection:
            found += held_keys(connection, each)
    return found


def _drop(settings: Settings, view: ViewDefinition, act: Act) -> int:
    """How many keys it had. No query finds it from the first step on."""
    with connect(settings.redis, ProjectionKeys(settings.namespace, view.projection).live) as connection:
        ViewCatalog(connection, settings.namespace, view.projection).remove(view)
    removed = 1
    for number in range(view.partitions):
        keys = view.keys(settings.namespace, number)
        with connect(settings.redis, keys.checkpoint) as connection:
            removed += unlink(connection, keys)
    act.log("view_dropped", projection=view.projection, view=view.name, keys=removed)
    return removed
