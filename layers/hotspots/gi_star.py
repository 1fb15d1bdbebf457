"""Gi* with exact p-values: where incidents gather more than chance puts them."""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from layers.hotspots.chance import (
    Chance,
    chance_by_base,
    chance_of_placement,
    usable_base,
    whole_counts,
)
from layers.hotspots.fdr import benjamini_hochberg
from layers.hotspots.neighbourhood import neighbourhoods


def gi_star(
    counts: ArrayLike,
    neighbours: sparse.csr_array[Any, tuple[int, int]],
    *,
    base: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return z, the exact one-sided p and the adjusted p of every neighbourhood.

    The statistic is that of Getis and Ord (1992; Gi* of Ord and Getis 1995) with binary
    neighbours. p is no approximation and needs no permutations:

    - without `base`, every one of the n! placements of the counts on the cells is equally
      likely; p is counted (see `layers.hotspots.draws`), relative error under 1e-11;
    - with `base`, incidents fall independently with chance base_i / Σbase; p is the upper
      tail of the binomial.

    Small maps are computed like large ones; whether they may be shown is decided elsewhere.

    Parameters
    ----------
    counts
        Incidents per cell, shape (n,): whole numbers from 0 up.
    neighbours
        Shape (n, n); every stored value but zero is a neighbour. A cell always belongs to its
        own neighbourhood, whether the diagonal is stored or not.
    base
        What incidents are compared with, e.g. residents per cell, shape (n,); not negative,
        not all zero.

    Returns
    -------
    DataFrame
        Row i for cell i: ``z`` = (observed - expected) / standard deviation of the same null
        (0 where the sum cannot vary; infinite where incidents lie where the base is zero),
        ``p`` = P(sum >= observed), ``p_adjusted`` after Benjamini and Hochberg.

    Raises
    ------
    Refused
        Counts that are not whole numbers, a matrix or base of another size, a base that is
        missing, negative or zero everywhere; `TooLarge` where counting would not end in time.

    Examples
    --------
    >>> gi_star([3, 0, 0, 0], sparse.csr_array((4, 4)))["p"].tolist()
    [0.25, 1.0, 1.0, 1.0]
    """
    chance = chance_around(counts, neighbours, base=base)
    return pd.DataFrame({"z": chance.z, "p": chance.p, "p_adjusted": benjamini_hochberg(chance.p)})


def chance_around(
    counts: ArrayLike,
    neighbours: sparse.csr_array[Any, tuple[int, int]],
    *,
    base: ArrayLike | None = None,
) -> Chance:
    """Return observed, expected, deviation and p behind `gi_star`; parameters as there."""
    incidents = whole_counts(counts)
    around = neighbourhoods(neighbours, incidents.size)
    if base is None:
        return chance_of_placement(incidents, around)
    return chance_by_base(incidents, around, usable_base(base, incidents.size))
