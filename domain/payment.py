"""What a payment provider is asked for, and what it answers."""

from typing import TypeAlias

from domain.money import Money
from domain.value import value


@value
class TakePayment:
    """Take so much for what is paid under this reference."""

    reference: str
    amount: Money


@value
class PaymentAccepted:
    """It was taken; `payment_id` is the provider's."""

    payment_id: str


@value
class PaymentDeclined:
    """Nothing was taken, for this reason."""

    reason: str


PaymentAnswer: TypeAlias = PaymentAccepted | PaymentDeclined
