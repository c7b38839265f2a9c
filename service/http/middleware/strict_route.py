"""The route of every endpoint: asks who may, reads the body strictly, and refuses repeated query parameters."""

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from service.http.middleware import strict_json
from service.http.middleware.access_records import admit_on_record
from service.http.middleware.admission import declared
from service.http.middleware.callers import caller_of
from service.http.middleware.rate_limits import require_rate
from service.http.problems import Fault, malformed

_COMMANDS: Final = frozenset({"POST", "PUT", "DELETE"})


class StrictRequest(Request):
    """A request whose body is bounded and, where there is one, strict JSON."""

    async def body(self) -> bytes:
        try:
            seconds = self.app.state.settings.body_seconds
            body = await strict_json.read(self.stream(), self.headers.get("content-length"), seconds=seconds)
        except ClientDisconnect as error:
            raise malformed([Fault(pointer="", reason="ended before its end")]) from error
        if body:
            strict_json.require_known_encoding(self.headers.getlist("content-encoding"))
            strict_json.require_known_encoding(self.headers.getlist("transfer-encoding"), known="chunked")
            strict_json.require_json(self.headers.get("content-type"))
        self._body = body
        return body

    async def json(self) -> Any:
        return strict_json.parse(self._body)


class StrictRoute(APIRoute):
    """An endpoint that gets a StrictRequest, of somebody who may do what it declares. TypeError where it does not."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, action = super().get_route_handler(), declared(self.path, self.openapi_extra)

        async def handle_strictly(request: Request) -> Response:
            if action is None:
                require_rate(request)
            else:
                await admit_on_record(request, action)
            _shed_load(request)
            _refuse_repeated(request)
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


def _shed_load(request: Request) -> None:
    """Refuses a command unread while too many of the caller's tenant are at work: reading it would cost more."""
    gate, tenant = request.app.state.commands, caller_of(request).tenant
    if request.method in _COMMANDS and gate.is_full_for(tenant):
        raise gate.refusal(tenant)


def _refuse_repeated(request: Request) -> None:
    names = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [
        Fault(pointer=f"?{name}", reason="is said more than once") for name, times in names.items() if times > 1
    ]
    if repeated:
        raise malformed(repeated)
