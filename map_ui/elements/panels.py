"""The boxes that lie over the map; the page holds them empty and the browser fills them."""

from __future__ import annotations

from folium.template import Template

from map_ui.elements.part import Filled, Part


class Panel(Filled):
    """An empty box with a heading; its script fills it with text nodes.

    `kind` names the filling function (``GIS.panels[kind]``), the text keys (``{kind}.title``)
    and the style class.
    """

    scripts: tuple[str, ...] = ("js/panels.js",)
    body = '<div class="body"></div>'

    _template = Template("""
        {% macro markup(this) %}
        <section class="panel {{ this.kind }}" id={{ this.get_name()|tojson }}
            aria-labelledby="{{ this.kind }}-title">
            <h2 id="{{ this.kind }}-title" data-t="{{ this.kind }}.title"></h2>
            {{ this.body }}
        </section>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            GIS.panel({{ this.kind|tojson }}, {{ this.get_name()|tojson }});
        {% endmacro %}
    """)


class Kpi(Panel):
    """The county's figures, each with its numerator and denominator."""

    kind = "kpi"


class Ranking(Panel):
    """The units below this one, ordered by how much was done in time, never by volume."""

    kind = "ranking"


class Staff(Panel):
    """Who is on duty, and the grids that have nobody."""

    kind = "staff"


class Coverage(Panel):
    """Who and what no camera sees, with every value that was assumed."""

    kind = "coverage"


class Hotspots(Panel):
    """The places where incidents gather more than chance would have it, as sentences."""

    kind = "hotspots"


class Alerts(Panel):
    """Hotspots that somebody is told of, with the next step for those who may take it."""

    kind = "alerts"
    scripts = ("js/alerts.js",)


class PlaceCard(Panel):
    """What is at the point that was clicked: block, grid, village, town, cameras."""

    kind = "place"


class Ticker(Panel):
    """The latest incidents; a screen reader hears new ones when it has nothing else to say."""

    kind = "ticker"
    body = '<ol class="body" aria-live="polite" aria-relevant="additions" tabindex="0"></ol>'


class Legend(Panel):
    """What the signs on the map mean; each layer's heading is the switch that hides it."""

    kind = "legend"
    scripts = ("js/symbols.js", "js/legend.js")


class Column(Part):
    """A column of panels at one side of the map; on a phone the columns follow it."""

    styles = ("css/panels.css",)

    _template = Template("""
        {% macro html(this, kwargs) %}
        <div class="column {{ this.side }}">
            {%- for panel in this._children.values() %}{{ panel.markup() }}{% endfor %}
        </div>
        {% endmacro %}
    """)

    def __init__(self, side: str, *panels: Panel) -> None:
        super().__init__("Column")
        self.side = side
        for panel in panels:
            self.add_child(panel)
