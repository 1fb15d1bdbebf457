"""How big a made-up county is: every count and length that its parts agree on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """The counts and lengths of one made-up county.

    Grids are `city_grids` + `market_grids` + `special_grids` + the rest in villages.
    """

    cell_m: float = 100.0
    terrain_cells: int = 2  # raster cells along one terrain cell
    grids: int = 388
    city_grids: int = 70
    market_grids: int = 40
    special_grids: int = 24
    households: int = 26_000
    city_households: int = 6_300
    market_households: int = 3_400
    people: int = 70_000
    group_households: int = 29
    city_km2: float = 3.2
    market_km2: float = 0.24
    open_block_km2: float = 1.25
    cameras: int = 2_000
    workers: int = 388
    incidents: int = 17_500
    visits: int = 26_000
    positions: int = 12_000
    parts: int = 3_000
    devices: int = 420

    @property
    def village_grids(self) -> int:
        """Return how many residential grids lie outside the city and the market towns."""
        return self.grids - self.city_grids - self.market_grids - self.special_grids

    @property
    def village_households(self) -> int:
        """Return how many households live outside the city and the market towns."""
        return self.households - self.city_households - self.market_households


COUNTY = Size()
