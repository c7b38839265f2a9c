"""A pending step of a saga that is asked of the outside: a payment provider, a mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Unknown: TypeAlias = Literal["ask again", "look up", "stand"]


@dataclass(frozen=True, slots=True)
class Call:
    """The `request`, a value, is performed by what is registered for its type, under the id of the step's command.

    Who is called may see it more than once, so it has to tell by that id, its idempotency key, what it has done.
    `unknown` says what to do where it may have been done and no answer came, within `seconds` or at all: ask again
    under the same id; look it up by the id first; or have the instance stand still, for somebody to look.
    """

    step: str
    request: Any
    unknown: Unknown
    seconds: float = 10.0

    @property
    def is_noted(self) -> bool:
        """Whether it must be known, also after a crash, that it was sent."""
        return self.unknown != "ask again"


def hears_no_calls(call: Call, answer: Any, state: Any) -> Sequence[Any]:
    """For a saga that has none."""
    raise TypeError(f"{call.step} is a call to the outside, and its saga declares no on_answer")
