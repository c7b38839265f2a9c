"""Given these events, when this command, then those events: the form of the domain's tests."""

from dataclasses import dataclass
from typing import Generic

import pytest

from domain.decider import CommandT, Decider, EventT, StateT
from domain.errors import Rejected, Unknown


@dataclass(frozen=True, slots=True)
class When(Generic[CommandT, StateT, EventT]):
    """A command on a history."""

    decider: Decider[CommandT, StateT, EventT]
    past: tuple[EventT, ...]
    command: CommandT

    def then(self, *events: EventT, repeatable: bool = False, refused_again: str | None = None) -> None:
        """Exactly these events happen, and nothing when the command comes again.

        `repeatable` exempts commands that mean something new each time (deposit again, receive again) and declines,
        which no state remembers: there it is the command's id that keeps a repeat from taking effect.
        `refused_again` names the rule that a second time breaks.
        """
        assert self._decided_after(*self.past) == list(events)
        if refused_again is not None:
            When(self.decider, (*self.past, *events), self.command).refuses(refused_again)
        elif not repeatable:
            assert self._decided_after(*self.past, *events) == []

    def refuses(self, rule: str) -> None:
        """The command is refused, and the refusal names this rule."""
        with pytest.raises((Rejected, Unknown)) as refusal:
            self._decided_after(*self.past)
        assert refusal.value.rule == rule

    def _decided_after(self, *past: EventT) -> list[EventT]:
        return self.decider.decide(self.command, self.decider.fold(past))


@dataclass(frozen=True, slots=True)
class Given(Generic[CommandT, StateT, EventT]):
    """A history, the stream's oldest event first."""

    decider: Decider[CommandT, StateT, EventT]
    past: tuple[EventT, ...]

    def when(self, command: CommandT) -> When[CommandT, StateT, EventT]:
        return When(self.decider, self.past, command)


def given(decider: Decider[CommandT, StateT, EventT], *past: EventT) -> Given[CommandT, StateT, EventT]:
    """A history; empty without events."""
    return Given(decider, past)
