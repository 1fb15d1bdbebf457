"""The camera programme (雪亮工程): its official shares, and what its contract closes by when.

Every share shows its two numbers. What is contracted or proposed stands beside what is built and
is never added to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from layers.coverage.figures import is_built, is_working
from layers.coverage.sightings import Bools, Floats, times_seen, weight_seen

# classes of sites, GB/T: 1 key public areas, 2 key industries, 3 other public places
INTACT_TARGETS = {1: 0.98, 2: 0.95}
BEGUN = ("planned", "building")
STANDINGS = ("standing", "contracted", "proposed", "out_of_service")
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class ProgrammeShare:
    """One official figure.

    Parameters
    ----------
    key
        ``covered``, ``covered_now``, ``networked``, ``intact``, ``intact_1`` (key public areas),
        ``intact_2`` (key industries).
    target
        What the programme asks for; None where it asks for nothing.
    """

    key: str
    numerator: int
    denominator: int
    target: float | None

    @property
    def value(self) -> float | None:
        """The share; None without a denominator: nothing owed is not 100 %."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing to hold against it."""
        if self.target is None or self.value is None:
            return None
        return self.value >= self.target


def standings(cameras: pd.DataFrame) -> pd.Series[str]:
    """Return how far each camera of the programme is.

    Parameters
    ----------
    cameras
        `state`, and `contract`, the contract that a camera is built under, or None.

    Returns
    -------
    Series
        ``standing`` (built or networked), ``contracted`` (begun, or planned under a contract),
        ``proposed`` (planned without one) or ``out_of_service``.
    """
    has_contract = cameras["contract"].fillna("").astype(str).str.strip() != ""
    is_planned = cameras["state"].eq("planned")
    told = np.select(
        [is_built(cameras), is_planned & ~has_contract, cameras["state"].isin(BEGUN)],
        ["standing", "proposed", "contracted"],
        default="out_of_service",
    )
    return pd.Series(told, index=cameras.index, dtype=str)


def programme_shares(
    cameras: pd.DataFrame, sees_places: csr_array[Any]
) -> tuple[ProgrammeShare, ...]:
    """Return the official shares: covered, networked, intact (覆盖率、联网率、完好率).

    Covered counts key places that a standing camera looks at, ``covered_now`` those that one
    that works does. Networked is out of the cameras that stand, intact (on-line) out of those
    networked, since of others nothing is heard.

    Parameters
    ----------
    cameras
        `state`, `online`, `indoor` and `site_class`.
    sees_places
        Shape (cameras, key places), as from `sightings`.
    """
    stands, works = (np.asarray(is_so(cameras), dtype=bool) for is_so in (is_built, is_working))
    networked = cameras["state"].eq("networked").to_numpy(dtype=bool)
    intact = networked & cameras["online"].eq(True).fillna(False).to_numpy(dtype=bool)
    places = sees_places.shape[1]
    covered, now = (int((times_seen(sees_places, own) > 0).sum()) for own in (stands, works))
    return (
        ProgrammeShare("covered", covered, places, 1.0),
        ProgrammeShare("covered_now", now, places, None),
        ProgrammeShare("networked", int(networked.sum()), int(stands.sum()), 1.0),
        ProgrammeShare("intact", int(intact.sum()), int(networked.sum()), None),
        *(_intact_of(cameras, intact, networked, number) for number in INTACT_TARGETS),
    )


def _intact_of(
    cameras: pd.DataFrame, intact: Bools, networked: Bools, site_class: int
) -> ProgrammeShare:
    own = cameras["site_class"].eq(site_class).fillna(False).to_numpy(dtype=bool)
    numbers = (int((intact & own).sum()), int((networked & own).sum()))
    return ProgrammeShare(f"intact_{site_class}", *numbers, INTACT_TARGETS[site_class])


def side_by_side(
    cameras: pd.DataFrame,
    people: tuple[csr_array[Any], Floats],
    places: tuple[csr_array[Any], Floats],
) -> pd.DataFrame:
    """Return what stands, what is contracted and what is proposed beside each other.

    Parameters
    ----------
    cameras
        As in `standings`.
    people, places
        What each camera sees or would see, as from `sightings`, and the weight of each thing.

    Returns
    -------
    DataFrame
        Indexed by standing: `cameras`; `people_seen` and `key_places_seen` by its own cameras,
        on-line or not; `people_added` and `key_places_added`, what they show that those of the
        standings before do not. Cameras out of service see nothing.
    """
    told = standings(cameras)
    found = pd.DataFrame(index=pd.Index(STANDINGS))
    found["cameras"] = told.value_counts().reindex(found.index, fill_value=0)
    for name, (sees, weights) in (("people", people), ("key_places", places)):
        own = [_seen_by(told, (word,), sees, weights) for word in STANDINGS[:3]]
        upto = [_seen_by(told, STANDINGS[: n + 1], sees, weights) for n in range(3)]
        found[f"{name}_seen"] = [*own, 0.0]
        found[f"{name}_added"] = [*np.diff([0.0, *upto]), 0.0]
    return found


def _seen_by(
    told: pd.Series[str], words: tuple[str, ...], sees: csr_array[Any], weights: Floats
) -> float:
    return weight_seen(sees, told.isin(words).to_numpy(dtype=bool), weights)


def gaps_by_due_date(
    cameras: pd.DataFrame,
    people: tuple[csr_array[Any], Floats],
    places: tuple[csr_array[Any], Floats],
    today: date,
) -> pd.DataFrame:
    """Return what is still unseen at each date at which contracted cameras are due.

    Parameters
    ----------
    cameras
        As in `standings`, and `due`, dates or None.
    people, places
        As in `side_by_side`.
    today
        A camera due before it is late.

    Returns
    -------
    DataFrame
        Ascending by `due`: first today with `cameras` 0, the gap as it is with all that stands at
        work; then one row a date with its `cameras`, how many of them are `late`, and
        `people_unseen`, `key_places_unseen` once all due by then stand. Late ones are counted at
        today's date, the earliest at which they can be. Cameras without a date come last, with
        `due` None.
    """
    told = standings(cameras)
    stands = told.eq("standing").to_numpy(dtype=bool)
    contracted = told.eq("contracted").to_numpy(dtype=bool)
    day, is_late = _days(cameras["due"], today)
    dates = np.unique(day[contracted])
    found = pd.DataFrame({"due": [today, *(_date(one) for one in dates.tolist())]}, dtype=object)
    on = [contracted & (day == one) for one in dates]
    found["cameras"] = [0, *(int(own.sum()) for own in on)]
    found["late"] = [0, *(int((own & is_late).sum()) for own in on)]
    # by day: what is seen already counts from the day before all
    when = np.where(stands, 0, np.where(contracted, day, NEVER))
    for name, (sees, weights) in (("people", people), ("key_places", places)):
        first = _first_seen(sees, when, is_used=stands | contracted)
        found[f"{name}_unseen"] = [float(weights[first > one].sum()) for one in (0, *dates)]
    return found


def _days(due: pd.Series[Any], today: date) -> tuple[Any, Bools]:
    """Return the day each camera can stand at the earliest, as a number, and whether it is late."""
    dates = [None if pd.isna(one) else one for one in due]
    numbers = np.array([NEVER - 1 if one is None else one.toordinal() for one in dates], np.int64)
    late = numbers < today.toordinal()
    return np.maximum(numbers, today.toordinal()), late


def _date(number: int) -> date | None:
    return None if number == NEVER - 1 else date.fromordinal(number)


def _first_seen(sees: csr_array[Any], when: Any, is_used: Bools) -> Any:
    """Return for each thing the earliest of its cameras' days; `NEVER` where none sees it."""
    first = np.full(sees.shape[1], NEVER, dtype=np.int64)
    pairs = sees.tocoo()
    camera, thing = pairs.coords
    used = is_used[camera]
    np.minimum.at(first, thing[used], when[camera[used]])
    return first
