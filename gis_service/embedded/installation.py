"""Which PostgreSQL programs of this machine carry PostGIS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grid_boundaries.errors import Unavailable

PROGRAMS = Path("/usr/lib/postgresql")  # Debian's layout: PROGRAMS/<major>/bin
EXTENSIONS = Path("/usr/share/postgresql")  # EXTENSIONS/<major>/extension/<name>.control
NEEDED = ("postgres", "initdb", "pg_ctl", "pg_isready")


@dataclass(frozen=True, order=True)
class Installation:
    """One major version of PostgreSQL that has PostGIS beside it."""

    major: int
    programs: Path

    def program(self, name: str) -> str:
        """Return the path of ``initdb``, ``pg_ctl`` and the like."""
        return str(self.programs / name)


def installations(programs: Path = PROGRAMS, extensions: Path = EXTENSIONS) -> list[Installation]:
    """Return what is installed with PostGIS, newest first; empty where nothing is."""
    majors = (int(folder.name) for folder in programs.glob("*") if folder.name.isdecimal())
    found = (Installation(major, programs / str(major) / "bin") for major in majors)
    return sorted((one for one in found if _is_complete(one, extensions)), reverse=True)


def _is_complete(found: Installation, extensions: Path) -> bool:
    control = extensions / str(found.major) / "extension" / "postgis.control"
    return control.is_file() and all((found.programs / name).is_file() for name in NEEDED)


def chosen(found: Iterable[Installation], major: int | None) -> Installation:
    """Return the installation to use: of `major` where a cluster was made, else the newest.

    Raises
    ------
    Unavailable
        Nothing suitable is installed; the sentence says what to install.
    """
    newest_first = sorted(found, reverse=True)
    if not newest_first:
        raise Unavailable(
            "postgis-missing",
            "本机没有带 PostGIS 的 PostgreSQL；请安装 postgresql-15-postgis-3"
            "（apt-get install postgresql-15-postgis-3），或用 GIS_DATABASE_URL 指向已有数据库",
            "This machine has no PostgreSQL with PostGIS; install postgresql-15-postgis-3"
            " (apt-get install postgresql-15-postgis-3), or point GIS_DATABASE_URL at a database",
        )
    if major is None:
        return newest_first[0]
    for one in newest_first:
        if one.major == major:
            return one
    raise _other_major(major, newest_first[0].major)


def _other_major(made_by: int, installed: int) -> Unavailable:
    return Unavailable(
        "other-major-version",
        f"数据由 PostgreSQL {made_by} 建立，本机只有 {installed}；请安装"
        f" postgresql-{made_by}-postgis-3，或用 pg_upgradecluster 的方法升级数据",
        f"The data were made by PostgreSQL {made_by} and this machine has {installed}; install"
        f" postgresql-{made_by}-postgis-3, or dump with the old version and load with the new",
        made_by=made_by,
        installed=installed,
    )
