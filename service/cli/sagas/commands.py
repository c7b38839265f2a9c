"""The command `foldstream sagas retry`."""

from typing import Annotated

import typer

from service.cli.help_option import HelpfulGroup
from service.cli.operator_act import Act, Reason
from service.cli.options import DEFAULT_DATA, Data, Json
from service.cli.verbs import verb

app = typer.Typer(cls=HelpfulGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@verb(
    app,
    example="sagas retry fulfilment 0b6c1c1e-4f0e-4c86-9d5e-0d8f6f0f3a10 --why 'a new release is out'",
    uses=("eventstore",),
)
def retry(
    saga: Annotated[str, typer.Argument(metavar="TYPE", help="The saga, such as fulfilment.")],
    instance: Annotated[str, typer.Argument(metavar="ID", help="The instance; of fulfilment, the order's id.")],
    why: Reason,
    data: Data = DEFAULT_DATA,
    as_json: Json = False,
) -> int:
    """Have a saga's instance that stopped go on: a worker takes the messages that wait for it, in log order.

    The event store keeps it, with the reason. The instance stops again where the same error is met again.
    """
    from service.cli.sagas.retry import retry_instance  # noqa: PLC0415 - a command loads only what it runs

    return retry_instance(data, saga, instance, Act(why), as_json=as_json)
