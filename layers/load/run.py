"""One call for a whole load: description and files in, frames and a report that adds up out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from layers.load.dataset import Progress, dataset_frames
from layers.load.description import description


@dataclass(frozen=True)
class LoadReport:
    """What a load gives.

    Parameters
    ----------
    frames
        By table, ready for `layers.load.write.write_frames`; `finding` and `load_count` too.
    """

    frames: dict[str, pd.DataFrame]

    @property
    def counts(self) -> pd.DataFrame:
        """Return per source: rows in, loaded, rejected, and the reasons."""
        return self.frames["load_count"]

    @property
    def findings(self) -> pd.DataFrame:
        """Return every finding, one row each."""
        return self.frames["finding"]

    def findings_by_code(self) -> dict[tuple[str, str], int]:
        """Return how many findings there are of each layer and code."""
        return dict(Counter(zip(self.findings["layer"], self.findings["code"], strict=True)))

    def assumed(self) -> dict[str, dict[str, Any]]:
        """Return per source the values that are ours, not the source's."""
        county = self.frames.get("county")
        facts: dict[str, Any] = {} if county is None else county["facts"].iloc[0]
        return dict(facts.get("assumed", {}))


def load_dataset(
    description_path: Path, folder: Path, *, progress: Progress | None = None
) -> LoadReport:
    """Read a described dataset; nothing is written anywhere.

    Parameters
    ----------
    description_path
        The TOML file of mappings.
    folder
        Where the dataset's files are.
    progress
        Called as ``progress(step, steps_done, steps_in_all)``.

    Raises
    ------
    Refused
        See `layers.load.description.description` and `layers.load.dataset.dataset_frames`.
    """
    return LoadReport(dataset_frames(description(description_path), folder, progress=progress))
