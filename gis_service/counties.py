"""From a source of a county to a database that can be served: made or read, loaded, computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Engine, create_engine, make_url, text

from gis_service.access import system_view
from gis_service.database import Database, enter_scope
from gis_service.embedded.account import server_account
from gis_service.loading import load_county, loaded_dataset
from gis_service.refresh import jobs, refresh_all
from gis_service.sealing_key import load_or_make_key
from gis_service.settings import Settings
from grid_boundaries.errors import NotFound
from layers.load.dataset import dataset_frames
from layers.load.description import description, source_mapping
from layers.load.seal import Sealer
from layers.load.single import known_county, plain_source
from layers.load.single import load_file as read_file
from layers.load.write import write_frames
from layers.registry import layer_named

DATASETS = Path(__file__).parent / "datasets"
KEY_FILE = "sealing.key"
Progress = Callable[[str, int, int], None]  # step, done, in all
Frames = Mapping[str, pd.DataFrame]


def load_demo(database: Database, settings: Settings, progress: Progress) -> bool:
    """Load the demo county or city, ending today, into an empty database; say if it was empty."""
    engine = engine_without_limits(database.url)
    try:
        if loaded_dataset(engine) is not None:
            return False
        from gis_service import demo  # large, and needed once in a database's life

        places = {"county": (demo.COUNTY, demo.NINGSHAN), "city": (demo.CITY, demo.QINGLAN)}
        scale, site = places[settings.demo_place]
        day = now(settings).date()
        made = demo.made_up(settings.demo_seed, day, scale, site, progress=progress)
        _load(engine, database, settings, made.frames, progress)
        return True
    finally:
        engine.dispose()


def load_dataset(
    database: Database, settings: Settings, name: str, folder: Path, progress: Progress
) -> Frames:
    """Read a described dataset from its folder, load it, and return what was read.

    Parameters
    ----------
    name
        A file of descriptions, or the name of one that the service brings along.

    Raises
    ------
    NotFound
        There is no such description.
    Refused
        A file cannot be read at all, or the database holds a county already.
    """
    plan = description(described(name))
    engine = engine_without_limits(database.url)
    try:
        frames = dataset_frames(plan, folder, progress=progress)
        _load(engine, database, settings, frames, progress)
    finally:
        engine.dispose()
    return frames


def load_file(
    database: Database, settings: Settings, file: Path, layer: str, mapping: Path | None
) -> Frames:
    """Read one file, load it into a layer of the county that is there, and return what was read.

    Parameters
    ----------
    mapping
        TOML with the fields of one ``[[source]]``; without it the columns are called as ours.

    Raises
    ------
    Refused
        The file as a whole is bad, there is no county or no such layer of located features,
        or the rows are there already; nothing was changed.
    """
    table = layer_named(layer).table.name
    source = source_mapping(mapping) if mapping else plain_source(file, table)
    engine = engine_without_limits(database.url)
    try:
        with engine.begin() as connection:
            enter_scope(connection, system_view("loader"))
            known = known_county(connection)
            into = source.model_copy(update={"into": table})
            report = read_file(file, into, known, time_zone=settings.time_zone)
            write_frames(connection, report.frames, _sealer(settings))
        stale = frozenset(job.name for job in jobs() if layer in job.sources)
        refresh_all(engine, now(settings), names=stale)
    finally:
        engine.dispose()
    return report.frames


def described(name: str) -> Path:
    """Return the file that describes a dataset."""
    for path in (Path(name), DATASETS / name, DATASETS / f"{name}.toml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.name for path in DATASETS.glob("*.toml")))
    raise NotFound(
        "no-such-dataset",
        f"没有数据集说明“{name}”；自带的有：{known}",
        f"There is no dataset description “{name}”; those at hand: {known}",
        name=name,
    )


def refresh(database: Database, settings: Settings, names: frozenset[str] | None) -> list[str]:
    """Compute the derived layers anew and return the names of the jobs done."""
    engine = engine_without_limits(database.url)
    try:
        return refresh_all(engine, now(settings), names=names)
    finally:
        engine.dispose()


def now(settings: Settings) -> datetime:
    """Return the time in the county's zone."""
    return datetime.now(ZoneInfo(settings.time_zone))


def engine_without_limits(url: str) -> Engine:
    """Return an engine without the time limits of requests, for work that takes its time."""
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"))


def _load(
    engine: Engine, database: Database, settings: Settings, frames: Frames, progress: Progress
) -> None:
    load_county(engine, frames, _sealer(settings), progress=progress)
    _analyse(database)
    progress("refresh", 0, 1)
    refresh_all(engine, now(settings))
    progress("refresh", 1, 1)


def _sealer(settings: Settings) -> Sealer:
    account = server_account(settings.account)
    account.make_folder(settings.data_dir, 0o755)
    path = settings.data_dir / KEY_FILE
    key = load_or_make_key(path)
    account.owns(path, 0o600)  # made by root perhaps, read by the service
    return Sealer(key)


def _analyse(database: Database) -> None:
    """Let the planner count the rows; without it the first tiles would be planned blindly."""
    if database.owner_url is None:
        return  # autovacuum will, a minute later
    engine = engine_without_limits(database.owner_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    engine.dispose()
