"""Whether an instance of a saga can run on another version from here on: no command may be sent twice or be lost."""

from collections.abc import Collection
from typing import Any, Final

from domain.engine_events import StepKept
from domain.saga import Saga
from infrastructure.sagas.errors import WordRefused
from infrastructure.sagas.instance import Instance

NOT_MIGRATABLE: Final = "saga-not-migratable"


def kept_steps(instance: Instance[Any], asked: Collection[str], version: Saga[Any, Any]) -> tuple[StepKept, ...]:
    """The steps that are pending now and will be in that version, each with the event since which it is.

    `asked` are all that were ever pending. Raises WordRefused where a command may have been sent whose answer the
    version would not take, or where it would send one again under another id; CodeMissing.
    """
    then = {ask.step: ask for ask in version.pending(instance.state)}
    for ask in instance.pending:
        if ask.step not in then:
            fault = f"{ask.step} is asked for and unanswered, and it would not be pending there"
            raise not_migratable(instance.stream, version.version, fault)
        if then[ask.step] != ask:
            fault = f"{ask.step} is asked for and unanswered, and it would be another command there"
            raise not_migratable(instance.stream, version.version, fault)
    for step in sorted((then.keys() & set(asked)) - instance.causes.keys()):
        fault = f"{step} was asked for and answered, and it would be asked for again there"
        raise not_migratable(instance.stream, version.version, fault)
    return tuple(StepKept(step=step, since=str(cause)) for step, cause in instance.causes.items())


def not_migratable(stream: str, version: int, fault: str) -> WordRefused:
    """The refusal of a migration."""
    return WordRefused(NOT_MIGRATABLE, stream, f"can't go on with version {version}: {fault}")
