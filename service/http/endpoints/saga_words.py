"""Words to instances of sagas: what operators do with them, and the signals that they wait for."""

from typing import Annotated, Any, Final, TypeAlias

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from domain.saga import Saga
from domain.stream_name import stream_name
from domain.terms import Reason
from infrastructure.commands.request import Outcome, Request
from infrastructure.sagas.operator_desk import OperatorDesk
from infrastructure.sagas.operator_words import (
    RULES,
    Cancel,
    Compensate,
    Migrate,
    OperatorWord,
    Pause,
    Resume,
    Retry,
    Skip,
)
from infrastructure.sagas.signal_box import SignalBox
from service.access.action import Action
from service.consumers import route
from service.history.sources import CODEC
from service.http.connections import Connections
from service.http.endpoints.answers import Changed, changed
from service.http.endpoints.commands import Sender, Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import Body, Name, Uuid
from service.http.middleware.admission import does
from service.http.middleware.callers import caller_of
from service.http.middleware.strict_route import StrictRoute
from service.http.problems import Fault, Problem, malformed

router = APIRouter(route_class=StrictRoute, prefix="/sagas/{saga_type}/{instance_id}", tags=["sagas"])
TypePath: TypeAlias = Annotated[Name, Path(description="The saga, such as fulfilment.")]
InstancePath: TypeAlias = Annotated[Uuid, Path(description="The instance; of fulfilment, the order's id.")]


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("should not be all of it blank")
    return text


Why: TypeAlias = Annotated[Reason, AfterValidator(_said), Field(json_schema_extra={"pattern": r"\S"})]


class WordForm(Body):
    """Why; it is kept with what was done."""

    why: Why


class SkipForm(Body):
    """Which step is skipped, as it is pending or by its kind, and why."""

    why: Why
    step: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class MigrateForm(Body):
    """With which version the instance goes on, the newest where none is named, and why."""

    why: Why
    version: Annotated[int, Field(ge=1)] | None = None


class SignalForm(BaseModel):
    """What comes with a signal: any object."""

    model_config = ConfigDict(extra="allow", frozen=True)


NO_PAYLOAD: Final = SignalForm()


def _responses(word: type[OperatorWord]) -> dict[int | str, dict[str, Any]]:
    return documented("command", "unknown-saga", RULES[word])


@router.post(
    "/retry",
    response_model=Changed,
    responses=_responses(Retry),
    openapi_extra=does(Action.RETRY_SAGA),
)
async def retry_saga(saga_type: TypePath, instance_id: InstancePath, form: WordForm, sending: Sending) -> JSONResponse:
    """Has an instance that stopped go on, with what failed and what waits."""
    return await _say(sending, (saga_type, instance_id), Retry(form.why), form)


@router.post(
    "/skip",
    response_model=Changed,
    responses=_responses(Skip),
    openapi_extra=does(Action.SKIP_SAGA),
)
async def skip_step_of_saga(
    saga_type: TypePath, instance_id: InstancePath, form: SkipForm, sending: Sending
) -> JSONResponse:
    """Has an instance do without a step that was done by hand; only what its saga offers can be skipped."""
    return await _say(sending, (saga_type, instance_id), Skip(form.why, form.step), form)


@router.post(
    "/compensate",
    response_model=Changed,
    responses=_responses(Compensate),
    openapi_extra=does(Action.COMPENSATE_SAGA),
)
async def compensate_saga(
    saga_type: TypePath, instance_id: InstancePath, form: WordForm, sending: Sending
) -> JSONResponse:
    """Has an instance undone, once what it asked is answered; one that stands still goes on for it."""
    return await _say(sending, (saga_type, instance_id), Compensate(form.why), form)


@router.post(
    "/cancel",
    response_model=Changed,
    responses=_responses(Cancel),
    openapi_extra=does(Action.CANCEL_SAGA),
)
async def cancel_saga(saga_type: TypePath, instance_id: InstancePath, form: WordForm, sending: Sending) -> JSONResponse:
    """Cancels what an instance is for, as the customer would."""
    return await _say(sending, (saga_type, instance_id), Cancel(form.why), form)


@router.post(
    "/pause",
    response_model=Changed,
    responses=_responses(Pause),
    openapi_extra=does(Action.PAUSE_SAGA),
)
async def pause_saga(saga_type: TypePath, instance_id: InstancePath, form: WordForm, sending: Sending) -> JSONResponse:
    """Has an instance stand still; what comes meanwhile waits, in order."""
    return await _say(sending, (saga_type, instance_id), Pause(form.why), form)


@router.post(
    "/resume",
    response_model=Changed,
    responses=_responses(Resume),
    openapi_extra=does(Action.RESUME_SAGA),
)
async def resume_saga(saga_type: TypePath, instance_id: InstancePath, form: WordForm, sending: Sending) -> JSONResponse:
    """Ends a pause."""
    return await _say(sending, (saga_type, instance_id), Resume(form.why), form)


@router.post(
    "/migrate",
    response_model=Changed,
    responses=_responses(Migrate),
    openapi_extra=does(Action.MIGRATE_SAGA),
)
async def migrate_saga(
    saga_type: TypePath, instance_id: InstancePath, form: MigrateForm, sending: Sending
) -> JSONResponse:
    """Has an instance go on with another version of its saga."""
    versions = _saga(sending, saga_type).versions
    if form.version is not None and form.version not in versions:
        known = ", ".join(str(version) for version in versions)
        raise malformed([Fault(pointer="/version", reason=f"should be a version of {saga_type}: {known}")])
    return await _say(sending, (saga_type, instance_id), Migrate(form.why, form.version), form)


@router.post(
    "/signals/{name}",
    response_model=Changed,
    responses=documented("command", "unknown-saga", "unknown-signal"),
    openapi_extra=does(Action.SIGNAL_SAGA),
)
async def signal_saga(
    saga_type: TypePath,
    instance_id: InstancePath,
    name: Annotated[Name, Path()],
    sending: Sending,
    form: SignalForm = NO_PAYLOAD,
) -> JSONResponse:
    """Sends an instance a signal; it counts once the instance waits for it."""
    saga = _saga(sending, saga_type)
    stream = stream_name(saga_type, instance_id, caller_of(sending.request).tenant)

    async def send(request: Request) -> Outcome:
        box = SignalBox(saga, _connections(sending).handler.streams, CODEC)
        return await box.send(stream, name, form.model_dump(mode="json"), request)

    path = f"/sagas/{saga_type}/{instance_id}/signals/{name}"
    return changed(instance_id, await sending.say("SignalSaga", stream, send, path, form))


async def _say(sending: Sender, named: tuple[str, str], word: OperatorWord, form: Body) -> JSONResponse:
    """Says a word to the instance of that type and id. Raises Problem."""
    saga_type, instance_id = named
    saga, verb = _saga(sending, saga_type), type(word).__name__
    stream = stream_name(saga_type, instance_id, caller_of(sending.request).tenant)

    async def say(request: Request) -> Outcome:
        desk = OperatorDesk(saga, route, _connections(sending).handler, CODEC)
        outcome, _ = await desk.say(stream, word, request)
        return outcome

    path = f"/sagas/{saga_type}/{instance_id}/{verb.lower()}"
    return changed(instance_id, await sending.say(f"{verb}Saga", stream, say, path, form))


def _saga(sending: Sender, saga_type: str) -> Saga[Any, Any]:
    """Raises Problem."""
    known = _connections(sending).sagas
    if saga_type not in known:
        raise Problem("unknown-saga", f"There is no saga {saga_type}; there is {', '.join(known)}.")
    return known[saga_type]


def _connections(sending: Sender) -> Connections:
    connections: Connections = sending.request.app.state.connections
    return connections
