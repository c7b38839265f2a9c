"""The command `foldstream spans`."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli.options import Json, parse_path

_ID: Final = re.compile(r"[0-9a-fA-F]{1,32}")


def parse_trace(text: str) -> str:
    """The beginning of a trace's id."""
    if not _ID.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no id of a trace, nor the beginning of one: 1 to 32 of 0-9a-f")
    return text


def spans(
    file: Annotated[
        Path, typer.Argument(parser=parse_path, metavar="FILE", help="What FOLDSTREAM_TRACES_FILE has named.")
    ],
    trace: Annotated[
        str | None,
        typer.Argument(
            parser=parse_trace, metavar="TRACE", help="The id of a trace, or how it begins [default: list them]."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=20_000, metavar="N", help="How many traces to list.")] = 20,
    as_json: Json = False,
) -> int:
    """List the traces whose spans were written into a file, or show one as a tree. It needs no server."""
    from service.cli.spans.report import print_spans, print_traces  # noqa: PLC0415 - a command loads only what it runs

    if trace is None:
        return print_traces(file, limit, as_json=as_json)
    return print_spans(file, trace, as_json=as_json)
