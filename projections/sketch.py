"""Quantiles of very many values from a few hundred counts, exact to 1 %, which can be added and taken off again.

After C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch", PVLDB 12(12), 2019. Its
buckets are kept apart by integers instead of logarithms: a value that is taken off meets the bucket that it was put
into on any machine.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Final

ACCURACY: Final = Decimal("0.01")
"""How far a quantile may be from the exact one, of that."""
LARGEST: Final = 2**53
_RECKONED: Final = Context(prec=60)
_GROWTH: Final = _RECKONED.divide(1 + ACCURACY, 1 - ACCURACY)


def _bounds() -> Iterator[int]:
    """The largest integer of each bucket: the whole part of each power of the growth."""
    power = Decimal(1)
    while power < LARGEST:
        yield int(power)
        power = _RECKONED.multiply(power, _GROWTH)
    yield LARGEST


_BOUNDS: Final = tuple(_bounds())


def bucket_of(value: int) -> str:
    """The name of the bucket of a value from 0 to 2^53, in whatever unit; a negative one counts as 0.

    Raises ValueError for a larger one, and for what is no integer.
    """
    if type(value) is not int or value > LARGEST:
        raise ValueError(f"{value!r} can't be observed: it is no integer up to {LARGEST}")
    return "0" if value <= 0 else str(bisect_left(_BOUNDS, value) + 1)


def quantile(buckets: Mapping[str, int], q: float) -> float:
    """The value below which the part `q`, from 0 to 1, of all observed ones is. Raises ValueError where there are none.

    The exact one is that with the rank floor(q * (n - 1)), from 0, in the order of the n values.
    """
    counts = sorted((int(name), count) for name, count in buckets.items() if count > 0)
    rank, passed = int(q * (sum(count for _, count in counts) - 1)), 0
    for number, count in counts:
        passed += count
        if passed > rank:
            return _middle(number)
    raise ValueError("nothing was observed")


def _middle(number: int) -> float:
    """The value that is as far from the least of a bucket as from its largest, in proportion."""
    return 0.0 if number == 0 else 2 * float(_RECKONED.power(_GROWTH, number - 1)) / float(_GROWTH + 1)
