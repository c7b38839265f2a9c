"""What operators do about blocked streams: their word is recorded, or left for the workers, and the outcome told."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.pause_readers import PauseWatch
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import SETTING, Skip
from infrastructure.terminal import print_error
from projections.projection import Projection
from service.cli.operator_act import Act
from service.cli.poison.blocked_at import BlockedAt
from service.cli.poison.desk import desk
from service.cli.poison.outcomes import PENDING, Judge, Outcome, after_record, after_retries
from service.cli.poison.report import print_outcome, print_retries
from service.cli.verbs import consented
from service.errors import NotBlocked
from service.settings import Settings
from service.workers.projections import deployment_of

STILL_BLOCKED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """For how many seconds the outcome is waited for, and `yes`: without asking.

    `version` is the one that is meant, None: whichever blocks the stream.
    """

    wait: float
    as_json: bool
    yes: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """What an operator does about blocked streams of a projection, and how.

    All of it raises BlocksUnreadable, RedisUnavailable, StoreUnavailable, and what recording raises.
    """

    settings: Settings
    projection: Projection[Any]
    plan: Plan
    act: Act

    def retry(self, stream: str | None) -> int:
        """Has workers try the stream now, None: all that are blocked. Raises NotBlocked."""
        blocked = self._blocked(stream)
        if stream is not None and not blocked:
            raise NotBlocked(self.projection.name, stream)
        question = f"Try {len(blocked):,} streams of {self.projection.name} again?"
        if stream is None and blocked and not consented(question, yes=self.plan.yes):
            return 1
        outcomes = asyncio.run(self._retried(blocked)) if blocked else ()
        if blocked:
            self.act.log("poison_retried", projection=self.projection.name, streams=len(blocked))
        self._tell_of_pause(outcomes)
        print_retries(self.projection.name, list(zip(blocked, outcomes, strict=True)), as_json=self.plan.as_json)
        return _exit_code(outcomes)

    def skip(self, stream: str) -> int:
        """Records that an event is skipped that blocks the stream, or that the setting skips. Raises NotBlocked."""
        name = self.projection.name
        with self._skips() as watch:
            found = self._to_skip(watch, stream)
            if isinstance(found, Skip) and found.actor != SETTING:
                print_outcome(found, None, skipped=True, as_json=self.plan.as_json)
                return 0
            if not consented(_question(name, stream, found), yes=self.plan.yes):
                return 1
            word = self._word(stream, found.version, found.event_id)
            watch.skip(word)
            number = _number_of_last(watch, word)
        return self._told(word, number, skipped=True)

    def _to_skip(self, watch: SkipWatch, stream: str) -> Skip | Block:
        """The skip that stands of the version that is meant, else the block of the stream. Raises NotBlocked."""
        name, version = self.projection.name, self.plan.version
        if version is not None and (standing := watch.of(name).of(stream, version)) is not None:
            return standing
        block = next((each.block for each in self._blocked(stream)), None)
        if block is None or version not in {None, block.version}:
            raise NotBlocked(name, stream, version, None if block is None else block.version)
        return block

    def unskip(self, stream: str, version: int) -> int:
        """Records that an event which is skipped counts again."""
        with self._skips() as watch:
            standing = watch.of(self.projection.name).of(stream, version)
            if standing is None:
                print_outcome(self._word(stream, version, UUID(int=0)), None, skipped=False, as_json=self.plan.as_json)
                return 0
            word = self._word(stream, version, standing.event_id)
            watch.unskip(word)
            number = _number_of_last(watch, word)
        return self._told(word, number, skipped=False)

    def _told(self, word: Skip, number: int, *, skipped: bool) -> int:
        """Waits for the outcome of what is recorded under that number, and prints it."""
        told = {"projection": word.projection, "stream": word.stream, "version": word.version}
        self.act.log("event_skipped" if skipped else "event_unskipped", **told)
        [outcome] = asyncio.run(self._awaited(after_record(word.stream, number))) or [PENDING]
        self._tell_of_pause([outcome])
        print_outcome(word, outcome, skipped=skipped, as_json=self.plan.as_json)
        return _exit_code([outcome])

    def _tell_of_pause(self, outcomes: Sequence[Outcome]) -> None:
        """Says why no worker applies it, where nobody is to fold the projection."""
        if PENDING not in outcomes:
            return
        name = self.projection.name
        with closing(PauseWatch(deployment_of(self.settings))) as pauses:
            pause = pauses.of(name)
        if pause is not None:
            print_error(f"{name} is paused {pause.described()}; `foldstream projections resume {name}` ends that")

    def _blocked(self, stream: str | None) -> list[BlockedAt]:
        """Where that stream is blocked, None: all that are."""

        async def look() -> list[BlockedAt]:
            async with desk(self.settings) as looking:
                return await looking.blocked(self.projection)

        return [each for each in asyncio.run(look()) if stream in {None, each.stream}]

    async def _retried(self, blocked: Sequence[BlockedAt]) -> Sequence[Outcome]:
        async with desk(self.settings) as looking:
            await looking.ask_to_retry(blocked)
            outcomes = await looking.wait(self.projection, after_retries(blocked), self.plan.wait)
        return outcomes or [PENDING] * len(blocked)

    async def _awaited(self, judge: Judge) -> Sequence[Outcome]:
        async with desk(self.settings) as looking:
            return await looking.wait(self.projection, judge, self.plan.wait)

    def _skips(self) -> AbstractContextManager[SkipWatch]:
        return closing(SkipWatch(deployment_of(self.settings)))

    def _word(self, stream: str, version: int, event_id: UUID) -> Skip:
        return Skip(
            namespace=self.settings.namespace,
            projection=self.projection.name,
            stream=stream,
            version=version,
            event_id=event_id,
            actor=self.act.actor,
            why=self.act.why or "",
            at=datetime.now(UTC),
        )


def _number_of_last(watch: SkipWatch, word: Skip) -> int:
    """The number of the last record about the stream of that word, which is recorded."""
    return watch.of(word.projection).since(0, word.stream.__eq__)[-1].number


def _question(projection: str, stream: str, found: Skip | Block) -> str:
    event = f"version {found.version} of {stream}, in {projection}"
    if isinstance(found, Skip):
        return f"Skip {event}, also when a release can read it?"
    behind = f"{found.waiting:,} more wait" if found.waiting else "Nothing waits"
    return f"Skip {found.event_type}, {event}? {behind} behind it."


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    return STILL_BLOCKED if any(outcome.word == "blocked" for outcome in outcomes) else 0
