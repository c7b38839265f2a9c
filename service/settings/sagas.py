"""How long sagas wait."""

from typing import Annotated, TypeAlias

from pydantic import Field

from service.settings.numbers import WholeNumber

FlightConfirmationSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 30 * 86_400, "s"),
    Field(
        description="How long a trip whose parts are all reserved waits for the airline's word, before it is"
        " cancelled as `flight-not-confirmed`. 30 days at most. A wait that has begun keeps its time. Every `sagas`"
        " process should have the same."
    ),
]
SagaStuckSeconds: TypeAlias = Annotated[
    int,
    WholeNumber(1, 10_000_000, "s"),
    Field(
        description="For how long a running instance of a saga that waits for no deadline may be left as it is before"
        " `/health/ready` says `stuck` ([what to do](operations.md#seeing-what-runs))."
    ),
]
