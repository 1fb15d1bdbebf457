"""Settings: read from the environment, checked, and each with a meaning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from gis_service.settings import Settings, default_data_dir, settings_table

FIELDS = Settings.model_fields


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_setting_has_a_default_and_says_what_it_means(name: str) -> None:
    field = FIELDS[name]
    assert not field.is_required()
    assert field.description is not None
    assert field.description.endswith(".")


@pytest.mark.parametrize(
    ("ending", "unit"), [("_s", "seconds"), ("_bytes", "bytes"), ("_hours", "hours")]
)
def test_a_quantity_names_its_unit(ending: str, unit: str) -> None:
    measured = {name: field for name, field in FIELDS.items() if name.endswith(ending)}
    assert measured
    assert all(unit in (field.description or "") for field in measured.values())


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_PORT", "8123")
    monkeypatch.setenv("GIS_COUNTY", "taipei")
    settings = Settings()
    assert (settings.port, settings.database_name) == (8123, "gis_taipei")


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("GIS_PORT", port)
    with pytest.raises(ValidationError, match="port"):
        Settings()


@pytest.mark.parametrize("county", ["", "Ningshan", "1a", "a-b", 'a"; drop', "a" * 50, "宁陕"])
def test_a_county_that_cannot_name_a_database_is_refused(county: str) -> None:
    with pytest.raises(ValidationError, match="county"):
        Settings(county=county)


def test_settings_do_not_change_after_they_are_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Settings(), "port", 1)  # noqa: B010 -- the type checker refuses the plain form


def test_half_a_certificate_is_none() -> None:
    assert not Settings(tls_cert=Path("a")).has_tls
    assert Settings(tls_cert=Path("a"), tls_key=Path("b")).has_tls


def test_data_live_outside_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    expected = "/var/lib/gis-service" if os.geteuid() == 0 else "/somewhere/gis-service"
    assert str(default_data_dir()) == expected


def bounds() -> list[tuple[str, object]]:
    """Return each setting that is a number with values that it must not take."""
    return [
        (name, value)
        for name, field in FIELDS.items()
        if field.annotation in (int, float)
        for value in (_BAD if name != "demo_seed" else ("", "x", "1.5", "nan"))
    ]


_BAD = ("0", "-1", "", "x", "nan", "١x", "1,5", "1 000")
# zero is a zoom, and no alert and no waiting line are a wish
MAY_BE_ZERO = {"tile_zoom_limit", "alerts_a_week", "print_queue_limit"}


@pytest.mark.parametrize(("name", "value"), bounds())
def test_a_number_that_makes_no_sense_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    if value == "0" and name in MAY_BE_ZERO:
        return
    monkeypatch.setenv(f"GIS_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("port", 1, 65535), ("tile_zoom_limit", 0, 24), ("position_days", 1, 30)],
)
def test_the_ends_of_a_range_are_in_it_and_one_more_is_not(
    name: str, least: int, most: int
) -> None:
    for value in (least, most):
        assert getattr(Settings.model_validate({name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError, match=name):
            Settings.model_validate({name: value})


def test_positions_of_workers_are_kept_no_longer_than_thirty_days() -> None:
    assert Settings().position_days == 30
    with pytest.raises(ValidationError, match="position_days"):
        Settings(position_days=31)


@pytest.mark.parametrize("word", ["true", "1", "yes", "on"])
def test_a_switch_is_set_by_the_usual_words(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("GIS_DEMO", word)
    assert Settings().demo


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIS_LANGUAGE", "fr"),
        ("GIS_LANGUAGE", "ZH"),
        ("GIS_LOG_LEVEL", "all"),
        ("GIS_DEMO", "maybe"),
        ("GIS_LOG_LEVEL", "INFO"),
        ("GIS_LOG_JSON", "2"),
    ],
)
def test_a_word_that_is_not_on_the_list_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_a_misspelt_setting_is_told_where_it_is_given_in_code() -> None:
    with pytest.raises(ValidationError, match="prot"):
        Settings.model_validate({"prot": 1})


@pytest.mark.parametrize("name", ["PORT", "gis_port", "GISPORT", "GIS_PORTS"])
def test_other_variables_of_the_environment_are_not_ours(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("GIS_PORT", raising=False)
    monkeypatch.setenv(name, "8123")
    expected = 8123 if name == "gis_port" else 8000  # letters' case makes no difference
    assert Settings().port == expected


def test_the_table_of_settings_has_a_line_for_each() -> None:
    lines = settings_table().splitlines()[2:]
    names = [line.split("`")[1] for line in lines]
    assert names == [f"GIS_{name.upper()}" for name in FIELDS]
    assert all(line.count("|") == 4 for line in lines)
