"""Numbers of persons are hidden however they are written; codes, dates and amounts are not."""

from __future__ import annotations

import time
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_service.personal_numbers import HIDDEN, without_personal_numbers

WEIGHTS = [2 ** (17 - place) % 11 for place in range(17)]  # GB 11643, by its own formula


def card(first: str) -> str:
    """Return a card's 18 characters from its first 17 (ISO 7064, mod 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True))
    return first + "10X98765432"[total % 11]


WOMAN, WITH_X = card("61092319850412352"), "11010519491231002X"
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PHONES = [
    "13912345678", "139 1234 5678", "139-1234-5678", "139.1234.5678", "139 123 45678",
    "139 12345678", "1391 234 5678", "+8613912345678", "+86 13912345678", "+86-139-1234-5678",
    "+86 139 1234 5678", "8613912345678", "86 13912345678", "008613912345678",
    "(+86)13912345678", "(+86) 139 1234 5678", "1 3 9 1 2 3 4 5 6 7 8", "1-3-9-1-2-3-4-5-6-7-8",
    "13912345678".translate(WIDE), "139－1234－5678", "139　1234　5678", "139–1234–5678",
    "１３９-1234-５６７８", "13912345678".translate(EASTERN), "139\u200b1234\u200b5678",
    "19900000000", "＋86 13912345678", "（+86）13912345678", "139\u00a01234\u00a05678",
]  # fmt: skip
CARDS = [
    WOMAN, WITH_X, WITH_X.lower(), WITH_X.translate(WIDE), WOMAN.translate(WIDE),
    "110105 19491231 002X", "110105-19491231-002X", "110105 1949 1231 002X",
    "110105 1949 12 31 002X", "1101 0519 4912 3100 2X", " ".join(WITH_X), "-".join(WOMAN),
    "110105194912310 02X", "11010519491231002 X", "110105　19491231　002X",
]  # fmt: skip
OLD_CARDS = [
    "110105491231002", "610923850412352", "610923620101001", "610923 850412 352",
    "610923-850412-352", "610923850412352".translate(WIDE), "440301350101001", "610923210412352",
    "610923560412352",
]  # fmt: skip


@pytest.mark.parametrize("number", [*PHONES, *CARDS, *OLD_CARDS[1:]])
@pytest.mark.parametrize(
    "words", ["{}", "张三{}李四", "电话：{}。", "({})", "a {} b", "第1组 {}", "{}\n{}", "<b>{}</b>"]
)
def test_a_number_of_a_person_is_hidden(number: str, words: str) -> None:
    expected = words.replace("{}", HIDDEN)
    assert without_personal_numbers(words.replace("{}", number)) == expected


CODES = [
    "610923", "610923100", "610923100001", "610923100001001", "610923100201001",
    "610923101201001", "610923110201012", "610923200201001", "610923400201001",
    "610923400101099", "610923500231001", "61092300001310000001", "61092300001320000123",
    "61092300 00 131 0 000001", "92990923KQ10CD9W8X", "91610923MA6TKQ0C8X", "B000001.1.2",
    "610923100001~12.3", "61092310000100100001", "CAM-2024-0131-0012", "610923-100001-001",
    "９２９９０９２３", "35693803564380012", "6109231000010010000100012",
]  # fmt: skip
DATES = [
    "20240131", "2024-01-31", "2024-01-31 08:30:00", "20240131083000", "2024.1.31-2024.12.31",
    "2024-01-31T08:30:00+08:00", "20240131 20241231", "1700000000", "1700000000000",
    "1998-0101-001", "2024/01/31—2024/12/31", "151 20240131", "第 151 号 20240131",
    "2024年1月31日 13:45:59", "1 3 5 7 9 11 13 15 17 19", "1-3-5-7-9-11-13",
]  # fmt: skip
AMOUNTS = [
    "15000000000元", "13912345678.50", "1391234567.8", "12,345,678,901", "15000 200000",
    "1500000 2000", "108.30123456789", "33.301234567890123", "3.14159265358979", "0.5",
    "13912345678㎡", "1,300,000,000", "108.3,33.3,108.4,33.4", "SRID=4490;POINT(108.3012 33.3012)",
    "15000000000亩", "100000000000000",
]  # fmt: skip
OTHERS = [
    "", "网格一", "029-88888888", "110", "12345", "010-12345678", "400-800-8820", "QQ 123456789",
    "x13912345678", "13912345678x", "1391234567", "139123456789", "12345678901", "10086",
    "B13912345678", "{{7*7}}", "\u202e", "Ａ１３９", "139 1234", "1 2 3", "192.168.100.200",
]  # fmt: skip


@pytest.mark.parametrize("text", [*CODES, *DATES, *AMOUNTS, *OTHERS])
@pytest.mark.parametrize("words", ["{}", "网格 {} 西", "（{}）", "{}、{}", "{};{}\n{}"])
def test_what_is_no_number_of_a_person_stays_byte_for_byte(text: str, words: str) -> None:
    whole = words.replace("{}", text)
    assert without_personal_numbers(whole) == whole


def test_every_grid_code_that_the_county_could_have_stays() -> None:
    """Up to 99 grids in every village of the county, and in one of every hundred of towns."""
    table = files("gis_service.datasets").joinpath("ningshan_units.csv").read_text("utf-8")
    villages = [line[:12] for line in table.splitlines() if line[:12].isdigit()]
    made = [
        f"610923{town:03}{village:03}"
        for town in (1, 99, 100, 199, 200, 299, 400, 500, 599)
        for village in (*range(1, 32), 101, 112, 131, 199, 201, 231, 399)
    ]
    assert len(villages) == 80
    for village in (*villages, *made):
        for grid in (1, 2, 31, 99):
            code = f"{village}{grid:03}"
            assert without_personal_numbers(code) == code


def test_an_identity_card_is_told_from_a_code_by_its_check_character_where_it_is_spaced() -> None:
    right = "110105 19491231 002X"
    assert without_personal_numbers(right) == HIDDEN
    for last in "0123456789":
        assert without_personal_numbers(right[:-1] + last) == right[:-1] + last
    assert without_personal_numbers("610923-2023-0101-0012") == "610923-2023-0101-0012"


def test_several_numbers_in_one_text_are_all_hidden_and_what_lies_between_stays() -> None:
    text = f"1.张{WOMAN}，13912345678；2.李 110105491231002x 15012345678/18612345678"
    assert without_personal_numbers(text) == (
        f"1.张{HIDDEN}，{HIDDEN}；2.李 110105491231002x {HIDDEN}/{HIDDEN}"
    )


def test_a_number_that_is_none_hides_no_other_one() -> None:
    assert without_personal_numbers("2024 1 13912345678") == f"2024 1 {HIDDEN}"
    assert without_personal_numbers("61 092 13912345678 1") == f"61 092 {HIDDEN} 1"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.integers(0, 999),
    st.lists(st.sampled_from(["", " ", "-", "－", "　", " -"]), min_size=17, max_size=17),
)
def test_a_card_is_hidden_wherever_it_is_parted(day: date, number: int, by: list[str]) -> None:
    whole = card(f"610923{day:%Y%m%d}{number:03}")
    parted = whole[0] + "".join(gap + digit for gap, digit in zip(by, whole[1:], strict=True))
    assert without_personal_numbers(f"证{parted}。") == f"证{HIDDEN}。"


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=80))
def test_any_text_keeps_what_is_not_hidden(text: str) -> None:
    found = without_personal_numbers(text)
    assert found == text or HIDDEN in found
    assert without_personal_numbers(found) == found


def test_long_hostile_text_is_read_in_no_time() -> None:
    for text in ("1 " * 50_000, "1" * 100_000, "1-" * 50_000, "+86(" * 20_000, "13 9" * 25_000):
        before = time.process_time()
        without_personal_numbers(text)
        assert time.process_time() - before < 30
