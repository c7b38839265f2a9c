"""The lists of all accounts, by opening, and of all SKUs, by name or by what is available."""

import pytest

from domain.accounts.account import ChargeRefunded, MoneyWithdrawn, NothingToCharge
from domain.message import Event
from domain.stock.stock import ReservationDeclined, StockDamaged, stock_id
from projections import all_accounts, all_stock
from projections.all_accounts import AccountFilters, ListedAccount
from projections.all_stock import ListedStock, StockFilters
from projections.row_lists import sortable
from tests.domain.accounts.accounts import CHARGED, DEPOSITED, WITH_CREDIT
from tests.domain.stock.stocks import CONSUMED, RECEIVED, REGISTERED, RELEASED, RESERVED
from tests.domain.values import ACCOUNT, ORDER, money
from tests.support.projection_spec import SpecOf

OPENING = f"00000000000003e8{ACCOUNT}"
DECLINED = ReservationDeclined(sku="lamp", order_id=ORDER, quantity=11, available=10)


def account(digits: str) -> ListedAccount:
    return ListedAccount(
        id=ACCOUNT,
        owner_id="ada",
        currency="EUR",
        balance=money(digits),
        credit_limit=money("50.00"),
        opened_position=1000,
    )


LISTED = {"all": {OPENING: 0}, "owner:ada": {OPENING: 0}}


def test_an_account_is_listed_with_its_balance_where_it_was_opened(spec: SpecOf) -> None:
    opened = spec(all_accounts.projection).given(WITH_CREDIT)
    opened.then(account("0.00"), entries=LISTED)
    withdrawn = MoneyWithdrawn(account_id=ACCOUNT, amount=money("130.00"))
    opened.given(DEPOSITED, withdrawn).then(account("-30.00"), entries=LISTED)
    charged = opened.given(DEPOSITED, CHARGED)
    charged.then(account("40.00"), entries=LISTED)
    refund = ChargeRefunded(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
    charged.given(refund).then(account("100.00"), entries=LISTED)


def test_it_is_found_among_all_and_by_its_owner() -> None:
    [accounts] = all_accounts.projection.lists
    assert accounts.row_in(OPENING) == ACCOUNT
    assert all_accounts.listed(AccountFilters()).index == "all"
    assert all_accounts.listed(AccountFilters(owner_id="ada")).index == "owner:ada"


def test_an_account_that_was_never_opened_is_not_listed(spec: SpecOf) -> None:
    spec(all_accounts.projection).given(NothingToCharge(account_id=ACCOUNT, order_id=ORDER), DEPOSITED).then(None)


def stock(on_hand: int, reserved: int = 0, damaged: int = 0) -> ListedStock:
    return ListedStock(sku="lamp", on_hand=on_hand, reserved=reserved, available=on_hand - reserved, damaged=damaged)


@pytest.mark.parametrize(
    ("events", "row"),
    [
        ((), stock(0)),
        ((RECEIVED,), stock(10)),
        ((RECEIVED, StockDamaged(sku="lamp", quantity=3)), stock(7, damaged=3)),
        ((RECEIVED, RESERVED), stock(10, reserved=4)),
        ((RECEIVED, RESERVED, DECLINED), stock(10, reserved=4)),
        ((RECEIVED, RESERVED, RELEASED), stock(10)),
        ((RECEIVED, RESERVED, CONSUMED), stock(6)),
    ],
)
def test_a_sku_is_listed_by_its_name_and_by_what_is_available(
    spec: SpecOf, events: tuple[Event, ...], row: ListedStock
) -> None:
    listed = {"sku": {f"{sortable(0)}lamp": 0}, "available": {f"{sortable(row.available)}lamp": 0}}
    spec(all_stock.projection).given(REGISTERED, *events).then(row, entries=listed)


def test_a_member_leads_to_its_sku() -> None:
    [listed] = all_stock.projection.lists
    assert [listed.row_in(entry.member) for entry in all_stock.entries(stock(7))] == [stock_id("lamp")] * 2


@pytest.mark.parametrize(("available", "below", "shown"), [(0, 0, False), (0, 1, True), (9, 10, True), (10, 9, False)])
def test_only_what_is_below_the_bound_is_listed(available: int, below: int, shown: bool) -> None:
    part = all_stock.listed(StockFilters(below=below))
    assert any(part.has(entry.index, entry.member) for entry in all_stock.entries(stock(available))) == shown
