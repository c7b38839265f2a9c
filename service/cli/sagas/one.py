"""Says an operator's word to one instance of a saga, and prints what came of it."""

import asyncio

from infrastructure.sagas.errors import UnknownInstance, WordRefused
from infrastructure.terminal import print_json, print_line, require_output
from service.cli.connections import connected
from service.cli.sagas.instances import instance_stream
from service.cli.sagas.operation import Done, Order, desk_of
from service.cli.surroundings import store_uri
from service.errors import NoInstance, WordNotTaken


def act_on_one(order: Order, instance: str) -> int:
    """Raises BadParameter, NoInstance, WordNotTaken, NoStore, SettingsError and what reading and appending raise."""
    stream = instance_stream(order.saga, instance, order.tenant)
    require_output()
    done = asyncio.run(_done(order, stream))
    if order.as_json:
        print_json({"type": order.saga.category, "id": instance, **done.members()})
    else:
        print_line(f"{stream} {done.described()}")
    return 0


async def _done(order: Order, stream: str) -> Done:
    async with connected(store_uri(order.data)) as client, desk_of(order.saga, client) as desk:
        try:
            return await order.say(desk, stream)
        except UnknownInstance as error:
            raise NoInstance(stream) from error
        except WordRefused as error:
            raise WordNotTaken(stream, str(error)) from error
