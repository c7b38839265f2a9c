"""How many commands, queries and looks back are worked on at once, and for how long."""

from typing import Annotated, TypeAlias

from pydantic import Field

from service.settings.numbers import WholeNumber

CommandSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 60, "s"),
    Field(
        description="How long a command may take before its caller is told that the store is not available (503). The"
        " store is tried for three quarters of that from its first failure on, also where it refuses at once (a full"
        " disk) or after a quarter of a second (another process's lock), since both may end: by default some 3.2 s"
        " pass before the 503. Once it was missed for so long, [further ones are refused at"
        " once](commands.md#while-the-store-is-away). A single call may take five eighths, so that one which was lost"
        " leaves time for another."
    ),
]
CommandsAtOnce: TypeAlias = Annotated[
    int,
    WholeNumber(1, 90),
    Field(
        description="How many commands an API process works on at once. A connection carries at most 100 calls."
        " Queries have a connection of their own."
    ),
]
CommandsWaiting: TypeAlias = Annotated[
    int,
    WholeNumber(0, 100_000),
    Field(description="How many more may wait for their turn; whoever comes beyond that gets 429 at once."),
]
CachedAggregates: TypeAlias = Annotated[
    int,
    WholeNumber(0, 1_000_000),
    Field(
        description="How many loaded aggregates a process that decides commands keeps in memory, those used last; a"
        " command on one of them is a single append. One with few commands takes some 3 kB, one with more than 64 some"
        " 27 kB. 0 keeps none."
    ),
]
RequestsPerSecond: TypeAlias = Annotated[
    int,
    WholeNumber(0, 100_000, "requests/s"),
    Field(
        description="How many requests of one subject, in one tenant, each API process takes a second; whoever sends"
        " more gets 429 `rate-limited`. Requests without a valid token are counted by their address, which is the"
        " proxy's where one stands in front. Probes and `/metrics` are not limited. Each process counts for itself: N"
        " processes take N times as many; it counts once `FOLDSTREAM_REQUESTS_BURST` have come at once. 0: any number."
    ),
]
RequestsBurst: TypeAlias = Annotated[
    int,
    WholeNumber(1, 1_000_000, "requests"),
    Field(description="How many of them may come at once, after a pause."),
]
QueriesAtOnce: TypeAlias = Annotated[
    int,
    WholeNumber(1, 100_000),
    Field(
        description="How many queries may be answered at once; whoever comes beyond that gets 429. Where one"
        " [tenant](tenants.md#fair-shares) has taken all, others get a share beyond: for a while up to twice as many."
    ),
]
QueriesWaiting: TypeAlias = Annotated[
    int,
    WholeNumber(1, 100_000),
    Field(
        description="How many queries and commands with `consistency` may wait for a position at once, apart from"
        " those that are answered; a query that would be one more gets 429, a command 202."
    ),
]
ReadSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 60, "s"),
    Field(
        description="How long a query may read in Redis before its caller is told that the read model is not"
        " available (503), apart from its `wait` for a position."
    ),
]
HistoriesAtOnce: TypeAlias = Annotated[
    int,
    WholeNumber(1, 64),
    Field(
        description="How many requests of an API process may [look back](history.md) at once, each in a thread and on"
        " a connection of its own. Eight times as many may wait for their turn; whoever comes beyond that gets 429 at"
        " once."
    ),
]
HistorySeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 60, "s"),
    Field(
        description="How long such a request may take before its caller is told that the store is not available"
        " (503); three quarters of that may pass before its turn (429). Up to 2.5 s more go to its [entry in the"
        " access log](access-log.md)."
    ),
]
