"""Histories of one account, to begin from."""

from typing import Final

from domain.accounts.account import AccountCharged, AccountOpened, MoneyDeposited
from domain.value import changed
from tests.domain.values import ACCOUNT, ORDER, money

OPENED: Final = AccountOpened(account_id=ACCOUNT, owner_id="ada", currency="EUR", credit_limit=money("0.00"))
WITH_CREDIT: Final = changed(OPENED, credit_limit=money("50.00"))
DEPOSITED: Final = MoneyDeposited(account_id=ACCOUNT, amount=money("100.00"))
CHARGED: Final = AccountCharged(account_id=ACCOUNT, order_id=ORDER, amount=money("60.00"))
