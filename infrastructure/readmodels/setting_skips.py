"""The skips that `FOLDSTREAM_SKIP_UNREADABLE` makes: of events that this release can't read, until one can."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog

from domain.stream_name import row_key_of
from infrastructure.eventstore.errors import UNREADABLE, EventStoreError
from infrastructure.readmodels.blocks import Block
from infrastructure.readmodels.deployment import Deployment
from infrastructure.readmodels.skip_readers import SkipWatch
from infrastructure.readmodels.skips import SETTING, Skip, Skips
from infrastructure.readmodels.stream_fold import StreamFolds
from infrastructure.subscriptions.frames import Frame, Unreadable

_UNREADABLE: Final = frozenset(error.__name__ for error in UNREADABLE)
_SHOWN: Final = 1_000  # characters of a reason
_READABLE_AGAIN: Final = "this release reads the event"
_logger = structlog.get_logger()


class SettingSkips:
    """Those of one partition of one projection, which is named in the setting or not."""

    def __init__(self, deployment: Deployment, projection: str, watch: SkipWatch) -> None:
        self._namespace: Final = deployment.namespace
        self._projection: Final = projection
        self._is_named: Final = projection in deployment.skip_unreadable
        self._watch: Final = watch
        self._to_look_at: Iterator[Skip] | None = None

    def skip_unreadable(self, frames: Iterable[Frame], blocked: Collection[str]) -> set[tuple[str, int]]:
        """Records a skip of each event that can't be read; stream and version of these. Behind a block it waits.

        Raises EventStoreError.
        """
        if not self._is_named:
            return set()
        unreadable = [each for each in frames if isinstance(each, Unreadable) and each.row_key not in blocked]
        for frame in unreadable:
            self._skip(frame.stream, frame.version, frame.event_id, type(frame.fault).__name__, str(frame.fault))
        return {(frame.stream, frame.version) for frame in unreadable}

    def skips(self, stream: str, block: Block) -> bool:
        """Whether the setting skips the event that blocks this stream; then it is recorded. Raises EventStoreError."""
        if not self._is_named or block.error not in _UNREADABLE:
            return False
        self._skip(stream, block.version, block.event_id, block.error, block.reason)
        return True

    def end(self, skips: Skips, concerns: Callable[[str], bool], folds: StreamFolds[Any], seconds: float) -> None:
        """Ends those whose event can be read by now; looks at each of them once, for some seconds at a time.

        Raises EventStoreError.
        """
        if self._to_look_at is None:
            self._to_look_at = iter([skip for skip in skips.by(SETTING) if concerns(skip.stream)])
        end = time.monotonic() + seconds
        try:
            for skip in self._to_look_at:
                self._end_where_readable(skip, folds)
                if time.monotonic() >= end:
                    return
        except EventStoreError:
            self._to_look_at = None  # once more
            raise

    def _end_where_readable(self, skip: Skip, folds: StreamFolds[Any]) -> None:
        frame = folds.frame(row_key_of(skip.stream), skip.version)
        if frame is not None and not isinstance(frame, Unreadable):
            self._watch.unskip(self._word(skip.stream, skip.version, skip.event_id, _READABLE_AGAIN))
            self._log("event_skipped_no_longer", skip.stream, skip.version)

    def _skip(self, stream: str, version: int, event_id: UUID, error: str, reason: str) -> None:
        self._watch.skip(self._word(stream, version, event_id, reason[:_SHOWN]))
        self._log("event_skipped", stream, version, error=error, reason=reason)

    def _word(self, stream: str, version: int, event_id: UUID, why: str) -> Skip:
        return Skip(
            namespace=self._namespace,
            projection=self._projection,
            stream=stream,
            version=version,
            event_id=event_id,
            actor=SETTING,
            why=why,
            at=datetime.now(UTC),
        )

    def _log(self, event: str, stream: str, version: int, **told: str) -> None:
        _logger.warning(event, projection=self._projection, stream=stream, version=version, **told)
