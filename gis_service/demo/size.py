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
    organisations: int = 620
    public_times: int = 1  # of what public buildings a city town has
    city_towns: int = 1  # the first so many towns are city, the others market towns
    city_streets_m: tuple[float, float] = (78.0, 110.0)
    town_reach_m: float = 1_500.0  # from its seat a town thins out
    households_per_house: tuple[float, float, float] = (3.6, 2.2, 1.12)  # city, market, village
    spare_houses: tuple[int, int] = (4, 2)  # of a block in city and market town: shops, halls
    most_floors: int = 9
    special_open_m2: float = 800_000.0  # least ground of a special grid outside towns
    village_stream_km2: float = 3.0  # drained by the least stream that a village sits at
    registered_share: float = 0.92
    leaving: float = 1.0  # how many go away to work, against the county's
    vacant_never: int = 8  # grids nobody was posted to
    vacant_ended: int = 6  # grids whose worker left and was not replaced
    chiefs: int = 44
    chiefs_of_several: int = 14

    @property
    def village_grids(self) -> int:
        """Return how many residential grids lie outside the city and the market towns."""
        return self.grids - self.city_grids - self.market_grids - self.special_grids

    @property
    def village_households(self) -> int:
        """Return how many households live outside the city and the market towns."""
        return self.households - self.city_households - self.market_households


COUNTY = Size()
