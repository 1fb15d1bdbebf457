"""What all our Folium elements share: their scripts and styles, kept by the instance."""

from __future__ import annotations

from folium.elements import JSCSSMixin
from folium.template import Template


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


class Filled(Part):
    """An empty part of the page that its own script fills and listens to.

    `kind` names the filling function, the style class and the family of its texts.
    """

    kind = ""

    def __init__(self) -> None:
        super().__init__(self.kind.capitalize())

    def markup(self) -> str:
        """Return the empty part."""
        return str(self._template.module.markup(self))


class Made(Part):
    """A part without markup: the browser calls `call` once, with the part's options.

    The call is a constant of ours; options are written as JSON.
    """

    call = ""

    _template = Template("""
        {% macro script(this, kwargs) %}
            {{ this.call }}({% if this.options %}{{ this.options|tojson }}{% endif %});
        {% endmacro %}
    """)

    def __init__(self, **options: object) -> None:
        super().__init__(type(self).__name__)
        self.options = options
