"""Made-up households and the persons in them, with ages, relations and who is away."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from gis_service.demo.identity import SURNAMES, id_numbers, names, phones
from gis_service.demo.lines import Lines
from gis_service.demo.raster import Flags, Floats, Ints
from gis_service.demo.size import Size

RELATIONS = ("户主", "配偶", "子女", "父母", "孙子女")
SIZES = (0.22, 0.27, 0.22, 0.16, 0.08, 0.05)  # of 1 … 6 persons


def persons(
    households: list[str], today: date, scale: Size, rng: np.random.Generator
) -> pd.DataFrame:
    """Return `scale.people` persons in the households, plain numbers included."""
    members = _members(len(households), scale.people, rng)
    home = np.repeat(np.arange(len(households)), members)
    nth = np.arange(len(home)) - np.repeat(np.cumsum(members) - members, members)
    relation = _relations(nth, rng)
    age = _ages(home, relation, len(households), rng)
    female = _female(home, relation, len(households), rng)
    born = _births(age, today, rng)
    surname = _surnames(home, relation, len(households), rng)
    registered = rng.random(len(home)) < scale.registered_share
    away = registered & (rng.random(len(home)) < scale.leaving * _leaving(age))
    return pd.DataFrame(
        {
            "id": [f"P{n:07d}" for n in range(1, len(home) + 1)],
            "household_id": np.array(households, dtype=object)[home],
            "name": names(len(home), rng, surname),
            "sex": np.where(female, "女", "男"),
            "born_on": born.dt.date,
            "relation": np.array(RELATIONS, dtype=object)[relation],
            "present": ~away,
            "registered": registered,
            "usual": np.where(away, rng.random(len(home)) < 0.08, rng.random(len(home)) < 0.97),
            "id_number": id_numbers(born, female),
            "phone": _phones(age),
        }
    )


def _births(age: Floats, today: date, rng: np.random.Generator) -> pd.Series[pd.Timestamp]:
    days = np.floor(age * 365.25 + rng.uniform(1, 365, len(age)))
    return pd.Series(pd.Timestamp(today) - pd.to_timedelta(days, unit="D"))


def _surnames(home: Ints, relation: Ints, count: int, rng: np.random.Generator) -> Ints:
    """Return a row of `SURNAMES` each: that of the family, a wife or husband their own."""
    family = rng.integers(0, len(SURNAMES), count)
    return np.where(relation == 1, rng.integers(0, len(SURNAMES), len(home)), family[home])


def _phones(age: Floats) -> Lines:
    phone = np.array(phones(1, len(age)), dtype=object)
    phone[age < 12] = None
    return phone


def _members(count: int, people: int, rng: np.random.Generator) -> Ints:
    members = rng.choice(np.arange(1, 7), count, p=SIZES)
    while (off := people - int(members.sum())) != 0:
        fit = np.flatnonzero(members < 6 if off > 0 else members > 1)
        pick = rng.choice(fit, min(abs(off), len(fit)), replace=False)
        members[pick] += 1 if off > 0 else -1
    return members


def _relations(nth: Ints, rng: np.random.Generator) -> Ints:
    luck = rng.random(len(nth))
    third = np.select([luck < 0.62, luck < 0.76], [2, 3], 4)
    fourth = np.select([luck < 0.35, luck < 0.55], [2, 3], 4)
    later = np.where(luck < 0.25, 3, 4)
    return np.select([nth == 0, nth == 1, nth == 2, nth == 3], [0, 1, third, fourth], later)


def _ages(home: Ints, relation: Ints, count: int, rng: np.random.Generator) -> Floats:
    head = np.clip(rng.normal(54.0, 13.0, count), 24.0, 88.0)[home]
    spread = rng.normal(0.0, 3.0, len(home))
    by_relation = [
        head,
        head + spread,
        head - 27.0 + spread,
        head + 25.0 + spread,
        head - 52.0 + spread,
    ]
    return np.clip(np.choose(relation, by_relation), 0.1, 98.0)


def _female(home: Ints, relation: Ints, count: int, rng: np.random.Generator) -> Flags:
    head = (rng.random(count) < 0.22)[home]
    others = rng.random(len(home)) < 0.49
    return np.select([relation == 0, relation == 1], [head, ~head], others).astype(bool)


def _leaving(age: Floats) -> Floats:
    return np.select([age < 16, age < 23, age < 46, age < 60], [0.18, 0.5, 0.52, 0.32], 0.06)
