"""The documents say what is true: settings, terms, addresses, and nothing that is not ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gis_service.settings import Settings, settings_table
from layers.registry import LAYERS

ROOT = Path(__file__).parents[2]


def tracked_texts() -> dict[str, str]:
    """Return the text of every file under version control, or of every file without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    texts = {}
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes()[:8192]:
            texts[name] = path.read_text(encoding="utf-8")
    return texts


def test_the_settings_page_lists_every_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_table() in page
    assert page.count("| `GIS_") == len(Settings.model_fields)


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_links_of_the_readme_lead_somewhere(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []


def test_every_command_of_the_readme_is_a_target_of_the_makefile() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) - {"and"} <= targets


def test_both_readmes_name_the_same_commands() -> None:
    commands = [
        sorted(set(re.findall(r"(?:make|gis-service) [a-z]+", (ROOT / name).read_text("utf-8"))))
        for name in ("README.md", "README.zh.md")
    ]
    assert set(commands[1]) <= set(commands[0])


def test_every_layer_has_a_term() -> None:
    terms = (ROOT / "docs" / "terms.md").read_text(encoding="utf-8")
    assert "hotspot" in terms
    assert [layer for layer in LAYERS.values() if not (layer.title.zh and layer.title.en)] == []


def test_no_lock_file_names_where_packages_come_from() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in re.sub(r'"(url|funding)": *"[^"]*"', "", text), name


def test_nothing_is_left_to_be_done_without_a_place() -> None:
    word = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
    found = [name for name, text in tracked_texts().items() if word.search(text)]
    assert found == []
