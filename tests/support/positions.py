"""What tests need of a position token: its number, and tokens made by hand."""

from infrastructure.readmodels.position_token import PositionToken
from service.http import tokens


def number_of(token: str) -> int:
    """The position in the log that a token which the API gave out names."""
    return tokens.read(token).position


def at(position: int) -> PositionToken:
    """The token of bare digits, as releases before gave them out."""
    return PositionToken(position)
