"""Finding the PostgreSQL programs that have PostGIS beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis_service.embedded.installation import NEEDED, Installation, chosen, installations
from grid_boundaries.errors import Unavailable


def install(
    root: Path, major: str, *, postgis: bool = True, programs: tuple[str, ...] = NEEDED
) -> None:
    """Lay files as Debian's packages of one major version would."""
    folder = root / "lib" / major / "bin"
    folder.mkdir(parents=True)
    for name in programs:
        (folder / name).touch()
    if postgis:
        extension = root / "share" / major / "extension"
        extension.mkdir(parents=True)
        (extension / "postgis.control").touch()


def found(root: Path) -> list[int]:
    return [one.major for one in installations(root / "lib", root / "share")]


def test_the_newest_comes_first(tmp_path: Path) -> None:
    for major in ("9", "15", "17"):
        install(tmp_path, major)
    assert found(tmp_path) == [17, 15, 9]


def test_a_version_without_postgis_does_not_count(tmp_path: Path) -> None:
    install(tmp_path, "17", postgis=False)
    install(tmp_path, "15")
    assert found(tmp_path) == [15]


@pytest.mark.parametrize("missing", NEEDED)
def test_a_version_without_a_program_does_not_count(tmp_path: Path, missing: str) -> None:
    install(tmp_path, "15", programs=tuple(name for name in NEEDED if name != missing))
    assert found(tmp_path) == []


def test_folders_that_are_no_versions_are_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "15")
    (tmp_path / "lib" / "common").mkdir()
    assert found(tmp_path) == [15]


def test_nothing_installed_is_an_empty_list(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_this_machine_has_one() -> None:
    assert installations()[0].program("initdb").endswith("/bin/initdb")


def test_a_new_cluster_takes_the_newest() -> None:
    both = [Installation(15, Path("/a")), Installation(17, Path("/b"))]
    assert chosen(both, None).major == 17


def test_an_old_cluster_keeps_its_version() -> None:
    both = [Installation(15, Path("/a")), Installation(17, Path("/b"))]
    assert chosen(both, 15).major == 15


def test_missing_programs_are_refused_with_the_package_to_install() -> None:
    with pytest.raises(Unavailable, match="apt-get install postgresql-15-postgis-3") as refused:
        chosen([], None)
    assert refused.value.code == "postgis-missing"
    assert "GIS_DATABASE_URL" in refused.value.zh


def test_another_version_is_refused_with_both_numbers() -> None:
    with pytest.raises(Unavailable) as refused:
        chosen([Installation(17, Path("/b"))], 15)
    assert refused.value.where == {"made_by": 15, "installed": 17}
