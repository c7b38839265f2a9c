"""Synchronous mode: a command that was done is answered once the read models that its sender names have come as far."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from domain.stream_name import StreamName
from infrastructure.readmodels.errors import ReadModelUnavailable
from infrastructure.readmodels.position_token import PositionToken
from projections.projection import Projection
from service.consumers import PROJECTIONS
from service.http.connections import Connections
from service.http.endpoints.parameters import Seconds
from service.http.middleware.gate import Gate

_READ_MODELS: Final[Mapping[str, Projection[Any]]] = {projection.name: projection for projection in PROJECTIONS}
_ANY: Final = "|".join(_READ_MODELS)


def _known(names: str) -> str:
    if not set(names.split(",")) <= _READ_MODELS.keys():
        raise ValueError(f"should be names of read models with commas between them: {', '.join(_READ_MODELS)}")
    return names


Names: TypeAlias = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": f"^({_ANY})(,({_ANY}))*$"})
]


class Consistency(BaseModel):
    """Which read models are to have come as far as the command, and for how many seconds to wait for that."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    consistency: Names | None = Field(
        default=None,
        description="Read models, with commas between their names: the answer comes once all have come as far as the "
        "command, or is 202 after `wait` seconds.",
    )
    wait: Seconds = Field(default=2.0, description="Without `consistency` there is nothing to wait for: no effect.")

    @property
    def read_models(self) -> Sequence[Projection[Any]]:
        """Each of them once."""
        names = [] if self.consistency is None else self.consistency.split(",")
        return [_READ_MODELS[name] for name in dict.fromkeys(names)]

    async def is_reached(self, token: PositionToken, stream: str, connections: Connections, waiting: Gate) -> bool:
        """Whether they all come to the command's last event, which is of that stream, within that time.

        False at once where one can't be read, and where no place is free among those that wait: what was done is never
        refused.
        """
        if not self.read_models:
            return True
        tenant = StreamName.parse(stream).tenant
        if waiting.is_full_for(tenant):
            return False
        try:
            async with waiting.place(tenant):
                return await self._all_come_to(token, stream, connections)
        except ReadModelUnavailable:
            return False
        except asyncio.CancelledError:  # by nothing but a stop of the process, which must not hide what was done
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            return False

    async def _all_come_to(self, token: PositionToken, stream: str, connections: Connections) -> bool:
        models = connections.read_models
        paused = await models.pauses()
        waits = [(each, 0.0 if each.name in paused else self.wait) for each in self.read_models]  # nothing can come
        coming = [asyncio.create_task(models.comes_to(each, token, wait, stream)) for each, wait in waits]
        try:
            for come in asyncio.as_completed(coming):
                if not await come:
                    return False
            return True
        finally:
            for each in coming:
                each.cancel()
