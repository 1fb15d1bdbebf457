"""What the palette words of the layers' styles look like on the dark wall and in daylight."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# word: (dark, light)
PALETTE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ground": ("#0a1526", "#eef1ec"),
        "outside": ("#060d18", "#dfe4e2"),
        "label": ("#dce9fb", "#1c2b3a"),
        "label-soft": ("#93abc9", "#4d5f72"),
        "halo": ("#071020", "#ffffff"),
        "line-strong": ("#7fb4ff", "#3d5a80"),
        "line": ("#3e5f8f", "#8395aa"),
        "line-faint": ("#3a5680", "#c3ccd3"),
        "grid": ("#35608f", "#8aa0b8"),
        "grid-special": ("#b08cff", "#7a4fd0"),
        "water": ("#2f8fd8", "#7fb6dc"),
        "road": ("#4a5d7a", "#ffffff"),
        "road-strong": ("#a3b3cc", "#e0b45c"),
        "rail": ("#7d8aa0", "#6d7680"),
        "building": ("#22344f", "#d3cdc1"),
        "building-strong": ("#35557f", "#b9a98c"),
        "seen": ("#2fd08a", "#37b679"),
        "blind": ("#ff7a59", "#c2492a"),
        "hot": ("#ff4f8b", "#c2185b"),
        "people": ("#8fb7e8", "#45658c"),
        "camera": ("#35e0c8", "#00806f"),
        "camera-planned": ("#8fa3bd", "#5d6f85"),
        "offline": ("#a9b4c2", "#5c6570"),
        "device": ("#62c7ff", "#1d6fa5"),
        "part": ("#9aa9bd", "#5f6d7e"),
        "warn": ("#ffb13d", "#a86400"),
        "resource": ("#7ee08f", "#23803a"),
        "organisation": ("#c6b3ff", "#6246b5"),
        "place": ("#b8c7dc", "#52637a"),
        "key-place": ("#ffd166", "#946800"),
        "centre": ("#ffe08a", "#b03a00"),
        "worker": ("#4be37a", "#17823b"),
        "visit": ("#79d0c0", "#2d7d70"),
        "red": ("#ff5a5f", "#c9252b"),
        "yellow": ("#ffc73d", "#8a6100"),
        "blue": ("#5aa9ff", "#1763b8"),
        # a share from 0 to 1 in five steps of a fifth; the mark's colour word plus the step: on the
        # dark wall what is unseen lies dark, in daylight it stands out red
        "blind-ramp": ("#ff7a59", "#c2492a"),
        "blind-ramp-0": ("#2fc0a2", "#e3eee6"),
        "blind-ramp-1": ("#25907f", "#f5e8c6"),
        "blind-ramp-2": ("#206a70", "#f3cf95"),
        "blind-ramp-3": ("#1d4a64", "#e49c63"),
        "blind-ramp-4": ("#1b3252", "#c65f3c"),
    }
)
THEMES = ("dark", "light")


def theme_css() -> str:
    """Return the palette as custom properties (``--c-<word>``) of the page's two themes."""
    return "\n".join(_rule(theme, place) for place, theme in enumerate(THEMES)) + "\n"


def _rule(theme: str, place: int) -> str:
    colours = "".join(f"--c-{word}:{both[place]};" for word, both in PALETTE.items())
    return f'[data-theme="{theme}"]{{color-scheme:{theme};{colours}}}'
