"""The command `foldstream access-log`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from domain.stream_name import DEFAULT_TENANT
from service.access.action import Action
from service.cli import completion
from service.cli.options import DEFAULT_DATA, Data, Json, Since, Tenant, Until, with_options
from service.cli.verbs import verb

app = typer.Typer()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """Which entries are listed."""

    subject: Annotated[str | None, typer.Option(metavar="SUBJECT", help="Only what this caller did.")] = None
    resource: Annotated[
        str | None, typer.Option(metavar="RESOURCE", help="Only what was done to this: order-<id>, stock:SKU, trace ….")
    ] = None
    action: Annotated[
        str | None,
        typer.Option(
            metavar="ACTION", autocompletion=completion.recorded_actions, help="Only this, such as read-history."
        ),
    ] = None
    since: Since = None
    until: Until = None
    tenant: Tenant = DEFAULT_TENANT
    data: Data = DEFAULT_DATA
    as_json: Json = False


def _access_log(_: typer.Context, options: AccessOptions) -> int:
    """List who looked at histories, who operated, and whom that was refused, oldest first.

    It goes back a week unless --from says how far, and spans 400 days at most. With --json it is a document a line.
    Exit code 3 where an entry can't be read by this release; stderr says which.
    """
    from infrastructure.access.access_reader import Wanted  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.access.report import print_entries  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs
    from service.history.sources import stream_called  # noqa: PLC0415 - a command loads only what it runs

    _between(options, datetime.now(UTC))
    uri = store_uri(options.data)
    since, until = _between(options, datetime.now(UTC))  # so that the last entry is of this very call
    resource = None if options.resource is None else stream_called(options.resource)
    wanted = Wanted(since, until, options.subject, resource, options.action)
    return print_entries(uri, options.tenant, wanted, as_json=options.as_json)


def _between(options: AccessOptions, now: datetime) -> tuple[datetime, datetime]:
    from infrastructure.access.access_reader import window  # noqa: PLC0415 - a command loads only what it runs

    try:
        return window(options.since, options.until, now)
    except ValueError as error:
        raise typer.BadParameter(f"--from {error}") from error


verb(
    app,
    "access-log",
    action=Action.READ_ACCESS_LOG,
    example="access-log --subject ada --from 2d\naccess-log --resource stock:mug-blue --json",
    uses=("eventstore",),
)(with_options(AccessOptions)(_access_log))
