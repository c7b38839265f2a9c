"""Lets a call through, or answers it as EventStoreDB answers callers whom it does not know."""

from typing import Any

from grpclib.const import Status

from infrastructure.embedded.eventstoredb.access.logins import Logins, WrongCredentials
from infrastructure.embedded.eventstoredb.wire.calls import Admission, Call, Failure, Work


def admission(logins: Logins) -> Admission:
    """What every call of a server with users goes through; who is one of them may do all."""

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
