"""Settings: read from the environment, checked, and each with a meaning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from gis_service.settings import Settings, default_data_dir

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
