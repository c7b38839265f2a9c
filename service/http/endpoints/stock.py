"""Stock: received, written off, read by SKU."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from domain.errors import Unknown
from domain.stock.stock import ReceiveStock, SkuRegistered, WriteOffDamage, stock_id
from projections import stock_levels
from service.access.action import Action
from service.http.endpoints import queries
from service.http.endpoints.answers import Changed, changed, created
from service.http.endpoints.commands import Sending
from service.http.endpoints.documentation import documented
from service.http.endpoints.forms import QuantityForm, SkuPath
from service.http.endpoints.queries import Freshness, Reading
from service.http.middleware.admission import does
from service.http.middleware.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, prefix="/stock", tags=["stock"])
_RECEIVED = {**documented("command"), 201: {**documented("create")[201], "model": Changed}}


class StockAnswer(BaseModel):
    """What is on the shelf of one SKU, and how much of it is held for orders."""

    sku: str
    on_hand: int
    reserved: int
    available: int
    damaged: int
    version: int


@router.post(
    "/{sku}/receipts",
    response_model=Changed,
    responses=_RECEIVED,
    openapi_extra=does(Action.RECEIVE_STOCK),
)
async def receive_stock(sku: SkuPath, form: QuantityForm, sending: Sending) -> JSONResponse:
    """Takes goods in; the first ones create the SKU."""
    sent = await sending.send(ReceiveStock(sku=sku, quantity=form.quantity), f"/stock/{sku}/receipts", form)
    if any(isinstance(event, SkuRegistered) for event in sent.outcome.events):
        return created(f"/stock/{sku}", sku, sent)
    return changed(sku, sent)


@router.post(
    "/{sku}/damages",
    response_model=Changed,
    responses=documented("command", "unknown-sku", "not-enough-stock"),
    openapi_extra=does(Action.WRITE_OFF_STOCK),
)
async def write_off_damage(sku: SkuPath, form: QuantityForm, sending: Sending) -> JSONResponse:
    """Writes off what is damaged, as far as it is available."""
    command = WriteOffDamage(sku=sku, quantity=form.quantity)
    return changed(sku, await sending.send(command, f"/stock/{sku}/damages", form))


@router.get(
    "/{sku}",
    response_model=StockAnswer,
    responses=documented("query", "unknown-sku"),
    openapi_extra=does(Action.READ_STOCK),
)
async def read_stock(sku: SkuPath, freshness: Annotated[Freshness, Query()], reading: Reading) -> JSONResponse:
    """The stock of one SKU."""
    read = await reading.row(stock_levels.projection, stock_id(sku), freshness)
    if read.row is None:
        raise Unknown("sku", sku)
    row = read.row
    answer = StockAnswer(
        sku=sku,
        on_hand=row.on_hand,
        reserved=row.reserved,
        available=row.available,
        damaged=row.damaged,
        version=row.version,
    )
    return queries.answer(answer, read.token, row.version)
