"""The texts and colours of the interface are complete."""

from __future__ import annotations

import re

import pytest

from gis_service.access import RIGHTS_OF_ROLE
from layers.registry import LAYERS
from map_ui import assets
from map_ui.landing import landing_page
from map_ui.texts import LANGUAGES, text, texts
from map_ui.themes import PALETTE, THEMES, theme_css
from map_ui.wall import wall_page

MARKS = [
    (layer.name, value, mark)
    for layer in LAYERS.values()
    for value, mark in layer.style.marks.items()
]
KPIS = [
    "incidents_today", "incidents_overdue", "report_coverage", "dispatch_in_time", "closed_rate",
    "satisfaction", "on_duty", "cameras_online", "people_unseen", "key_places_seen",
]  # fmt: skip


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    chinese, english = (list(texts(language)) for language in LANGUAGES)
    assert chinese == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_its_own_key(language: str) -> None:
    assert not [key for key, said in texts(language).items() if not said.strip() or said == key]


def test_both_languages_take_the_same_values() -> None:
    def holes(language: str) -> dict[str, set[str]]:
        return {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in texts(language).items()}

    assert holes("zh") == holes("en")


def test_english_texts_are_english_but_for_the_language_switch() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert [key for key, said in texts("en").items() if chinese.search(said)] == ["language.other"]


def test_a_key_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("zh", "no.such.key")
    with pytest.raises(FileNotFoundError):
        texts("fr")


def test_every_key_that_a_script_or_page_names_is_written() -> None:
    own = "".join(path.read_text("utf-8") for path in assets.STATIC.glob("js/*.js"))
    own += wall_page("1", "dark", list(LAYERS.values())).html
    named = set(
        re.findall(
            r'(?:text\(|data-t="|data-t-label="|dataset\.t = |tLabel = )"?([a-z_]+\.[a-z_0-9]+)"',
            own,
        )
    )
    assert len(named) > 20
    assert named <= set(texts("zh"))


@pytest.mark.parametrize("key", KPIS)
def test_every_figure_has_a_name(key: str) -> None:
    assert f"kpi.{key}" in texts("zh")


@pytest.mark.parametrize("role", ["leader", "command", "planner", "town_centre", "village_centre",
                                  "chief", "worker", "cadre", "department", "auditor",
                                  "integration"])  # fmt: skip
def test_every_role_has_a_name_on_the_landing_page(role: str) -> None:
    assert f"role.{role}" in texts("zh")
    assert landing_page("", ()).html


@pytest.mark.parametrize(("layer", "value", "mark"), MARKS)
def test_every_colour_word_of_a_style_has_a_colour(layer: str, value: str, mark: object) -> None:
    assert getattr(mark, "colour", None) in PALETTE, (layer, value)


@pytest.mark.parametrize(("layer", "value", "mark"), MARKS)
def test_every_symbol_of_a_style_is_drawn(layer: str, value: str, mark: object) -> None:
    own = (assets.STATIC / "js/symbols.js").read_text("utf-8")
    own += (assets.STATIC / "js/paint.js").read_text("utf-8")
    symbol = str(getattr(mark, "symbol", ""))
    assert re.search(rf'["\s{{]?"?{re.escape(symbol)}"?:|"{re.escape(symbol)}"', own), (
        layer,
        value,
    )


@pytest.mark.parametrize("place", range(len(THEMES)), ids=THEMES)
@pytest.mark.parametrize("word", ["label", "label-soft", "red", "yellow", "blue"])
def test_what_is_read_stands_out_from_the_ground(word: str, place: int) -> None:
    assert contrast(PALETTE[word][place], PALETTE["ground"][place]) >= 4.5


def test_each_step_of_the_ramp_is_told_from_the_next() -> None:
    for place in range(len(THEMES)):
        steps = [luminance(PALETTE[f"blind-ramp-{step}"][place]) for step in range(5)]
        assert steps in (sorted(steps), sorted(steps, reverse=True))


def test_the_style_sheet_has_every_colour_of_both_themes() -> None:
    sheet = theme_css()
    for place, theme in enumerate(THEMES):
        rule = next(line for line in sheet.splitlines() if f'"{theme}"' in line)
        assert all(f"--c-{word}:{both[place]};" in rule for word, both in PALETTE.items())


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.1, 1.4.3)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("role", sorted(RIGHTS_OF_ROLE))
def test_every_role_has_a_name_in_both_languages(role: str) -> None:
    assert text("zh", f"role.{role}")
    assert text("en", f"role.{role}")
