"""The API's certificate, and the bounds of requests and connections."""

from typing import Annotated, TypeAlias

from pydantic import Field

from service.settings.numbers import WholeNumber
from service.settings.texts import FilePath

TlsCertificateFile: TypeAlias = Annotated[
    str | None,
    FilePath(),
    Field(
        description="The file, in PEM, of the API's certificate with its chain. With it and its key, which go"
        " together, the API speaks HTTPS alone (TLS 1.2 and later), on the port for metrics too; new connections get a"
        " changed certificate within seconds. What can't be used ends a start with one line; a change that can't be"
        " used is told of in the log (`certificate_unusable`), and the one before goes on."
    ),
]
TlsKeyFile: TypeAlias = Annotated[
    str | None,
    FilePath(),
    Field(description="The file, in PEM, of the key of that certificate. It has no password."),
]
HeadBytes: TypeAlias = Annotated[
    int,
    WholeNumber(1024, 1024 * 1024, "bytes"),
    Field(
        description="How large the head of a request may be, URL and all headers together, trailers included (431)."
        " What is sent without completing a header, a trailer or the size of a chunk with its extensions (413) is read"
        " no further than some three times that."
    ),
]
UrlBytes: TypeAlias = Annotated[
    int,
    WholeNumber(256, 65_535, "bytes"),
    Field(description="How long its URL may be (414)."),
]
HeaderBytes: TypeAlias = Annotated[
    int,
    WholeNumber(256, 1024 * 1024, "bytes"),
    Field(description="How large one header may be, name and value (431)."),
]
Headers: TypeAlias = Annotated[
    int,
    WholeNumber(10, 10_000),
    Field(description="How many headers a request may have, trailers included (431)."),
]
HeadSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 600, "s"),
    Field(
        description="How long a head may take to come: from the connection on, or from its first byte on a connection"
        " that is used again (408)."
    ),
]
BodySeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 600, "s"),
    Field(description="How long a body may take to come in all (408)."),
]
SendSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 600, "s"),
    Field(description="How long an answer may wait for its client to read on; then the connection ends."),
]
KeepAliveSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 3600, "s"),
    Field(
        description="How long a connection may rest between two requests; more than a proxy before it keeps its own"
        " ([behind a proxy](operations.md#behind-a-proxy))."
    ),
]
Connections: TypeAlias = Annotated[
    int,
    WholeNumber(1, 100_000),
    Field(
        description="How many connections an API process has open. One more closes the one that rests longest, else"
        " the oldest without a whole head, else the one that waits longest for a body, else the one whose client"
        " leaves answers unread longest, else itself."
    ),
]
PendingPerAddress: TypeAlias = Annotated[
    int,
    WholeNumber(1, 100_000),
    Field(
        description="How many connections of one address may be without a whole head; beyond that the oldest are"
        " closed, once they had a second. A proxy that does not read heads itself needs more ([behind a"
        " proxy](operations.md#behind-a-proxy))."
    ),
]
