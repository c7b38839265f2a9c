"""Every process is killed in turn under load, all are stopped, all are killed: nothing is lost or done twice."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.service.aftermath import (
    Aftermath,
    assert_answered_commands_are_in_the_log_once,
    assert_orders_ended_once_as_answered,
    assert_read_models_add_up,
    assert_shipped_orders_took_all_once_and_others_nothing,
)
from tests.service.client import Client
from tests.service.load import Load
from tests.support.service import FoldstreamProcess

IN_TURN = ("projections", "sagas", "api", "redis", "eventstore")


class Killed(NamedTuple):
    """What is left, which processes were started again, and how a stop in the middle went."""

    aftermath: Aftermath
    restarted: dict[str, bool]
    stopped: tuple[int, list[str]]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    with FoldstreamProcess(tmp_path_factory.mktemp("killed")) as service:
        with Load(service.url) as load:
            load.goes_on(40)
            restarted = {name: _kill_and_go_on(service, load, name) for name in IN_TURN}
            stopped = service.stop(), [line for line in service.process.errors if "process_killed" in line]
            service.start()
            load.goes_on(30)
            service.kill_all()
            service.start()
            load.goes_on(30)
        with Client(service.url) as client:
            aftermath = Aftermath.of(client, load.customers, service.uri_of("eventstore"))
            yield Killed(aftermath, restarted, stopped)


def _kill_and_go_on(service: FoldstreamProcess, load: Load, name: str) -> bool:
    """Whether the process was started again and the customers went on being served."""
    killed = service.kill(name)
    started = service.await_restart(name, killed)
    load.goes_on(30)
    return started != killed


def test_every_process_was_started_again(killed: Killed) -> None:
    assert killed.restarted == dict.fromkeys(IN_TURN, True)


def test_a_stop_in_the_middle_of_all_that_was_in_order(killed: Killed) -> None:
    assert killed.stopped == (0, [])


def test_every_answered_command_is_in_the_log_once(killed: Killed) -> None:
    assert_answered_commands_are_in_the_log_once(killed.aftermath)


def test_a_repeat_is_answered_as_before(killed: Killed) -> None:
    client = killed.aftermath.client
    answers = [answer for customer in killed.aftermath.customers for answer in customer.answers[::7]]
    again = [client.done(answer.path, answer.body, answer.key) for answer in answers]
    assert again == [answer.said for answer in answers]


def test_every_order_ended_once_and_as_it_was_answered(killed: Killed) -> None:
    assert_orders_ended_once_as_answered(killed.aftermath)


def test_every_shipped_order_was_reserved_charged_and_consumed_once_and_no_other_kept_anything(killed: Killed) -> None:
    assert_shipped_orders_took_all_once_and_others_nothing(killed.aftermath)


def test_stock_and_money_add_up_in_the_read_models(killed: Killed) -> None:
    assert_read_models_add_up(killed.aftermath)
