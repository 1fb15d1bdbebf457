"""Numbers and names of people and bodies that are provably made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis_service.demo.raster import Flags, Ints

REGION = "990923"  # no region code begins with 99
PHONE = "1200"  # no mobile number begins with 12
_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECKS = np.array(list("10X98765432"))
_ORG_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORG_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
SURNAMES = list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕")
GIVEN = list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国春梅志文秀珍海燕永福")

Texts = NDArray[np.str_]


def id_numbers(born_on: pd.Series, female: Flags) -> list[str]:
    """Return 18-character numbers with a valid GB 11643 check character, each of them once."""
    day = (born_on.dt.year * 100 + born_on.dt.month) * 100 + born_on.dt.day
    nth = day.groupby(day).cumcount().to_numpy() + 1
    serial = 2 * nth + np.where(female, 0, 1)
    body = day.to_numpy(dtype=np.int64) * 1_000 + serial
    digits = np.concatenate(
        [
            np.broadcast_to([int(digit) for digit in REGION], (len(body), len(REGION))),
            body[:, None] // 10 ** np.arange(10, -1, -1) % 10,
        ],
        axis=1,
    )
    check = _ID_CHECKS[digits @ _ID_WEIGHTS % 11]
    return [f"{REGION}{n}{c}" for n, c in zip(body.tolist(), check.tolist(), strict=True)]


def credit_codes(count: int, rng: np.random.Generator) -> list[str]:
    """Return 18-character codes with a valid GB 32100 check character in a region 99."""
    body = rng.integers(0, len(_ORG_ALPHABET), (count, 9))
    first = ["92" + REGION + "".join(_ORG_ALPHABET[i] for i in row) for row in body]
    value = np.array([[_ORG_ALPHABET.index(c) for c in text] for text in first])
    check = (31 - value @ _ORG_WEIGHTS % 31) % 31
    return [text + _ORG_ALPHABET[int(i)] for text, i in zip(first, check, strict=True)]


def phones(first: int, count: int) -> list[str]:
    """Return `count` numbers in the unassigned block, from the `first` on."""
    return [f"{PHONE}{number:07d}" for number in range(first, first + count)]


def names(count: int, rng: np.random.Generator, surname: Ints | None = None) -> list[str]:
    """Return made-up names; `surname` fixes the family name by its place in SURNAMES."""
    family = rng.integers(0, len(SURNAMES), count) if surname is None else surname
    one, two = rng.integers(0, len(GIVEN), count), rng.integers(0, len(GIVEN), count)
    short = rng.random(count) < 0.25
    return [
        SURNAMES[f] + GIVEN[a] + ("" if s else GIVEN[b])
        for f, a, b, s in zip(
            family.tolist(), one.tolist(), two.tolist(), short.tolist(), strict=True
        )
    ]
