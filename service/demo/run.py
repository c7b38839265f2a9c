"""The shop's day, from an empty folder to the last check."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path
from typing import Final

import httpx
from redis.asyncio import Redis

from domain.booking.saga import saga as booking
from domain.fulfilment.saga import saga as fulfilment
from domain.stream_name import stream_name
from infrastructure.eventstore.client import command_client
from infrastructure.readmodels.queries import ReadModels
from infrastructure.readmodels.servers import OneServer
from service.demo import audit, dataset, tables, travel
from service.demo.dataset import PlannedOrder
from service.demo.log import DemoLog
from service.demo.report import Report
from service.demo.server import Server
from service.demo.shop import Shop
from service.http import tokens
from service.settings import variable_of

MORNING: Final = 220  # orders placed while nothing goes wrong
SETTINGS: Final = {variable_of("flight_confirmation_seconds"): str(travel.CONFIRMATION_SECONDS)}


def run_demo(*, as_json: bool) -> int:
    """Runs everything in a fresh temporary folder; 0 if every check holds, else 3."""
    with tempfile.TemporaryDirectory(prefix="foldstream-demo-") as folder:
        report = Report(as_json)
        report.heading("Foldstream: a shop's day")
        with Server(Path(folder), SETTINGS) as server:
            report.say(f"Running at {server.url}: {', '.join(server.processes)}")
            report.say("Signed in as demo, by a token that the development key of its folder has signed")
            asyncio.run(_day(server, report))
        return report.conclude()


async def _day(server: Server, report: Report) -> None:
    data = dataset.load()
    signed_in = {"Authorization": f"Bearer {server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=signed_in, timeout=30, trust_env=False) as http:
        shop = Shop(http, data)
        report.heading("Opening: stock comes in, customers fund their accounts")
        await shop.open()
        report.say(f"{len(data.catalogue)} SKUs received, {len(data.customers)} accounts opened and funded")
        await _morning(server, report, shop)
        await _noon(server, report, shop)
        await _afternoon(server, report, shop)
        await _evening(server, report, shop)


async def _morning(server: Server, report: Report, shop: Shop) -> None:
    planned = shop.dataset.orders[:MORNING]
    report.heading(f"Morning: {len(planned)} orders are placed, the sagas fulfil or compensate them")
    await shop.place(planned)
    audit.outcomes(report, planned, await shop.settled(planned))
    report.heading("Read model: orders by customer, with balances")
    await tables.customers(report, shop)
    report.heading("Read model: stock levels")
    await tables.stock(report, shop)
    report.heading("Read model: account statement, newest lines")
    await tables.statement(report, shop, "cafe-harbour", 6)
    with DemoLog(server.eventstore_uri) as log:
        shipped, undone = _example(planned, "shipped"), _example(planned, "insufficient-funds")
        report.heading(f"History of order {shipped.order_id}: what happened, who did it, and why")
        tables.history(report, log, shipped)
        report.heading(f"The saga of order {undone.order_id}, which could not be paid, step by step")
        tables.saga(report, log, stream_name(fulfilment.category, undone.order_id))


def _example(planned: tuple[PlannedOrder, ...], outcome: str) -> PlannedOrder:
    return max((order for order in planned if order.outcome == outcome), key=lambda order: len(order.items))


async def _afternoon(server: Server, report: Report, shop: Shop) -> None:
    planned = shop.dataset.orders[MORNING:]
    report.heading(f"Afternoon: {len(planned)} more orders; a projection worker is killed in the middle")
    half_done = shop.milestone(len(planned))  # each order takes two commands
    placing = asyncio.create_task(shop.place(planned))
    async with asyncio.timeout(30):
        await half_done.wait()
    name = next(name for name in server.processes if name.startswith("projections"))
    killed = server.processes[name]
    os.kill(killed, signal.SIGKILL)
    report.say(f"killed the {name} process {killed} with SIGKILL while orders came in")
    await placing
    orders = await shop.settled(planned)
    report.check("the worker was started again by itself", server.processes[name] != killed)
    audit.outcomes(report, planned, orders)


async def _noon(server: Server, report: Report, shop: Shop) -> None:
    report.heading("Noon: trips are requested; they are booked, or all that was reserved is given back")
    await travel.trips(report, shop)
    with DemoLog(server.eventstore_uri) as log:
        full = travel.FULL_HOTEL.trip_id
        report.heading(f"The saga of trip {full}, whose hotel was full, step by step")
        tables.saga(report, log, stream_name(booking.category, full))


async def _evening(server: Server, report: Report, shop: Shop) -> None:
    planned = shop.dataset.orders
    orders = await shop.settled(planned)
    report.heading("Read models: the sales dashboard")
    await tables.dashboard(report, shop)
    report.heading("Evening: is everything right?")
    audit.outcomes(report, planned, orders)
    await audit.stock(report, shop, orders)
    await audit.money(report, shop, orders)
    await audit.dashboard(report, shop, orders)
    await audit.repeats(report, shop, _example(planned, "shipped"))
    client, redis = await command_client(server.eventstore_uri), OneServer(Redis.from_url(server.redis_uri))
    try:
        with DemoLog(server.eventstore_uri) as log:
            await audit.read_models(report, log, ReadModels(redis, client, server.namespace), tokens.read(shop.seen))
    finally:
        await redis.aclose()
        await client.close()
