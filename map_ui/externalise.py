"""Takes a rendered Folium figure apart, so that nothing inline and nothing foreign is left."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from branca.element import CssLink, Element, Figure, JavascriptLink

from map_ui import assets

INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
WHOLE_LINE_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?:[^*]|\*(?!/))*\*/)[ \t]*\n", re.MULTILINE)
INDENT = re.compile(r"^\s+", re.MULTILINE)
# what a strict Content-Security-Policy would refuse: code, styles and handlers in the markup
REFUSED = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", re.I)


@dataclass(frozen=True)
class Parts:
    """What a page is made of: addresses of vendored files, own code and styles, and markup."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    script: str
    style: str
    markup: str


def localise(figure: Figure) -> None:
    """Rewrite every script and style link of a rendered figure to our own address.

    Raises
    ------
    KeyError
        For any address the manifest does not hold.
    """
    for link in _links(figure):
        link.url = assets.local_url(link.url)


def parts(figure: Figure) -> Parts:
    """Return a localised figure as addresses, code, styles and markup without either.

    Vendored files stay files of their own, cached for good; the pages' own scripts and styles
    are joined in the order of the elements and followed by what stood inline.
    """
    own: dict[str, list[str]] = {"js": [], "css": []}
    vendored: dict[str, list[str]] = {"js": [], "css": []}
    for link in _links(figure):
        path = link.url.split("/", 3)[3]
        kind = "js" if isinstance(link, JavascriptLink) else "css"
        if path.startswith("vendor/"):
            vendored[kind].append(link.url)
        else:
            own[kind].append(_without_comments(assets.own_text(path)))
    inline, markup = _split(_fragments(figure))
    return Parts(
        scripts=tuple(vendored["js"]),
        styles=tuple(vendored["css"]),
        script="\n".join([*own["js"], *inline["script"], figure.script.render()]),
        style="\n".join([*own["css"], *inline["style"]]),
        markup=_checked(markup),
    )


def sha8(text: bytes) -> str:
    """Return the first eight digits of a content's SHA-256, as addresses carry them."""
    return hashlib.sha256(text).hexdigest()[:8]


def _without_comments(text: str) -> str:
    """Leave out lines that only comment, and indentation; every page load carries them."""
    return INDENT.sub("", WHOLE_LINE_COMMENT.sub("", text))


def _links(figure: Figure) -> Iterator[JavascriptLink | CssLink]:
    for child in figure.header._children.values():
        if isinstance(child, JavascriptLink | CssLink):
            yield child


def _fragments(figure: Figure) -> str:
    heads = (
        child.render()
        for child in figure.header._children.values()
        if not isinstance(child, JavascriptLink | CssLink) and _is_code(child)
    )
    return "\n".join([*heads, figure.html.render()])


def _is_code(head: Element) -> bool:
    # Folium's own meta tags forbid zooming; the page writes better ones
    return INLINE.search(head.render()) is not None


def _split(fragments: str) -> tuple[dict[str, list[str]], str]:
    found: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in INLINE.findall(fragments):
        found[kind].append(text)
    return found, INLINE.sub("", fragments)


def _checked(markup: str) -> str:
    fault = REFUSED.search(markup)
    if fault is not None:
        raise ValueError(f"markup still holds {fault.group()!r}, which the policy refuses")
    return markup
