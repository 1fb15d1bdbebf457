"""Every setting of the service, with its default, unit and meaning; read once, from `GIS_*`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

MEGABYTE = 1 << 20


def default_data_dir() -> Path:
    """Return where data live: /var/lib/gis-service as root, else the user's XDG data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/gis-service")
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "gis-service"


class Settings(BaseSettings):
    """The settings; each may be given as an environment variable `GIS_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="GIS_", extra="forbid", frozen=True)

    # places
    data_dir: Path = Field(
        default_factory=default_data_dir, description="Folder of database, keys and caches."
    )
    socket_dir: Path | None = Field(
        default=None,
        description="Folder of the database's socket; default /run/gis-service or /tmp.",
    )
    account: str = Field(
        default="postgres",
        description="Account that runs database and service when started as root.",
    )

    # addresses
    host: str = Field(
        default="127.0.0.1", description="Address to listen on; off loopback only with TLS."
    )
    port: int = Field(default=8000, ge=1, le=65535, description="TCP port to listen on.")
    workers: PositiveInt = Field(default=1, description="Number of serving processes.")
    tls_cert: Path | None = Field(
        default=None, description="PEM file of the server's certificate chain."
    )
    tls_key: Path | None = Field(default=None, description="PEM file of the certificate's key.")

    # database
    database_url: str | None = Field(
        default=None, description="PostGIS as the service's role; unset means the embedded cluster."
    )
    database_owner_url: str | None = Field(
        default=None, description="The same database as its tables' owner; used by `migrate` only."
    )
    county: str = Field(
        default="ningshan",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="Which county's database: gis_<county>.",
    )
    pool_size: PositiveInt = Field(
        default=8, description="Connections a process keeps, sync and async."
    )
    statement_timeout_s: PositiveFloat = Field(
        default=15, description="Longest statement, seconds."
    )
    lock_timeout_s: PositiveFloat = Field(
        default=5, description="Longest wait for a lock, seconds."
    )
    idle_timeout_s: PositiveFloat = Field(
        default=60, description="Longest idling inside a transaction, seconds."
    )

    # limits of what comes in
    body_limit_bytes: PositiveInt = Field(
        default=50 * MEGABYTE, description="Largest request, bytes."
    )
    unzipped_limit_bytes: PositiveInt = Field(
        default=500 * MEGABYTE, description="Largest archive when unpacked, bytes."
    )
    unzip_ratio_limit: PositiveFloat = Field(
        default=100, description="Unpacked to packed size, at most."
    )
    unzip_files_limit: PositiveInt = Field(
        default=1000, description="Files in an archive, at most."
    )
    feature_limit: PositiveInt = Field(
        default=200_000, description="Features in one file, at most."
    )
    vertex_limit: PositiveInt = Field(
        default=100_000, description="Vertices of a geometry, at most."
    )
    nesting_limit: PositiveInt = Field(
        default=8, description="Depth of nested collections, at most."
    )
    property_limit: PositiveInt = Field(
        default=200, description="Properties of a feature, at most."
    )
    property_limit_bytes: PositiveInt = Field(
        default=4096, description="Size of a property, bytes."
    )
    name_limit: PositiveInt = Field(default=200, description="Characters of a name, at most.")
    tile_zoom_limit: int = Field(default=22, ge=0, le=24, description="Deepest zoom of a tile.")

    # serving
    queue_limit: PositiveInt = Field(
        default=64, description="Requests that wait before 503, at most."
    )
    print_wait_s: PositiveFloat = Field(
        default=60, description="How long a PDF waits for others before 503, seconds."
    )
    print_queue_limit: int = Field(
        default=24, ge=0, le=32, description="PDFs that wait for others before 503, at most."
    )
    tile_cache_bytes: PositiveInt = Field(
        default=64 * MEGABYTE, description="Tiles a process keeps in memory, bytes."
    )
    page_limit: PositiveInt = Field(
        default=1000, description="Features in one page of items, at most."
    )
    session_hours: PositiveFloat = Field(default=12, description="How long a sign-in holds, hours.")
    position_days: int = Field(
        default=30, ge=1, le=30, description="How long positions of workers are kept, days."
    )
    change_days: PositiveInt = Field(
        default=30, description="How long announced changes of the map are kept, days."
    )
    refresh_interval_s: PositiveFloat = Field(
        default=2, description="Wait before stale derived layers are computed anew, seconds."
    )
    alerts_a_week: int = Field(
        default=10, ge=0, description="New hotspots that people are alerted of in a week, at most."
    )
    event_interval_s: PositiveFloat = Field(
        default=15,
        description="Silence after which the event stream sends a sign of life, seconds.",
    )

    # what people see
    language: Literal["zh", "en"] = Field(
        default="zh", description="Language of a page unless chosen."
    )
    time_zone: str = Field(default="Asia/Shanghai", description="Zone of the times shown.")
    basemap_url: str | None = Field(
        default=None, description="WMTS template of a base map such as Tianditu; off by default."
    )

    # demo
    demo: bool = Field(
        default=False, description="Demo county: load when missing, move workers, report."
    )
    demo_place: Literal["county", "city"] = Field(
        default="county", description="What is made up: a county, or a city of 1.2 million people."
    )
    demo_seed: int = Field(default=1, description="Seed of the demo county.")
    demo_interval_s: PositiveFloat = Field(
        default=3, description="Wait between the demo's movements, seconds."
    )

    # logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
    log_json: bool = Field(default=False, description="Log as JSON lines instead of readable text.")

    @property
    def database_name(self) -> str:
        """Return the name of the county's database in the embedded cluster."""
        return f"gis_{self.county}"

    @property
    def has_tls(self) -> bool:
        """Say whether both halves of a certificate are given."""
        return self.tls_cert is not None and self.tls_key is not None


def settings_table() -> str:
    """Return the settings as the Markdown table of docs/settings.md."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        computed = field.default_factory is not None
        default = "see meaning" if computed else "–" if field.default is None else field.default
        rows.append(f"| `GIS_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"
