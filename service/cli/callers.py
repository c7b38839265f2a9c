"""Who runs a verb."""

from infrastructure.access.caller import Caller
from service.cli.operator_act import Act
from service.settings import Settings


def caller_of_command_line(settings: Settings) -> Caller:
    return Caller(Act(None).actor, frozenset({"operator", "administrator"}))
