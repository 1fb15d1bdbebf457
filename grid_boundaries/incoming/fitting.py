"""An imported layer laid on the blocks in force: which grid takes each block, and which it cuts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

from grid_boundaries.incoming.concerned import overlaid
from grid_boundaries.incoming.findings import Finding

WHOLE = 0.95  # a block of which one grid has at least this part is not called divided


def fitted(blocks: GeoDataFrame, cover: GeoDataFrame) -> pd.DataFrame:
    """Return who takes each block whole: the grid with the largest part of its area.

    Parameters
    ----------
    blocks
        Geometry in metres, indexed by id.
    cover
        As `preview` gives it: no two overlap.

    Returns
    -------
    DataFrame
        Indexed by block id: ``kind`` ("settled", "contested", "unassigned", and "outside" where
        the layer does not reach), ``code`` (None for all but the first), ``proposed``,
        ``share`` (of the block's area, at most 1) and ``others`` (grids with a part of it).
    """
    parts = overlaid(blocks.geometry.to_numpy(), cover.geometry.to_numpy())
    known = cover[["kind", "code", "proposed"]].iloc[parts["b"]].reset_index(drop=True)
    table = pd.concat([parts[["a", "area_m2"]], known], axis=1)
    table["kind"] = table["kind"].replace("foreign", "settled")
    # ground of one kind that no grid has yet counts together, as that of one grid does
    table["who"] = table["code"].where(table["code"].notna(), "?" + table["kind"])
    sums = table.groupby(["a", "who"], as_index=False).agg(
        area_m2=("area_m2", "sum"), kind=("kind", "first"), code=("code", "first"),
        proposed=("proposed", "first"),
    )  # fmt: skip
    ranked = sums.sort_values(["a", "area_m2", "who"], ascending=[True, False, True])
    best = ranked.drop_duplicates("a").set_index("a").reindex(range(len(blocks)))
    best["kind"] = best["kind"].fillna("outside")
    others = ranked.dropna(subset="code").groupby("a")["code"].agg(tuple).reindex(best.index)
    area_m2 = blocks.geometry.area.to_numpy()
    best["share"] = np.minimum(best["area_m2"].fillna(0).to_numpy() / area_m2, 1.0)
    best["others"] = [() if isinstance(one, float) else one for one in others]
    for name in ("code", "proposed"):
        best[name] = best[name].astype(object).where(best[name].notna(), None)
    return best[["kind", "code", "proposed", "share", "others"]].set_index(blocks.index)


def divided(blocks: GeoDataFrame, fit: pd.DataFrame) -> Iterator[Finding]:
    """Yield a finding for each block that a border of the layer runs through.

    People concerned are those of the part that another grid claims, by area.
    """
    crossed = fit[(fit["share"] < WHOLE) & (fit["kind"] != "outside")]
    rows = zip(crossed.index, crossed["code"], crossed["share"], crossed["others"], strict=True)
    for name, code, share, others in rows:
        block: Any = blocks.loc[name]
        rest = 1 - share
        taker = "" if code is None else code
        yield Finding(
            "block-divided", tuple(others),
            f"图斑 {name} 被边界穿过，{share:.0%} 在{f'网格 {taker} ' if taker else '未定范围'}内",
            f"A border runs through block {name}; {share:.0%} of it lie in "
            f"{f'grid {taker}' if taker else 'ground not settled'}",
            "whole", block.geometry, rest * block.geometry.area,
            round(rest * _count(block["people"]), 1), round(rest * _count(block["households"]), 1),
            {"block": str(name), "share": round(share, 4)},
        )  # fmt: skip


def _count(value: Any) -> float:
    return 0.0 if value is None or value != value else float(value)
