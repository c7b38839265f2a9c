"""How the read models are folded, and when they are said to be behind."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from service.settings.kind import WhenUnset
from service.settings.numbers import NumberPerProjection, PerProjection, WholeNumber, one_of
from service.settings.texts import Names

Partitions: TypeAlias = Annotated[
    Literal[1, 2, 4, 8, 16],
    one_of(1, 2, 4, 8, 16),
    Field(
        description="Into how many shares each read model is divided. Another number fills a new generation beside"
        " the one in use, which takes over once it has caught up; one that is being filled already is finished first"
        " ([operations](operations.md#on-real-servers))."
    ),
]
ProjectionWorkers: TypeAlias = Annotated[
    int | None,
    WholeNumber(1, 16, "processes"),
    WhenUnset("one for each processor of the machine, at most 16 and at most one for each partition of each category"),
    Field(
        description="How many processes `serve` folds with. On several machines, each runs as many `foldstream"
        " projections` as it is to ([how they share](operations.md#several-workers))."
    ),
]
SkipUnreadable: TypeAlias = Annotated[
    tuple[str, ...],
    Names(),
    Field(
        description="Projections, by name with commas between, whose workers skip events that this release can't"
        " read: each skip is recorded, by the actor `setting`, and ends when a release can read the event. Elsewhere"
        " such an event blocks its stream ([what to do](operations.md#when-an-event-cant-be-folded))."
    ),
]
Priorities: TypeAlias = Annotated[
    tuple[str, ...],
    Names(),
    Field(
        description="Projections, by name with commas between, the most urgent first: while a worker process has more"
        " to fold than it can at once, each goes before those that come later or are not named, which are then slowed"
        " to some 2,500 events/s for each partition of their category at most, and never stopped. A projection of"
        " another rank than its category's others has a subscription of its own: its events are read and decoded"
        " twice."
    ),
]
LagEvents: TypeAlias = Annotated[
    PerProjection,
    NumberPerProjection(1_000, 100_000_000, "events"),
    Field(
        description="With more events of its own not folded yet than this, a read model is `behind` in"
        " `/health/ready` and `foldstream lag` ([the rules](operations.md#how-a-read-model-fares)). A number for all,"
        " numbers by name, or both, with commas between: `500,stock_levels=50`."
    ),
]
LagSeconds: TypeAlias = Annotated[
    PerProjection,
    NumberPerProjection(10, 86_400, "s"),
    Field(
        description="The same for the age of the oldest of them; one whose checkpoint has not moved for so long"
        " either is `stuck`."
    ),
]
AuditStreams: TypeAlias = Annotated[
    int,
    WholeNumber(0, 50, "streams/s"),
    Field(
        description="How many streams a second each worker process compares with the log in the background, over all"
        " its read models ([how](operations.md#is-a-read-model-right)); 0: none. A stream takes some milliseconds; the"
        " process gives it 10 ms on average, so with 1 a hundredth of its time, and waits for longer after one that"
        " took longer."
    ),
]
