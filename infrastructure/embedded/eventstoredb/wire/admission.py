"""Admits the calls of users, and refuses others as EventStoreDB does."""

from typing import Any

from grpclib.const import Status

from infrastructure.embedded.eventstoredb.access.logins import Logins, WrongCredentials
from infrastructure.embedded.eventstoredb.wire.calls import Admission, Call, Failure, Work


def admission(logins: Logins) -> Admission:
    """The check before every call on a server with users; each user may do everything."""

    def guarded(work: Work, denied: Work | None) -> Work:
        async def judge(call: Call[Any]) -> None:
            try:
                is_known = await logins.admit(call.authorization)
            except WrongCredentials as error:
                raise Failure(Status.UNAUTHENTICATED, "Unauthenticated") from error
            await (work if is_known else denied or _deny)(call)

        return judge

    return guarded


async def _deny(_: Call[Any]) -> None:
    raise Failure(Status.PERMISSION_DENIED, "Access Denied", {"exception": "access-denied"})
