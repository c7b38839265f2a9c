"""Has an instance of a saga run on another version from here on, where no command could be sent twice or be lost."""

from typing import Any, Final

from domain.engine_events import SagaMigrated, SagaResumed, StepKept
from domain.saga import Saga
from infrastructure.commands.request import Request
from infrastructure.eventstore.codec import EventCodec
from infrastructure.eventstore.streams import PAGE, Streams
from infrastructure.sagas.errors import NotMigratable, UnknownInstance
from infrastructure.sagas.instance import Instance
from infrastructure.sagas.rivalry import repeatedly


class Migration:
    """Migrates instances of one saga.

    The event that says so is followed by the word that the instance is to go on: it wakes a worker, which asks for what
    the new version has pending.
    """

    def __init__(self, saga: Saga[Any, Any], streams: Streams, codec: EventCodec) -> None:
        self._saga: Final = saga
        self._streams: Final = streams
        self._codec: Final = codec

    async def migrate(self, stream: str, version: int, why: str, request: Request) -> int | None:
        """The version that the instance ran on until now; None where it runs on the new one already.

        Raises UnknownInstance, NotMigratable, CodeMissing, StoreUnavailable, ConcurrencyConflict, and what reading and
        appending raise; ValueError for a version that there is not.
        """
        if version not in self._saga.versions:
            raise ValueError(f"there is no version {version} of {self._saga.category}")
        return await repeatedly(stream, self._migrate, stream, version, why, request)

    async def _migrate(self, stream: str, version: int, why: str, request: Request) -> int | None:
        instance, asked = await self._replayed(stream)
        before = instance.code.version
        if before is None:
            raise NotMigratable(stream, version, "it has not begun: it will on the newest version")
        if before == version:
            return None
        kept = kept_steps(instance, asked, self._saga.versions[version])
        words = [SagaMigrated(version=version, why=why, kept=kept), SagaResumed(why=why)]
        records = [self._codec.encode(word, request.metadata(word)) for word in words]
        await self._streams.append(stream, instance.version, records)
        return before

    async def _replayed(self, stream: str) -> tuple[Instance[Any], set[str]]:
        """The instance, and all steps that were ever pending in it."""
        instance, asked = Instance(self._saga, stream), set[str]()
        while page := await self._streams.page(stream, instance.version + 1):
            for recorded in page:
                instance.take([recorded])
                asked |= instance.causes.keys()
            if len(page) < PAGE:
                break
        if instance.version == -1:
            raise UnknownInstance(stream)
        return instance, asked


def kept_steps(instance: Instance[Any], asked: set[str], version: Saga[Any, Any]) -> tuple[StepKept, ...]:
    """The steps that are pending now and will be in that version, each with the event since which it is.

    `asked` are all that were ever pending. Raises NotMigratable where a command may have been sent whose answer the
    version would not take, or where it would send one again under another id; CodeMissing.
    """
    then = {ask.step: ask for ask in version.pending(instance.state)}
    for ask in instance.pending:
        if ask.step not in then:
            fault = f"{ask.step} is asked for and unanswered, and it would not be pending there"
            raise NotMigratable(instance.stream, version.version, fault)
        if then[ask.step] != ask:
            fault = f"{ask.step} is asked for and unanswered, and it would be another command there"
            raise NotMigratable(instance.stream, version.version, fault)
    for step in sorted((then.keys() & asked) - instance.causes.keys()):
        fault = f"{step} was asked for and answered, and it would be asked for again there"
        raise NotMigratable(instance.stream, version.version, fault)
    return tuple(StepKept(step=step, since=str(cause)) for step, cause in instance.causes.items())
