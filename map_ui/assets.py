"""The files a browser may load: vendored ones from npm by manifest, and the pages' own."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

HERE = Path(__file__).parent
STATIC = HERE / "static"
NODE_MODULES = HERE.parent / "node_modules"
OWN_SUFFIXES = frozenset({".js", ".css", ".svg"})


@dataclass(frozen=True)
class Asset:
    """One vendored file: where npm puts it, where we serve it, what it must contain.

    `file` is the path inside the npm package, `path` the one under ``static``; `stands_for` are
    the paths (host left out) by which Folium asks a content network for the same library.
    """

    package: str
    version: str
    file: str
    path: str
    sha256: str
    licence: str
    stands_for: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def manifest() -> tuple[Asset, ...]:
    """Return every vendored file the pages may use."""
    rows = json.loads((HERE / "assets.json").read_text("utf-8"))
    return tuple(
        Asset(
            package=row["package"],
            version=row["version"],
            file=row["file"],
            path=row["as"],
            sha256=row["sha256"],
            licence=row["licence"],
            stands_for=tuple(row["stands_for"]),
        )
        for row in rows
    )


def copy_assets(node_modules: Path = NODE_MODULES, static: Path = STATIC) -> list[Path]:
    """Copy the manifest's files out of `node_modules`, checking each against its digest.

    Returns
    -------
    list of Path
        The files written under `static`, in the manifest's order.

    Raises
    ------
    FileNotFoundError
        npm has not installed a package; run ``npm ci`` first.
    ValueError
        A file is not the one the manifest was made for.
    """
    return [_copied(asset, node_modules, static) for asset in manifest()]


def _copied(asset: Asset, node_modules: Path, static: Path) -> Path:
    source = node_modules / asset.package / asset.file
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != asset.sha256:
        raise ValueError(f"{source} has digest {found}, the manifest says {asset.sha256}")
    target = static / asset.path
    target.parent.mkdir(parents=True, exist_ok=True)
    # a server that is reading the old file keeps it: write aside, then rename
    aside = target.with_name(f"{target.name}.{uuid4().hex}.new")  # others may copy, too
    shutil.copyfile(source, aside)
    return aside.replace(target)


@lru_cache(maxsize=1)
def _own() -> dict[str, Path]:
    files = {
        path.relative_to(STATIC).as_posix(): path
        for path in STATIC.rglob("*")
        if path.suffix in OWN_SUFFIXES and "vendor" not in path.parts
    }
    return files | {path.name: path for path in HERE.glob("texts.*.json")}


@lru_cache(maxsize=1)
def _vendored() -> dict[str, Asset]:
    return {asset.path: asset for asset in manifest()}


@lru_cache(maxsize=256)
def _own_digest(path: Path, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(path: str) -> str:
    """Return the SHA-256 of an asset; KeyError for a path that is none."""
    vendored = _vendored().get(path)
    if vendored is not None:
        return vendored.sha256
    file = _own()[path]
    return _own_digest(file, file.stat().st_mtime_ns)


def url(path: str) -> str:
    """Return the address of an asset, which changes whenever its content does.

    Raises
    ------
    KeyError
        The path is neither in the manifest nor one of the pages' own files.
    """
    return f"/static/{digest(path)[:8]}/{path}"


def asset_path(sha8: str, path: str) -> Path | None:
    """Return the file behind ``/static/{sha8}/{path}``, None for anything else.

    Only listed files are ever found, so no path can climb out of the folder.
    """
    try:
        if digest(path)[:8] != sha8:
            return None
    except KeyError:
        return None
    return _own().get(path, STATIC / path)


def own_text(path: str) -> str:
    """Return the text of one of the pages' own files; KeyError for any other."""
    return _own()[path].read_text("utf-8")


def local_url(asked: str) -> str:
    """Return our address for what a Folium class asks for: an asset's path or any address.

    Raises
    ------
    KeyError
        Neither an address of ours nor one the manifest has a file for: the page must not ship.
    """
    _, scheme, rest = asked.partition("://")
    if not scheme:
        return url(asked)
    wanted = rest.partition("/")[2]
    for asset in manifest():
        if wanted in asset.stands_for:
            return url(asset.path)
    raise KeyError(asked)


if __name__ == "__main__":
    copy_assets()
