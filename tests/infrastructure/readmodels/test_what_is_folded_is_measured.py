"""A process counts the events that it folds and measures its batches, but for those without events or that fail."""

import pytest

from infrastructure.readmodels.fold_times import FoldTimes


def measured(folds: FoldTimes) -> dict[tuple[str, str], float]:
    """Events, and the number of batches, by projection."""
    families = [*folds.events.collect(), *folds.seconds.collect()]
    samples = [sample for family in families for sample in family.samples]
    return {(each.name, each.labels["projection"]): each.value for each in samples if each.name in NAMES}


EVENTS, BATCHES = NAMES = ("foldstream_projection_events_total", "foldstream_projection_batch_seconds_count")


def test_what_is_followed_is_there_before_anything_is_folded() -> None:
    folds = FoldTimes()
    folds.begin("order_summary")
    assert measured(folds) == {(EVENTS, "order_summary"): 0, (BATCHES, "order_summary"): 0}


def test_batches_with_events_are_counted_and_others_are_not() -> None:
    folds = FoldTimes()
    for events in (3, 0, 2):
        with folds.measured("stock_levels") as batch:
            batch.events = events
    with pytest.raises(ZeroDivisionError), folds.measured("stock_levels") as batch:
        batch.events = 1 // 0
    assert measured(folds) == {(EVENTS, "stock_levels"): 5, (BATCHES, "stock_levels"): 2}
