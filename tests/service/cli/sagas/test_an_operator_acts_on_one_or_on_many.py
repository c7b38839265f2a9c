"""`foldstream sagas pause`, `resume`, `retry`, `skip`, `compensate`, `cancel`: on one instance, or by a filter."""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
import typer
from typer.testing import CliRunner, Result

from domain.accounts.account import ChargeAccount, RefundCharge
from domain.message import Command
from domain.ordering.order import ShipOrder
from domain.stock.stock import ReleaseReservation
from infrastructure.sagas.open_instances import OpenInstance
from infrastructure.sagas.operator_words import Compensate
from service.cli.main import app as main
from service.cli.sagas.commands import app
from service.cli.sagas.many import Wanted
from service.errors import NoInstance, WordNotTaken, WordsNotTaken
from tests.infrastructure.sagas.errand import NOW
from tests.infrastructure.sagas.fulfilments import Broken, Fulfilments, Order, fulfilling
from tests.service.cli.snapshots.command import ran
from tests.service.cli.test_nothing_from_elsewhere_reaches_a_terminal_raw import EVIL, verbs
from tests.support.eventstore import EventStoreProcess

WHY: Final = ("--why", "the bank is asked")


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with EventStoreProcess(None) as process:
        yield process.uri


@pytest.fixture
def empty() -> Iterator[str]:
    """A store of a test's own."""
    with EventStoreProcess(None) as process:
        yield process.uri


def told(uri: str, story: Callable[[Fulfilments], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with fulfilling(uri) as shop:
            return await story(shop)

    return asyncio.run(run())


def begun(uri: str, broken: type[Command], funds: str = "20.00", own_id: str | None = None) -> Order:
    """An order whose fulfilment came as far as this command."""
    order: Order = told(uri, lambda shop: shop.begun(broken, funds=funds, own_id=own_id))
    return order


def names(uri: str, stream: str) -> list[str]:
    story: list[str] = told(uri, lambda shop: shop.story(stream))
    return story


def acted(uri: str, verb: str, *arguments: str) -> Result:
    return ran(uri, app, verb, "fulfilment", *arguments, *WHY)


def said(uri: str, verb: str, *arguments: str) -> str:
    result = acted(uri, verb, *arguments)
    assert (result.exception, result.return_value, result.stderr) == (None, 0, "")
    return result.stdout


def test_each_verb_says_what_it_did_to_one_instance(uri: str) -> None:
    order = begun(uri, ChargeAccount)
    stream = order.stream
    assert said(uri, "pause", order.id) == f"{stream} stands still; what comes meanwhile waits\n"
    assert said(uri, "resume", order.id) == f"{stream} goes on\n"
    told(uri, lambda shop: shop.coordinator.stop(order.message, "a bug"))
    stood = f"it stood at version {order.message.version} of order-{order.id}: a bug"
    assert said(uri, "retry", order.id) == f"{stream} goes on; {stood}\n"
    assert said(uri, "cancel", order.id) == f"{stream} is to be cancelled\n"
    assert said(uri, "cancel", order.id) == f"{stream} was cancelled already\n"
    assert said(uri, "compensate", order.id) == f"{stream} is to be undone\n"
    assert said(uri, "compensate", order.id) == f"{stream} is being undone already\n"
    assert said(uri, "migrate", order.id) == f"{stream} runs on version 2 already\n"
    actors = {each.metadata.actor for each in told(uri, lambda shop: shop.recorded(stream))}
    assert {actor.partition(":")[0] for actor in actors} == {"saga", "cli"}


@pytest.mark.parametrize("paused", [False, True])
def test_a_step_is_skipped_by_its_name_or_its_kind(uri: str, paused: bool) -> None:
    order = begun(uri, ReleaseReservation, funds="1.00")
    step = f"release:{order.skus[1]}"
    if paused:
        said(uri, "pause", order.id)
    once = ", once it is resumed" if paused else ""
    assert said(uri, "skip", order.id, "--step", "release") == f"{order.stream} does without {step}{once}\n"


def test_nothing_that_an_operator_says_reaches_a_terminal_raw(uri: str) -> None:
    order = begun(uri, ReleaseReservation, funds="1.00")
    for verb in ("pause", "resume", "cancel", "compensate", "skip"):
        step = ("--step", "release") if verb == "skip" else ()
        told = ran(uri, app, verb, "fulfilment", order.id, *step, "--why", EVIL)
        assert (verb, told.exception, told.stdout.rstrip("\n").isprintable()) == (verb, None, True)


def test_as_json_it_is_one_document(uri: str) -> None:
    order = begun(uri, ReleaseReservation, funds="1.00")
    base = {"type": "fulfilment", "id": order.id, "changed": True}
    skipped = json.loads(said(uri, "skip", order.id, "--step", "release", "--json"))
    assert skipped == {**base, "step": f"release:{order.skus[1]}"}
    assert json.loads(said(uri, "pause", order.id, "--json")) == base
    assert json.loads(said(uri, "compensate", order.id, "--json")) == base
    assert json.loads(said(uri, "compensate", order.id, "--json")) == {**base, "changed": False}


def test_a_state_that_forbids_it_is_one_line_with_the_rule(uri: str) -> None:
    order = begun(uri, ChargeAccount)
    refused = acted(uri, "retry", order.id).exception
    assert isinstance(refused, WordNotTaken)
    assert str(refused) == f"saga-not-retryable: {order.stream} has not stopped"
    assert isinstance(acted(uri, "pause", "0").exception, NoInstance)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "name one instance by its ID, or --all"),
        (("0", "--all", "--yes"), "name one instance by its ID, or --all"),
        (("0", "--status", "paused"), "--status belongs to --all"),
        (("0", "--step", "charge"), "--step belongs to --all"),
        (("0", "--older-than", "2h"), "--older-than belongs to --all"),
        (("0", "--yes"), "--yes belongs to --all"),
        (("--all", "--older-than", "soon"), "'soon' should be a number of seconds, or such as 15m, 2h or 7d"),
        (("--all",), "there is nobody to ask; --yes does it without asking"),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(arguments: tuple[str, ...], fault: str) -> None:
    refused = acted("esdb://127.0.0.1:1?tls=false", "pause", *arguments).exception
    assert isinstance(refused, typer.BadParameter)
    assert refused.message == fault


def test_a_skip_names_its_step() -> None:
    result = CliRunner().invoke(main, ["sagas", "skip", "fulfilment", "0", *WHY])
    assert result.exit_code == 2
    assert "Missing option '--step'" in result.stderr


def test_an_act_by_filter_tells_how_many_were_done_and_goes_on_after_a_refusal(empty: str) -> None:
    charging, shipping = [begun(empty, ChargeAccount) for _ in range(2)], begun(empty, ShipOrder)
    told(empty, lambda shop: shop.begun(ShipOrder))
    ended = told(empty, ended_order)
    assert said(empty, "pause", "--all", "--step", "charge", "--yes") == (
        "pause 2 instances of fulfilment: 2 done, 0 refused.\n"
    )
    assert [names(empty, order.stream)[-1] for order in charging] == ["SagaPaused"] * 2
    result = acted(empty, "pause", "--all", "--yes", "--json")
    assert isinstance(result.exception, WordsNotTaken)
    assert str(result.exception) == "2 of 4 instances refused to pause; the output says why"
    answer = json.loads(result.stdout)
    still = [{"id": order.id, "rule": "saga-not-pausable", "reason": "stands still already"} for order in charging]
    assert answer == {
        "type": "fulfilment",
        "act": "pause",
        "found": 4,
        "done": 2,
        "unchanged": 0,
        "refused": still,
    }
    assert names(empty, shipping.stream)[-1] == "SagaPaused"
    table = acted(empty, "pause", "--all", "--status", "paused", "--yes").stdout.splitlines()
    assert table[0].split() == ["refused", "rule", "reason"]
    assert table[-1] == "pause 4 instances of fulfilment: 0 done, 4 refused."
    assert said(empty, "resume", "--all", "--status", "paused", "--older-than", "1h", "--yes") == (
        "resume 0 instances of fulfilment: 0 done, 0 refused.\n"
    )
    assert said(empty, "resume", "--all", "--yes") == "resume 4 instances of fulfilment: 4 done, 0 refused.\n"
    assert names(empty, ended.stream)[-1] == "FulfilmentCompleted"


async def ended_order(shop: Fulfilments) -> Order:
    order = await shop.order()
    await shop.coordinator.react(order.message)
    return order


def test_the_examples_of_helps_work(uri: str) -> None:
    """Each where its instance is in the state that it is for."""
    order = begun(uri, ReleaseReservation, funds="1.00", own_id=example("retry")[3])
    told(uri, lambda shop: shop.coordinator.stop(order.message, "a bug"))
    for verb in ("retry", "pause", "resume", "compensate", "cancel", "migrate"):
        worked(uri, verb)
    refunded = begun(uri, ShipOrder)

    async def undoing(shop: Fulfilments) -> None:
        await shop.say(refunded, Compensate("sold by mistake"))
        shop.broken = {RefundCharge}
        with pytest.raises(Broken):
            await shop.go_on(refunded)

    told(uri, undoing)
    words = [refunded.id if word == order.id else word for word in example("skip")]
    assert ran(uri, app, *words[1:]).return_value == 0
    assert names(uri, refunded.stream)[-3:] == ["SagaStepSkipped", "PaymentReturned", "SagaResumed"]


def worked(uri: str, verb: str) -> None:
    result = ran(uri, app, *example(verb)[1:])
    assert (verb, result.exception, result.return_value) == (verb, None, 0)


def example(verb: str) -> list[str]:
    """The words of the example in its help, without the name of the program."""
    [line] = [line for line in str(verbs()[f"sagas {verb}"].epilog).splitlines() if line.startswith("  foldstream ")]
    return shlex.split(line)[1:]


def test_a_filter_matches_state_step_and_time_together() -> None:
    instance = OpenInstance("fulfilment-0", "failed", ("release:lamp",), NOW - timedelta(hours=2))
    hour = timedelta(hours=1)
    matching = [Wanted(), Wanted("failed"), Wanted(step="release"), Wanted("failed", "release:lamp", 2 * hour)]
    others = [Wanted("running"), Wanted(step="release:desk"), Wanted(step="rel"), Wanted(older_than=3 * hour)]
    assert [wanted.matches(instance, NOW) for wanted in (*matching, *others)] == [True] * 4 + [False] * 4
