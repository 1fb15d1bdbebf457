"""What a wall page costs: CPU to make it, and bytes of its own files before any data."""

from __future__ import annotations

import gzip
import re
from time import process_time

from layers.registry import LAYERS
from map_ui import assets, base
from map_ui.wall import SHELL, wall_map, wall_page

PAGES = 1000


def figures() -> dict[str, float]:
    """Return CPU of the first page, of each further one, and gzipped bytes by kind of file.

    The first page renders Folium's figure; the others only escape their attributes.
    """
    layers = list(LAYERS.values())
    start = process_time()
    base.rendered(wall_map())
    made = process_time()
    page = wall_page("610923", "dark", layers)
    warm = process_time()
    for number in range(PAGES):
        wall_page(f"610923{number}", "dark", layers)
    end = process_time()
    return {
        "wall_shell_cpu_ms": (made - start) * 1000,
        "wall_page_cpu_us": (end - warm) / PAGES * 1e6,
        "wall_html_bytes": float(len(page.html.encode())),
        **{f"wall_{kind}_gzip_bytes": float(_zipped(page.html, kind)) for kind in ("js", "css")},
    }


def _zipped(html: str, kind: str) -> int:
    found = re.findall(rf'"(/static/[^"]+\.{kind})"', html)
    return sum(len(gzip.compress(_content(address))) for address in found)


def _content(address: str) -> bytes:
    _, _, digest, path = address.split("/", 3)
    made = SHELL.file(path)
    if made is not None:
        return made
    file = assets.asset_path(digest, path)
    assert file is not None
    return file.read_bytes()
