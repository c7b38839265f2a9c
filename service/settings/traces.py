"""Where the spans of traces go, and of how many traces."""

from typing import Annotated, TypeAlias

from pydantic import Field

from service.settings.kind import WhenUnset
from service.settings.numbers import Ratio
from service.settings.texts import Address, FilePath

OtlpEndpoint: TypeAlias = Annotated[
    str | None,
    Address("http://127.0.0.1:4318"),
    WhenUnset("nowhere"),
    Field(
        description="The collector that [traces](tracing.md) are sent to, by OTLP over HTTP; without a path,"
        " `/v1/traces` is added."
    ),
]
TracesFile: TypeAlias = Annotated[
    str | None,
    FilePath(),
    WhenUnset("nowhere"),
    Field(
        description="The file that spans are appended to, a line of JSON each, for `foldstream spans`. At 64 MiB it"
        " becomes the older one, with `.1` at its name."
    ),
]
TracesRatio: TypeAlias = Annotated[
    float,
    Ratio(),
    Field(
        description="The share of the traces begun here that are recorded. A request with a `traceparent` and a token"
        " that counts, and all that follows from an event, does as that says."
    ),
]
