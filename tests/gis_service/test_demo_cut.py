"""The made-up county without its blocks: cut through HTTP, tiled exactly, cut anew."""

from __future__ import annotations

from pathlib import Path

import shapely
from sqlalchemy import Connection, Engine, create_engine, text

from gis_service.database import Database
from gis_service.loading import load_county
from layers.load.seal import Sealer
from tests.gis_service.demo_county import small_county
from tests.gis_service.test_block_cutting import astray_m2, cut, done, stored_blocks
from tests.gis_service.test_block_recutting import plan, recut
from tests.serving import Client, serving, sqlalchemy_url

MOST_PEOPLE, FEWER_PEOPLE = 120, 60
FROM_BLOCKS = frozenset({"block", "block_count", "grid", "grid_block", "villagers_group"})


def test_a_whole_county_is_cut_tiled_and_a_town_of_it_cut_anew(
    database: Database, service_engine: Engine, tmp_path: Path
) -> None:
    frames = {k: v for k, v in small_county().frames.items() if k not in FROM_BLOCKS}
    load_county(service_engine, frames, Sealer(bytes(range(32))))
    engine = create_engine(sqlalchemy_url(database.url), isolation_level="AUTOCOMMIT")
    served = serving(database, tmp_path, refresh_interval_s=3600)
    with served as client, engine.connect() as rows:
        rows.execute(text("select set_config('gis.scope', '/', false)"))
        told = done(cut(client, most_people_per_block=MOST_PEOPLE))
        shapes = stored_blocks(rows)
        assert told["blocks"] == len(shapes) > 500
        assert told["villages"] == (frames["unit"]["level"] == "village").sum()
        assert astray_m2(rows) <= 1.0
        assert shapely.coverage_is_valid(shapes.to_numpy())
        everybody = rows.execute(text("select count(*) from person where present")).scalar_one()
        counted = rows.execute(text("select sum(people) from block_count")).scalar_one()
        assert everybody == counted == told["people"]
        _only_homes_at_one_point_are_crowded(rows, told["crowded"])
        _cut_anew(client, str(frames["unit"].query("level == 'town'")["code"].min()))
    engine.dispose()


def _only_homes_at_one_point_are_crowded(rows: Connection, told: list[str]) -> None:
    crowded = """
        select c.block_id, count(distinct h.geom) as points
        from block_count c join household h on h.block_id = c.block_id
        where c.people > :most group by c.block_id order by c.block_id"""
    found = rows.execute(text(crowded), {"most": MOST_PEOPLE}).all()
    assert [row.block_id for row in found] == told
    assert all(row.points == 1 for row in found)


def _cut_anew(client: Client, town: str) -> None:
    """What was cut by the same lines and the same limit is not cut again; by a lower one it is."""
    same = done(recut(client, unit=town, most_people_per_block=MOST_PEOPLE))
    assert (same["cuts"], same["pieces"]) == (0, 0)
    fewer = done(recut(client, unit=town, most_people_per_block=FEWER_PEOPLE))
    assert 0 < fewer["cuts"] < fewer["pieces"]
    before = plan(client, same["plan"], "/assignment")["blocks"]
    after = plan(client, fewer["plan"], "/assignment")["blocks"]
    assert set(before) - set(after) == set(fewer["gone"])
    assert {name.rpartition(".")[0] for name in set(after) - set(before)} == set(fewer["gone"])
    assert len(fewer["gone"]) == fewer["cuts"]
