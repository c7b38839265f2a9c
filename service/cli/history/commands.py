"""The commands that look back: `foldstream history`, `as-of`, `changes`, `trace`, `export` and `replay`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import typer

from domain.stream_name import DEFAULT_TENANT
from service.access.action import OPEN, Action
from service.cli.options import DEFAULT_DATA, Data, Json, Since, Tenant, Until, parse_stream, parse_time
from service.cli.verbs import verb

app = typer.Typer()

Stream: TypeAlias = Annotated[
    str,
    typer.Argument(
        parser=parse_stream,
        metavar="STREAM",
        help="Such as account-<id>, order-<id>, fulfilment-<order id> or stock:SKU.",
    ),
]


@verb(app, action=Action.READ_HISTORY, example="history stock:mug-blue --limit 10", uses=("eventstore",))
def history(
    stream: Stream,
    first: Annotated[int, typer.Option("--from-version", min=0, help="The version to begin at.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show at most.")] = 100,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """List the events of a stream as they are stored, oldest first, with who and what caused them."""
    from service.cli.history.printer import HistoryPrinter  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    return HistoryPrinter(store_uri(data), as_json, tenant).history(stream, first, limit)


@verb(app, "as-of", action=Action.READ_HISTORY, example="as-of stock:mug-blue --version 1", uses=("eventstore",))
def as_of(
    stream: Stream,
    at: Annotated[
        datetime | None, typer.Option("--at", parser=parse_time, metavar="TIME", help="As of this time.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=0, help="Or after this version.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show the state of a stream as of a time by the server's clock, or after a version."""
    from service.cli.history.printer import HistoryPrinter  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    if at is not None and version is None:
        return HistoryPrinter(store_uri(data), as_json, tenant).as_of_time(stream, at)
    if version is not None and at is None:
        return HistoryPrinter(store_uri(data), as_json, tenant).as_of_version(stream, version)
    raise typer.BadParameter("give either --at TIME or --version N")


@verb(app, action=Action.READ_HISTORY, example="changes stock:mug-blue --from 7d", uses=("eventstore",))
def changes(
    stream: Stream,
    since: Since = None,
    until: Until = None,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show all changes of a stream between two times: who, because of what, and each field before and after."""
    from service.cli.history.printer import HistoryPrinter  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    if since is not None and until is not None and until <= since:
        raise typer.BadParameter("--to is not after --from")
    return HistoryPrinter(store_uri(data), as_json, tenant).changes(stream, since, until)


@verb(
    app,
    action=Action.READ_TRACE,
    example="trace 1f7f2a3e-6a56-4f3c-9d55-0c3f6f8f7a11 --from 2h\ntrace stock:mug-blue",
    uses=("eventstore",),
)
def trace(
    traced: Annotated[
        str,
        typer.Argument(
            metavar="CORRELATION_ID|STREAM",
            help="As in an answer's Foldstream-Correlation-Id, in the log, in history --json; or a stream, whose newest"
            " event's is taken.",
        ),
    ],
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="How many events to look at, the newest first.")] = 100_000,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Show as a tree which commands left which events, and what those caused, across all streams."""
    from service.cli.history.printer import HistoryPrinter  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    return HistoryPrinter(store_uri(data), as_json, tenant).trace(_id_or_name(traced), limit, since)


def _id_or_name(text: str) -> UUID | str:
    try:
        return UUID(text)
    except ValueError:
        return text


@verb(app, action=Action.EXPORT_HISTORY, example="export stock:mug-blue --out mug-blue.jsonl", uses=("eventstore",))
def export(
    stream: Stream,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where to write; - is the output [default: the output].")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = DEFAULT_DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON lines, as without it.")] = False,
) -> int:
    """Write everything of a stream as JSON lines, which `foldstream replay` reads on any machine."""
    from service.cli.history.printer import HistoryPrinter  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs

    return HistoryPrinter(store_uri(data), as_json, tenant).export(stream, out)


@verb(app, action=OPEN, example="replay mug-blue.jsonl --step")
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `foldstream export` wrote.")],
    step: Annotated[bool, typer.Option("--step", help="Show each event, with the state before and after.")] = False,
    until: Annotated[int | None, typer.Option("--version", min=0, help="Stop after this version.")] = None,
    as_json: Json = False,
) -> int:
    """Fold an exported stream without any server: show the state at its end, or every step."""
    from service.cli.history.replay import replay as replay_file  # noqa: PLC0415 - a command loads only what it runs

    return replay_file(file, until, step=step, json=as_json)
