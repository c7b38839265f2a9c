"""The types of ids, names, quantities, amounts and reasons in commands, with their limits."""

from decimal import Decimal
from typing import Annotated, Final, TypeAlias

from pydantic import Field

_UUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_BEYOND: Final = Decimal(10) ** 12  # at most twelve digits stand before the point

Id: TypeAlias = Annotated[str, Field(pattern=_UUID)]  # one spelling only: two would be two streams
Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Quantity: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
Price: TypeAlias = Annotated[Decimal, Field(ge=0, lt=_BEYOND)]
Amount: TypeAlias = Annotated[Decimal, Field(gt=0, lt=_BEYOND)]
