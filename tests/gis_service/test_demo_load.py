"""The made-up county goes through the loader into a database, whole or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from gis_service.access import system_view
from gis_service.database import enter_scope
from gis_service.loading import load_county
from grid_boundaries.crs import crs_of
from grid_boundaries.errors import Conflict
from layers.incidents import incident
from layers.load.place import placed
from layers.load.seal import Sealer
from layers.people import person
from tests.gis_service.demo_county import TODAY, county, small_county

SEALER = Sealer(bytes(range(32)))


def test_a_made_up_county_loads_once_and_is_counted(service_engine: Engine) -> None:
    made = small_county()
    written = load_county(service_engine, made.frames, SEALER)
    del written["finding"]
    assert written == {name: len(frame) for name, frame in made.frames.items()}
    with service_engine.begin() as connection:
        enter_scope(connection, system_view())
        people = connection.execute(select(func.count()).select_from(person)).scalar_one()
        last = connection.execute(select(func.max(incident.c.occurred_at))).scalar_one()
    assert people == len(made.frames["person"])
    assert last.date() == TODAY
    with pytest.raises(Conflict):
        load_county(service_engine, made.frames, SEALER)


def test_placing_agrees_with_the_county_that_was_made() -> None:
    made = county()
    ready = placed(made.frames, crs_of(made.metric_srid))
    household = ready["household"]
    lived = household.groupby("block_id").size()
    counts = made.frames["block_count"].set_index("block_id")["households"]
    assert lived.reindex(counts.index, fill_value=0).equals(counts)
    assert (ready["building"]["placed"] == "inside").all()
    owner = made.frames["grid_block"].set_index("block_id")["grid_code"]
    assert (household["grid_code"] == owner.loc[household["block_id"]].to_numpy()).all()


def test_the_only_findings_of_placing_are_points_beyond_the_border() -> None:
    made = county()
    findings = placed(made.frames, crs_of(made.metric_srid))["finding"]
    assert set(findings["code"]) <= {"outside-every-village"}
    assert set(findings["layer"]) <= {"camera", "incident", "visit", "position"}
    assert len(findings) < 60
