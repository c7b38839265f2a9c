"""Builds with other versions of the errand: the second puts everything back in the end, the third names steps anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from domain.saga import Ask, Saga
from tests.infrastructure.sagas.errand import Build, Errand, ErrandEvent, pending


def bringing_back(errand: Errand) -> Errand:
    """An errand that puts everything back in the end."""
    return replace(errand, brings_back=True)


def pending_in_second(errand: Errand) -> list[Ask]:
    return pending(bringing_back(errand))


def pending_in_third(errand: Errand) -> list[Ask]:
    return [replace(ask, step=f"now:{ask.step}") for ask in pending(errand)]


def first_and_second(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    return replace(saga, version=2, pending=pending_in_second, former=(saga,))


def second_alone(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    return replace(saga, version=2, pending=pending_in_second)


def all_three(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    return replace(saga, version=3, pending=pending_in_third, former=(saga, second_alone(saga)))


def changed(saga: Saga[Errand, ErrandEvent]) -> Saga[Errand, ErrandEvent]:
    """What the second version does, as a change of the first."""
    return replace(saga, changes={"brings-back": bringing_back})


BUILDS: Final[Mapping[str, Build]] = {
    "first": lambda saga: saga,
    "first and second": first_and_second,
    "second alone": second_alone,
    "all three": all_three,
    "changed": changed,
}
