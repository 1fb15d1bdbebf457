"""The made-up county through the loader into a database."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine, func, select

from gis_service.demo import demo
from gis_service.loading import load_county
from layers.load.seal import Sealer
from layers.people import person


def test_load(service_engine: Engine) -> None:
    import time

    county = demo(1, date(2026, 11, 21))
    t = time.process_time()
    w = time.time()
    written = load_county(service_engine, county.frames, Sealer(bytes(range(32))))
    print("LOAD", time.process_time() - t, time.time() - w)
    assert written["person"] == 70_000
