"""What all our Folium elements share: their scripts and styles, kept by the instance."""

from __future__ import annotations

from folium.elements import JSCSSMixin


class Part(JSCSSMixin):
    """A piece of a page with files of its own.

    Folium keeps links in lists of the class, and `add_js_link` changes them for every map of the
    process; here each instance has its own, made of the asset paths in `scripts` and `styles`.
    """

    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        JSCSSMixin.__init__(self)
        self._name = name
        self.default_js = [(path, path) for path in self.scripts]
        self.default_css = [(path, path) for path in self.styles]
