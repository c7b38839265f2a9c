"""Errors that keep a command from running; each text is one line that says what and where.

ServiceError
├── AddressUnusable        the port is in use, or the host is not this machine
├── DataFolderUnusable     the data folder can't be written
├── DataFolderInUse        another service holds the data folder
├── FileUnusable           a file that was named can't be read or written
├── TemporaryFileUnusable  none can be written
├── ChildRefused           a process does not start; says what it said itself
├── NotReady               a process did not become ready in time
├── NotAnswered            a process that was asked how it fares does not answer
├── NotAllowed             the policies don't let this caller do that
├── NoStore                no event store is named, and no service runs in the folder
├── NoRedis                the same of Redis
├── NoDevelopmentKey       no service has made one in the folder
├── RedisUnavailable       Redis can't be asked
├── NotAudited             a projection can't be compared with the log now
├── NotRebuilt             a projection can't be rebuilt, rolled back or mended now
├── NoView                 no view of the past has that name
├── ViewsUnusable          a view of the past can't be made or read now
├── BlocksUnreadable       it can't be found out which streams of a projection are blocked
├── StatusUnreadable       how the instances of sagas fare can't be read now
├── NoInstance             a saga has no such instance
├── WordNotTaken           the state of an instance of a saga forbids what was asked
├── WordsNotTaken          that of some instances
├── NoGroup                the event store has no persistent subscription of that name
├── NotReplayed            what a persistent subscription has parked can't be delivered again now
├── NotAppended            events could not be appended by hand
├── NoPosition             the log has no record at a position
├── LogReplaced            the log is another than was read before, or an older copy of it
├── NotBlocked             a stream is not blocked in a projection, or not at that version
├── SnapshotsNotTaken      some of the snapshots could not be taken
└── WithoutSnapshots       no snapshots are kept of a stream
"""

from collections.abc import Sequence
from pathlib import Path


class ServiceError(Exception):
    """Base of all errors that keep a command from running."""


class DataFolderUnusable(ServiceError):
    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the data folder {folder} can't be used: {reason}")
        self.folder = folder
        self.reason = reason


class FileUnusable(ServiceError):
    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"the file {file} can't be used: {reason}")
        self.file = file
        self.reason = reason


class TemporaryFileUnusable(ServiceError):
    """`folder` is None where none was found that takes a file."""

    def __init__(self, folder: str | None, reason: str) -> None:
        where = f" in {folder}" if folder else ""
        super().__init__(f"no temporary file can be written{where}: {reason}; TMPDIR may name another folder")
        self.folder = folder
        self.reason = reason


class DataFolderInUse(ServiceError):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"the data folder {folder} is in use by another service")
        self.folder = folder


class AddressUnusable(ServiceError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"can't listen on {host}:{port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class ChildRefused(ServiceError):
    def __init__(self, name: str, exit_code: int, said: str) -> None:
        super().__init__(f"{name} does not start: {said or f'it ended with exit code {exit_code}'}")
        self.name = name
        self.exit_code = exit_code
        self.said = said


class NotReady(ServiceError):
    def __init__(self, name: str, seconds: float, said: str = "") -> None:
        super().__init__(f"{name} was not ready within {seconds:.0f} s{said and f'; it said: {said}'}")
        self.name = name
        self.seconds = seconds
        self.said = said


class NotAnswered(ServiceError):
    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"nothing that could tell answers at {address}: {reason}")
        self.address = address
        self.reason = reason


class WithoutSnapshots(ServiceError):
    def __init__(self, stream: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no snapshots are kept of {stream}, only of {', '.join(f'{each}-…' for each in known)}")
        self.stream = stream
        self.known = known


class NotAllowed(ServiceError):
    """`action` by the name that the policies know."""

    def __init__(self, subject: str, action: str) -> None:
        super().__init__(f"the roles of {subject} do not allow {action}")
        self.subject = subject
        self.action = action


class NoStore(ServiceError):
    def __init__(self, folder: Path) -> None:
        super().__init__(_unnamed("the event store", "eventstore", folder))
        self.folder = folder


class NoRedis(ServiceError):
    def __init__(self, folder: Path) -> None:
        super().__init__(_unnamed("Redis", "redis", folder))
        self.folder = folder


class RedisUnavailable(ServiceError):
    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"Redis at {address} can't be used: {reason}")
        self.address = address
        self.reason = reason


class NotAudited(ServiceError):
    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"{projection} can't be audited: {reason}")
        self.projection = projection
        self.reason = reason


class NotRebuilt(ServiceError):
    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"{projection}: {reason}")
        self.projection = projection
        self.reason = reason


class NoView(ServiceError):
    def __init__(self, name: str, projections: Sequence[str]) -> None:
        of = f" of {projections[0]}" if len(projections) == 1 else ""
        super().__init__(f"there is no view {name}{of}; `foldstream views` lists those that there are")
        self.name = name
        self.projections = projections


class ViewsUnusable(ServiceError):
    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"{projection}: {reason}")
        self.projection = projection
        self.reason = reason


class BlocksUnreadable(ServiceError):
    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"which streams are blocked in {projection} can't be found out: {reason}")
        self.projection = projection
        self.reason = reason


class StatusUnreadable(ServiceError):
    def __init__(self, projection: str, reason: str) -> None:
        super().__init__(f"how sagas fare can't be read: {projection}: {reason}")
        self.projection = projection
        self.reason = reason


class NoInstance(ServiceError):
    def __init__(self, stream: str) -> None:
        super().__init__(f"there is no {stream}: no message has come for it")
        self.stream = stream


class WordNotTaken(ServiceError):
    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(reason)
        self.stream = stream
        self.reason = reason


class NoGroup(ServiceError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"the event store has no persistent subscription {name}; `foldstream subscriptions list` names them"
        )
        self.name = name


class NotReplayed(ServiceError):
    """`delivered` messages were delivered again before that."""

    def __init__(self, group: str, reason: str, delivered: int = 0) -> None:
        before = f"{delivered:,} were handed over, then " if delivered else ""
        super().__init__(f"what {group} has parked can't be delivered again now: {before}{reason}")
        self.group = group
        self.reason = reason
        self.delivered = delivered


class NotAppended(ServiceError):
    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(f"{stream}: {reason}")
        self.stream = stream
        self.reason = reason


class NoPosition(ServiceError):
    def __init__(self, position: int) -> None:
        super().__init__(f"no record lies at position {position}; `position` of a record that was read is one")
        self.position = position


class LogReplaced(ServiceError):
    def __init__(self, position: int) -> None:
        super().__init__(
            f"the event store has another log than before, or an older copy: it lacks what was read at {position}"
        )
        self.position = position


class WordsNotTaken(ServiceError):
    def __init__(self, verb: str, refused: int, total: int) -> None:
        super().__init__(f"{refused:,} of {total:,} instances refused to {verb}; the output says why")
        self.verb = verb
        self.refused = refused
        self.total = total


class NotBlocked(ServiceError):
    """`blocked_at` is the version that blocks the stream, None where none does; `version` the one that was meant."""

    def __init__(self, projection: str, stream: str, version: int | None = None, blocked_at: int | None = None) -> None:
        said = "is not blocked" if blocked_at is None else f"is blocked at version {blocked_at}, not at {version},"
        super().__init__(f"{stream} {said} in {projection}; `foldstream poison list {projection}` says what is")
        self.projection = projection
        self.stream = stream
        self.version = version
        self.blocked_at = blocked_at


def _unnamed(server: str, option: str, folder: Path) -> str:
    """That nobody said which server is meant, and how that is said."""
    state = f"no service runs in the folder {folder}" if folder.is_dir() else f"there is no folder {folder}"
    which = server.replace("the event store", "event store")
    return (
        f"no {which} is named, and {state}: start `foldstream serve --data {folder}`, say by --data where it"
        f" runs, or name {server} by --{option} URI or FOLDSTREAM_{option.upper()}_URI"
    )


class NoDevelopmentKey(ServiceError):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"there is no development key in the folder {folder}: `foldstream serve --data {folder}` makes one; where"
            " keys are named by FOLDSTREAM_ACCESS_KEYS, tokens come from whoever has the private ones"
        )
        self.folder = folder


class SnapshotsNotTaken(ServiceError):
    def __init__(self, failed: int, total: int) -> None:
        super().__init__(f"{failed:,} of {total:,} snapshots could not be taken; the output says why")
        self.failed = failed
        self.total = total
