"""The scan against printed results of SaTScan: leukemia in New York State, Poisson, space."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from layers.hotspots.scan import Cluster, scan

TRACTS = Path(__file__).parent / "new_york" / "leukemia.csv"
REPLICAS = 999
BROOME = {
    1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 35, 36, 37, 38, 39, 40, 43, 44, 45, 46, 47, 48, 49, 50,
    51, 52, 53, 55,
}  # fmt: skip
BROOME_SMALLER = (BROOME - {39, 40, 43, 44, 45, 46, 53, 55}) | {4, 5, 6, 9, 10, 18}
BROOME_ON_THE_GLOBE = BROOME | {5, 10, 54}
CORTLAND = {84, 85, 86, 87, 88, 89, 90, 92}
SYRACUSE = {*range(110, 128), 131, 132, 133, 134, 138, 139, 140, 141, 142, *range(215, 221)}
SYRACUSE_SMALLER = {*range(111, 120), 122, 123, 124, 125, 126, 219, 220}


class Printed(NamedTuple):
    """A cluster as SaTScan prints it."""

    tracts: set[int]
    cases: int
    expected: float
    llr: float
    p: float


AUBURN = ({62, 64, 65, 67}, 25, 12.82, 4.651839)
ITHACA = ({265, 266, 267, 281}, 12, 5.14, 3.363518)
ONONDAGA = ({159, 166, 167}, 11, 4.61, 3.209485)
RUNS: dict[str, list[Printed]] = {
    "plane, half of the residents": [
        Printed(BROOME, 100, 58.28, 14.083511, 0.00015),
        Printed(CORTLAND, 38, 17.79, 9.019716, 0.016),
        Printed(SYRACUSE, 64, 40.85, 6.114140, 0.248),
        Printed(*AUBURN, 0.645),
        Printed(*ITHACA, 0.965),
        Printed(*ONONDAGA, 0.982),
    ],
    "plane, a tenth of the residents": [
        Printed(BROOME_SMALLER, 85, 49.71, 11.577255, 0.0010),
        Printed(CORTLAND, 38, 17.79, 9.019716, 0.013),
        Printed(SYRACUSE, 64, 40.85, 6.114140, 0.216),
        Printed(*AUBURN, 0.609),
        Printed({41, 43, 44, 45, 46, 53, 54}, 28, 15.54, 4.169203, 0.755),
        Printed(*ITHACA, 0.961),
        Printed(*ONONDAGA, 0.976),
    ],
    "globe, half of the residents": [
        Printed(BROOME_ON_THE_GLOBE, 106, 62.13, 14.780276, 0.000087),
        Printed((CORTLAND - {84}) | {91, 93}, 42, 21.24, 8.287056, 0.033),
        Printed(SYRACUSE_SMALLER, 44, 23.83, 7.199672, 0.105),
        Printed(*AUBURN, 0.653),
        Printed({120, 121, 131, 132, 138, 139}, 10, 3.65, 3.773422, 0.901),
        Printed(*ONONDAGA, 0.982),
    ],
}
ASKED: dict[str, dict[str, Any]] = {
    "plane, half of the residents": {},
    "plane, a tenth of the residents": {"largest_share": 0.1},
    "globe, half of the residents": {"great_circle": True},
}
PLACES = [(run, place) for run, printed in RUNS.items() for place in range(len(printed))]


@cache
def found(run: str) -> list[Cluster]:
    tracts = pd.read_csv(TRACTS)
    people = tracts["population"].to_numpy(dtype=float)
    # on the plane SaTScan was given degrees as they are, latitude first
    axes = ["longitude", "latitude"] if "great_circle" in ASKED[run] else ["latitude", "longitude"]
    return scan(
        tracts["cases"].to_numpy(), people, tracts[axes].to_numpy(), model="poisson",
        repeats=REPLICAS, seed=1995, **ASKED[run],
    )  # fmt: skip


def test_the_tracts_are_those_of_the_study() -> None:
    tracts = pd.read_csv(TRACTS)
    assert len(tracts) == 281
    assert tracts["population"].sum() == 1_057_673
    assert tracts["cases"].sum() == 552


@pytest.mark.parametrize(("run", "place"), PLACES)
def test_every_cluster_printed_is_found_in_its_place(run: str, place: int) -> None:
    cluster, printed = found(run)[place], RUNS[run][place]
    assert {int(member) + 1 for member in cluster.members} == printed.tracts
    assert cluster.observed == printed.cases
    assert round(cluster.expected, 2) == printed.expected
    assert round(cluster.llr, 6) == printed.llr


@pytest.mark.parametrize(("run", "place"), PLACES)
def test_its_chance_is_that_printed_within_what_replicas_leave_open(run: str, place: int) -> None:
    ours, theirs = found(run)[place].p, RUNS[run][place].p
    # each is a share of 999 replicas: both could come from one chance, at 99.9 %
    middle = max((ours + theirs) / 2, 1 / (REPLICAS + 1))
    most = binom.isf(0.0005, REPLICAS, middle) + 1
    least = binom.ppf(0.0005, REPLICAS, middle)
    assert least <= theirs * (REPLICAS + 1) <= most
    assert least <= ours * (REPLICAS + 1) <= most


@pytest.mark.parametrize("run", RUNS)
def test_clusters_come_the_likeliest_first_and_share_no_tract(run: str) -> None:
    clusters = found(run)
    assert list(np.diff([cluster.llr for cluster in clusters]) <= 0) == [True] * (len(clusters) - 1)
    members = np.concatenate([cluster.members for cluster in clusters])
    assert len(members) == len(set(members.tolist()))
