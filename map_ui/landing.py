"""Pages without a map: the landing page with its ways in, and the licences of what we serve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from map_ui import assets
from map_ui.base import Page, Shell
from map_ui.externalise import Parts
from map_ui.texts import text


@dataclass(frozen=True)
class WayIn:
    """A sign-in link of the demo: the role it signs in as, and its address on this server."""

    role: str
    address: str


def _parts() -> Parts:
    style = assets.own_text("css/page.css") + assets.own_text("css/landing.css")
    return Parts(scripts=(), styles=(), script="", style=style, markup="")


SHELL = Shell("landing", _parts)


def landing_page(
    county: str, ways_in: Sequence[WayIn] = (), wall: str | None = None, theme: str = "dark"
) -> Page:
    """Return the first page, in both languages, with no script at all.

    Parameters
    ----------
    county
        The county's name; shown as text whatever it holds.
    ways_in
        Sign-in links to show; none when the server is not in its demo or not on loopback.
    wall
        Address of the wall for who is signed in already.
    theme
        ``"dark"`` or ``"light"``.
    """
    parts = [
        '<main class="landing"><header>',
        _both("h1", "landing.title"),
        f'<p class="county">{escape(county)}</p>' if county else "",
        _both("p", "landing.lead", "lead"),
        "</header>",
        f'<p><a class="way" href="{escape(wall)}">{_words("landing.wall")}</a></p>' if wall else "",
        *_ways(ways_in),
        "" if ways_in or wall else _both("p", "landing.empty", "note"),
        f'<footer><a href="/licences">{_words("landing.licences")}</a></footer></main>',
    ]
    return SHELL.page(text("zh", "landing.title"), {"theme": theme}, "\n".join(filter(None, parts)))


def licences_page(theme: str = "dark") -> Page:
    """Return the page that names every vendored file's package, version and licence."""
    rows = "".join(_licence_row(asset) for asset in assets.manifest() if _is_licence(asset))
    columns = ("package", "version", "licence", "text")
    heads = "".join(f'<th scope="col">{_words(f"licences.{name}")}</th>' for name in columns)
    markup = (
        f'<main class="landing">{_both("h1", "licences.title")}'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f'<footer><a href="/">{_words("licences.back")}</a></footer></main>'
    )
    return SHELL.page(text("zh", "licences.title"), {"theme": theme}, markup)


def _ways(ways_in: Sequence[WayIn]) -> Iterable[str]:
    if not ways_in:
        return
    yield f'<section>{_both("h2", "landing.sign_in")}<ul class="ways">'
    for way in ways_in:
        words = _words(f"role.{way.role}")
        yield f'<li><a class="way" href="{escape(way.address)}">{words}</a></li>'
    yield f"</ul>{_both('p', 'landing.loopback', 'note')}</section>"


def _both(tag: str, key: str, shape: str = "") -> str:
    look = f' class="{shape}"' if shape else ""
    return f"<{tag}{look}>{_words(key)}</{tag}>"


def _words(key: str) -> str:
    return f'{escape(text("zh", key))} <span lang="en">{escape(text("en", key))}</span>'


def _is_licence(asset: assets.Asset) -> bool:
    return asset.path.endswith(".LICENSE.txt")


def _licence_row(asset: assets.Asset) -> str:
    cells = (asset.package, asset.version, asset.licence)
    plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    full = f'<a href="{assets.url(asset.path)}">{_words("licences.text")}</a>'
    return f"<tr>{plain}<td>{full}</td></tr>"
