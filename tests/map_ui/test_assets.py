"""The files that a browser may load, and no others."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from map_ui import assets

VENDORED = [asset.path for asset in assets.manifest()]
ROOT = Path(assets.__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def _copied() -> None:
    if not assets.NODE_MODULES.exists():
        pytest.fail("browser files are missing: run `npm ci` first")
    assets.copy_assets()


@pytest.mark.parametrize("asset", assets.manifest(), ids=VENDORED)
def test_a_vendored_file_has_the_digest_of_the_manifest(asset: assets.Asset) -> None:
    found = hashlib.sha256((assets.STATIC / asset.path).read_bytes()).hexdigest()
    assert found == asset.sha256


@pytest.mark.parametrize("asset", assets.manifest(), ids=VENDORED)
def test_a_vendored_file_comes_from_the_locked_version_and_licence(asset: assets.Asset) -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    locked = lock["packages"][f"node_modules/{asset.package}"]
    assert (locked["version"], locked["license"]) == (asset.version, asset.licence)


def test_every_package_on_a_page_brings_its_licence_text() -> None:
    packages = {asset.package for asset in assets.manifest()}
    with_text = {asset.package for asset in assets.manifest() if asset.path.endswith("LICENSE.txt")}
    assert with_text == packages


def test_the_lock_file_names_no_address_and_exact_versions_only() -> None:
    lock = (ROOT / "package-lock.json").read_text("utf-8")
    assert "://" not in lock
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values())


def test_an_address_carries_the_digest_and_leads_to_the_file() -> None:
    address = assets.url("vendor/leaflet.js")
    _, _, sha8, path = address.split("/", 3)
    found = assets.asset_path(sha8, path)
    assert found is not None
    assert hashlib.sha256(found.read_bytes()).hexdigest()[:8] == sha8


def test_texts_have_an_address_of_their_own() -> None:
    _, _, sha8, path = assets.url("texts.zh.json").split("/", 3)
    found = assets.asset_path(sha8, path)
    assert found is not None
    assert json.loads(found.read_text("utf-8"))["badge.live"] == "实时"


@pytest.mark.parametrize(
    "path",
    [
        "../wall.py",
        "vendor/../../wall.py",
        "/etc/passwd",
        "vendor/leaflet.js.map",
        "",
        "vendor",
        "js/../../assets.json",
        "assets.json",
        "js/nothing.js",
    ],
)
def test_nothing_outside_the_list_is_found(path: str) -> None:
    for sha8 in ("", "00000000", assets.digest("vendor/leaflet.js")[:8]):
        assert assets.asset_path(sha8, path) is None


def test_an_old_digest_finds_nothing() -> None:
    assert assets.asset_path("00000000", "vendor/leaflet.js") is None


def test_a_file_that_is_not_the_manifests_is_not_copied(tmp_path: Path) -> None:
    for asset in assets.manifest():
        target = tmp_path / "node_modules" / asset.package / asset.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("something else", "utf-8")
    with pytest.raises(ValueError, match="the manifest says"):
        assets.copy_assets(tmp_path / "node_modules", tmp_path / "static")
    assert not list((tmp_path / "static").rglob("*.js"))


def test_copying_twice_changes_nothing(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in assets.copy_assets(static=tmp_path)]
    second = [path.read_bytes() for path in assets.copy_assets(static=tmp_path)]
    assert first == second


def test_many_who_copy_at_once_get_in_nobodys_way(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as crew:
        for copied in [crew.submit(assets.copy_assets, static=tmp_path) for _ in range(24)]:
            copied.result(120)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert left == set(VENDORED)
    for asset in assets.manifest():
        found = (tmp_path / asset.path).read_bytes()
        assert hashlib.sha256(found).hexdigest() == asset.sha256


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="leaflet"):
        assets.copy_assets(tmp_path, tmp_path / "static")


def test_the_address_folium_asks_becomes_ours() -> None:
    asked = "https://cdn.example.org/npm/leaflet@1.9.3/dist/leaflet.js"
    assert assets.local_url(asked) == assets.url("vendor/leaflet.js")


@pytest.mark.parametrize(
    "asked",
    [
        "https://cdn.example.org/npm/leaflet@1.9.3/dist/other.js",
        "https://cdn.example.org/",
        "http://localhost/vendor/leaflet.js",
        "//cdn.example.org/vendor/leaflet.js",
        "/static/00000000/vendor/leaflet.js",
        "vendor/unknown.js",
    ],
)
def test_any_other_address_is_refused(asked: str) -> None:
    with pytest.raises(KeyError):
        assets.local_url(asked)
