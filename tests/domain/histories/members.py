"""Random values for the members of commands, made from nothing but their declared types and bounds."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from domain.money import DECIMALS, Currency, Money
from tests.domain.values import numbered

Values: TypeAlias = st.SearchStrategy[Any]
CENT: Final = Decimal("0.01")
LARGE: Final = 1_000_000
WORDS: Final = ("a", "B.2", "c_3:x-y", "TP571", "9W4", *map(numbered, range(1, 6)))  # drawn faster than from a pattern


@dataclass(frozen=True)
class Members:
    """What the commands of one history are made of.

    Names, ids, days and choices come from a few that the history settles on, so that its commands meet each other;
    there is one alone for a member of `settled`.
    """

    draw: st.DrawFn
    settled: frozenset[str]
    few: dict[str, list[Any]] = field(default_factory=dict)

    def model(self, model: type[BaseModel]) -> Values:
        """Instances of this class; what its validators refuse is not sent."""
        members = {name: self.value(name, info.annotation, info.metadata) for name, info in model.model_fields.items()}
        return st.fixed_dictionaries(members).map(lambda chosen: accepted(model, chosen)).filter(bool)

    def value(self, name: str, annotation: Any, bounds: Sequence[Any] = ()) -> Values:
        """Values of one member. Raises TypeError for a type that is not known here yet."""
        origin, parts = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.value(name, parts[0], [*bounds, *spread(parts[1:])])
        if origin in {Union, UnionType}:
            return st.one_of([self.value(name, part, bounds) for part in parts])
        if origin is Literal:
            return self._among_few(name, st.sampled_from(parts))
        if origin is tuple and parts[1:] == (...,):
            least, most = limit(bounds, "min_length") or 0, limit(bounds, "max_length") or 3
            return st.lists(self.value(name, parts[0]), min_size=least, max_size=min(most, least + 3)).map(tuple)
        return self._plain(name, annotation, bounds)

    def _plain(self, name: str, kind: Any, bounds: Sequence[Any]) -> Values:
        if kind is str or kind is date:
            return self._among_few(name, texts(bounds) if kind is str else st.dates())
        if kind is Money:
            return self._money()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind)
        if kind in SIMPLE:
            return SIMPLE[kind](bounds)
        raise TypeError(f"no random values are known for {name}: {kind}")

    def _money(self) -> Values:
        """Its members must fit each other; the currency is one of the few, as everybody's."""
        currencies = self.value("currency", Currency)
        return currencies.flatmap(
            lambda currency: st.builds(Money, amount=amounts(DECIMALS[currency]), currency=st.just(currency))
        )

    def _among_few(self, name: str, values: Values) -> Values:
        if name not in self.few:
            most = 1 if name in self.settled else 3
            self.few[name] = self.draw(st.lists(values, min_size=1, max_size=most, unique=True))
        return st.sampled_from(self.few[name])


def accepted(model: type[BaseModel], members: dict[str, Any]) -> BaseModel | None:
    try:
        return model(**members)
    except ValidationError:
        return None


def spread(extras: Sequence[Any]) -> list[Any]:
    """The bounds in an annotation, also those that pydantic has put into one field's description."""
    return [bound for extra in extras for bound in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]


def limit(bounds: Sequence[Any], *names: str) -> Any:
    """The first bound of one of these names, None where there is none."""
    return next((getattr(b, name) for b in bounds for name in names if getattr(b, name, None) is not None), None)


def texts(bounds: Sequence[Any]) -> Values:
    pattern = limit(bounds, "pattern")
    if pattern is not None:
        fitting = [word for word in WORDS if re.search(pattern, word)]
        return st.sampled_from(fitting) if fitting else st.from_regex(pattern, fullmatch=True)
    return st.text(min_size=limit(bounds, "min_length") or 0, max_size=min(limit(bounds, "max_length") or 20, 20))


def integers(bounds: Sequence[Any]) -> Values:
    """Mostly small ones, which add up to something; sometimes any."""
    least, most = limit(bounds, "ge"), limit(bounds, "le")
    small = st.integers(least or 0, min(most or LARGE, (least or 0) + 4))
    return st.one_of(small, small, small, st.integers(least, most))


def decimals(bounds: Sequence[Any]) -> Values:
    """Mostly with the decimals of most currencies."""
    least, more = limit(bounds, "ge"), limit(bounds, "gt")
    below, most = limit(bounds, "lt"), limit(bounds, "le")
    low = more + CENT if more is not None else least
    high = below - CENT if below is not None else most
    return st.one_of(amounts(2, low), amounts(2, low), amounts(0, low), st.decimals(low, high, places=2))


def amounts(places: int, low: Decimal | None = None) -> st.SearchStrategy[Decimal]:
    return st.decimals(low or 0, 100, places=places)


SIMPLE: Final[dict[Any, Callable[[Sequence[Any]], Values]]] = {
    int: integers,
    Decimal: decimals,
    bool: lambda _: st.booleans(),
    NoneType: lambda _: st.none(),
}
