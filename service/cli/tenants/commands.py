"""The command `foldstream tenants`."""

from service.cli.options import DEFAULT_DATA, Data, Json


def tenants(data: Data = DEFAULT_DATA, as_json: Json = False) -> int:
    """List all tenants with what they have in the event store: events, and streams by category; the log is read once.

    Streams that begin in the log are counted: of one whose beginning was truncated away, only the events are.
    """
    from service.cli.surroundings import store_uri  # noqa: PLC0415 - a command loads only what it runs
    from service.cli.tenants.report import print_tenants  # noqa: PLC0415 - a command loads only what it runs

    return print_tenants(store_uri(data), as_json=as_json)
