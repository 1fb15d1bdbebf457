"""Seeded chance: one independent generator a subject, and noise fields made with it."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def chance(seed: int, subject: str) -> np.random.Generator:
    """Return the generator of one subject, untouched by what other subjects draw."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(subject.encode())]))


def fractal(rng: np.random.Generator, rows: int, columns: int, power: float) -> NDArray[np.float64]:
    """Return noise of mean 0 and deviation 1 whose amplitude falls as frequency ** -`power`.

    Spectral synthesis (Saupe 1988): white noise filtered in the frequency domain.
    """
    fy = np.fft.fftfreq(rows)[:, None]
    fx = np.fft.rfftfreq(columns)[None, :]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns))) * frequency**-power
    field = np.fft.irfft2(spectrum, s=(rows, columns))
    return np.asarray((field - field.mean()) / field.std())
