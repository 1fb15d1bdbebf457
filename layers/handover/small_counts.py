"""Counts of people too small to be told: hidden, with others, so that no total gives them away."""

from __future__ import annotations

from collections.abc import Sequence

SMALLEST = 5


def without_small(counts: Sequence[int], smallest: int = SMALLEST) -> list[int | None]:
    """Return counts that may be told beside their total; None for those that are hidden.

    A count from 1 up to one less than `smallest` is hidden. Where what is hidden could be had
    by subtraction from the total (a single count, or a sum under `smallest`), the least of the
    others is hidden too, until it cannot (complementary suppression). Of equal counts the first
    is hidden. 0 is told.

    Examples
    --------
    >>> without_small([12, 3, 8, 0])
    [12, None, None, 0]
    """
    by_size = sorted(range(len(counts)), key=lambda place: (counts[place], place))
    small = [place for place in by_size if told(counts[place], smallest) is None]
    others = [place for place in by_size if counts[place] >= smallest]
    hidden = set(small) | set(others[: _needed(counts, small, others, smallest)])
    return [None if place in hidden else count for place, count in enumerate(counts)]


def _needed(
    counts: Sequence[int], small: Sequence[int], others: Sequence[int], smallest: int
) -> int:
    """Return how many of the others must be hidden, the least first, beside those too small."""
    if not small:
        return 0
    hidden = [counts[place] for place in (*small, *others)]
    safe = (n for n in range(len(others)) if _is_safe(hidden[: len(small) + n], smallest))
    return next(safe, len(others))


def _is_safe(hidden: Sequence[int], smallest: int) -> bool:
    """Say whether subtraction from the total gives none of the hidden counts away."""
    return len(hidden) > 1 and sum(hidden) >= smallest


def told(count: int, smallest: int = SMALLEST) -> int | None:
    """Return a count that stands alone, or a total; None where it is too small."""
    return None if 0 < count < smallest else count
