"""The commands `foldstream views`, `foldstream views list` and `drop`."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from service.access.action import Action
from service.cli import completion
from service.cli.help_option import HelpfulGroup
from service.cli.operator_act import Act, Why
from service.cli.options import DEFAULT_DATA, Data, Json, with_options
from service.cli.projection_names import projections_named
from service.cli.verbs import Yes, asked_for, epilog, require_consent, verb, with_shared_options

SUMMARY: Final = "List the views of the past, which `rebuild --into` makes, and drop them."
app = typer.Typer(
    cls=HelpfulGroup,
    add_completion=False,
    short_help=SUMMARY,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _views(context: typer.Context, data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """List the views of the past: of what each is, up to which position, how large it is, and when it expires.

    `foldstream rebuild PROJECTION --into NAME` makes one; queries read it with `?view=NAME`.
    """
    if context.invoked_subcommand is not None:
        context.default_map = {context.invoked_subcommand: {"data": data, "as_json": as_json}}
        return 0
    return _listed(data, as_json=as_json)


app.callback(invoke_without_command=True, epilog=epilog("views --json"))(
    asked_for(Action.READ_VIEWS, with_shared_options(_views, ("redis",)))
)


@verb(app, "list", action=Action.READ_VIEWS, example="views list --json", uses=("redis",))
def list_(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """The same as `foldstream views` without a further word."""
    return _listed(data, as_json=as_json)


def _listed(data: Any, *, as_json: bool) -> int:
    from service.cli.surroundings import redis_settings  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.views.report import print_views  # noqa: PLC0415 - a command loads only what it runs

    return print_views(redis_settings(data), as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOptions:
    """Which views, and how."""

    name: Annotated[str, typer.Argument(metavar="NAME", help="The view.")]
    projection: Annotated[
        str | None,
        typer.Argument(
            metavar="PROJECTION",
            autocompletion=completion.projections,
            help="Only that of this projection, of several of the name.",
        ),
    ] = None
    yes: Yes = False
    why: Why = None
    data: Data = DEFAULT_DATA
    as_json: Json = False


def drop(_: typer.Context, options: DropOptions) -> int:
    """Drop a view of the past before it expires: queries of it are refused from then on. No event is touched.

    What is still being built is given up.
    """
    from service.cli.surroundings import redis_settings  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.views.removal import drop_views  # noqa: PLC0415 - a command loads only what it runs

    named = projections_named([] if options.projection is None else [options.projection])
    require_consent(yes=options.yes)
    settings = redis_settings(options.data)
    return drop_views(
        settings,
        [each.name for each in named],
        options.name,
        Act(options.why),
        yes=options.yes,
        as_json=options.as_json,
    )


verb(
    app,
    action=Action.DROP_VIEWS,
    example="views drop end-of-march --yes --why 'the report is written'",
    uses=("redis",),
)(with_options(DropOptions)(drop))
