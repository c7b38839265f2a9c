"""Decimal digits as paths and queries carry them: of exactly one form, without sign or leading zeros."""

import re
from typing import Final

DIGITS: Final = "(?:0|[1-9][0-9]{0,19})"


def number_in(text: object, largest: int) -> int | None:
    """The number that the text is, None where it is none or a larger one."""
    if not isinstance(text, str) or not re.fullmatch(DIGITS, text):
        return None
    number = int(text)
    return number if number <= largest else None
