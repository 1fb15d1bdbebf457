"""The head of the wall: title, way up, clock, state of the line, language, theme and zoom."""

from __future__ import annotations

from folium.template import Template

from map_ui.elements.part import Filled, Part


class Control(Filled):
    """A small part of the page's head, filled and listened to by ``GIS.controls[kind]``."""

    scripts = ("js/controls.js",)

    _template = Template("""
        {% macro markup(this) %}
        <div class="control {{ this.kind }}" id={{ this.get_name()|tojson }}></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            GIS.control({{ this.kind|tojson }}, {{ this.get_name()|tojson }});
        {% endmacro %}
    """)


class Title(Control):
    """The unit on screen and the way back up to the county."""

    kind = "title"


class Clock(Control):
    """The county's date and time."""

    kind = "clock"


class Badge(Control):
    """Whether what is shown is live, stale since so many seconds, or cut off."""

    kind = "badge"


class LangSwitch(Control):
    """Chinese or English, without loading the page again."""

    kind = "language"


class ThemeSwitch(Control):
    """The dark wall or the light desk."""

    kind = "theme"


class Zoom(Control):
    """Nearer, farther, and back to the whole unit, for keyboard and pointer."""

    kind = "zoom"


class Header(Part):
    """The band over the map that holds the controls."""

    _template = Template("""
        {% macro html(this, kwargs) %}
        <header class="head">
            {%- for part in this._children.values() %}{{ part.markup() }}{% endfor %}
        </header>
        {% endmacro %}
    """)

    def __init__(self, *controls: Control) -> None:
        super().__init__("Header")
        for control in controls:
            self.add_child(control)
