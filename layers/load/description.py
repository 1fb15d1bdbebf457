"""The description of a dataset: mappings from a city's files to our tables, one TOML file."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from grid_boundaries.codes import profile
from grid_boundaries.crs import is_metric_crs, named_crs
from grid_boundaries.errors import Refused

TREE = ("town", "village", "block")  # read in this order, before what lies in them


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ColumnRule(_Part):
    """How one of our columns is read from theirs.

    `values` is a table of theirs → ours; a value not in it becomes `otherwise`, or empty and a
    finding where none is given. `time` reads ISO 8601 (local without an offset); `roc_time`
    reads year (of the Republic, 1 = 1912), month, day, hour and minute from five columns. A
    row without a `needed` value is rejected.
    """

    source: str | tuple[str, ...] = Field(alias="from")
    read: Literal["text", "number", "time", "roc_time"] = "text"
    values: dict[str, Any] = {}
    otherwise: Any = None
    needed: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the names of their columns."""
        return (self.source,) if isinstance(self.source, str) else self.source


class RejectRule(_Part):
    """Rows whose `column` holds one of `is_one_of` are rejected as `code`."""

    column: str
    is_one_of: tuple[str, ...]
    code: str


class Stated(_Part):
    """What a row says of the unit it lies in, to be compared with where it does lie.

    `columns` are read together: district and village names for a level of ``village``.
    """

    columns: tuple[str, ...]
    level: Literal["town", "village"]


class Source(_Part):
    """One file, or one layer of one, and what becomes of it.

    Parameters
    ----------
    into
        ``town``, ``village`` or ``block`` for the tree; else the name of a table of located
        features, such as ``camera``.
    columns
        Our column → theirs, as a name or a rule.
    constants
        Our column → a value that the source as a whole stands for.
    assumed
        Our column → a value of ours where the source says nothing; its name is put into the
        row's `assumed`, where the table has that column.
    point
        Their columns of longitude and latitude, for files without geometry.
    crs
        Of the coordinates where the file does not say; a file that says otherwise is refused.
        ``GCJ-02`` and ``BD-09`` are moved back to where things are.
    repair
        Invalid polygons are repaired (findings say by how much); otherwise they are rejected.
    unique_shapes
        A shape that came before is rejected.
    """

    file: str = ""
    into: str
    layer: str = ""
    encoding: str = ""
    separator: str = ","
    notes_rows: int = 0
    crs: str = "EPSG:4326"
    point: tuple[str, str] | None = None
    id_prefix: str = ""
    id_column: str = ""
    columns: dict[str, str | ColumnRule] = {}
    constants: dict[str, Any] = {}
    assumed: dict[str, Any] = {}
    reject: tuple[RejectRule, ...] = ()
    stated: Stated | None = None
    repair: bool = False
    unique_shapes: bool = False

    @property
    def name(self) -> str:
        """Return the words by which findings and counts call the source."""
        return f"{self.file}:{self.layer}" if self.layer else self.file

    @property
    def rules(self) -> dict[str, ColumnRule]:
        """Return the column rules, a plain name being the simplest one."""
        return {
            ours: ColumnRule.model_validate({"from": theirs}) if isinstance(theirs, str) else theirs
            for ours, theirs in self.columns.items()
        }

    def wanted(self) -> set[str]:
        """Return the names of their columns that the rules speak of."""
        stated = self.stated.columns if self.stated else ()
        read = (name for rule in self.rules.values() for name in rule.sources)
        rejecting = (rule.column for rule in self.reject)
        return {self.id_column, *(self.point or ()), *stated, *read, *rejecting} - {""}


class CountyPart(_Part):
    """Code and name of the county or city that the dataset is of."""

    code: str
    name: str


def _known_profile(name: str) -> str:
    return profile(name).name


def _metric_srid(srid: int) -> int:
    is_metric = is_metric_crs(named_crs(f"EPSG:{srid}"))
    if not is_metric:
        raise ValueError(f"EPSG:{srid} is not projected in metres")
    return srid


def _known_zone(name: str) -> str:
    # the names of zones are files below a folder, so a path may not get through
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name[:40]}")
    return name


class Description(_Part):
    """A whole dataset.

    Parameters
    ----------
    profile
        Code profile of `grid_boundaries.codes`.
    metric_srid
        EPSG number of the projected CRS for every measurement.
    population_basis
        What is counted: ``present``, ``registered`` or ``usual``.
    valid_from
        From when its units, blocks and grids are in force.
    farthest_outside_m
        A point further outside the county than this is a wrong coordinate and rejected;
        nearer ones are kept, with a finding.
    facts
        Origin, licences, assumptions; shown, never computed on.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    profile: Annotated[str, AfterValidator(_known_profile)]
    metric_srid: Annotated[int, AfterValidator(_metric_srid)]
    population_basis: Literal["present", "registered", "usual"]
    valid_from: date
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    farthest_outside_m: float = 2_000.0
    grid_setting: Literal["city", "market_town", "village"] = "city"
    county: CountyPart
    facts: dict[str, Any] = {}
    sources: tuple[Source, ...] = Field(alias="source")

    def sources_into(self, into: str) -> tuple[Source, ...]:
        """Return the sources that fill one level or table."""
        return tuple(source for source in self.sources if source.into == into)


def description(path: Path) -> Description:
    """Return a dataset's description.

    Raises
    ------
    Refused
        No such file, no TOML, or a field that is unknown, missing or of a wrong kind.
    """
    return Description.model_validate(_checked(path, Description))


def source_mapping(path: Path) -> Source:
    """Return the mapping of a single file (the fields of one ``[[source]]``, at top level)."""
    return Source.model_validate(_checked(path, Source))


def _checked(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    try:
        fields = tomllib.loads(path.read_text("utf-8"))
        model.model_validate(fields)
    except FileNotFoundError:
        raise Refused(
            "no-such-file", f"没有文件 {path.name}", f"There is no file {path.name}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(
            "not-toml", f"{path.name} 不是 TOML：{error}", f"{path.name} is no TOML: {error}"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refused(
            "wrong-description",
            f"{path.name} 的 {place} 有误：{first['msg']}",
            f"{place} of {path.name} is wrong: {first['msg']}",
            field=place,
        ) from None
    return fields
