"""Encodings: believed where the bytes bear it out, and told where they do not."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.load.encodings import TextEncoding, codec, refuse_unknown, text_encoding

NAMES = ["城关镇第一网格", "长安社区网格", "四亩地村", "兴隆村１组", "江口回族镇", "皇冠镇朝阳村"]
COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说"
    "产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使"
    "点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明"
)
GRID_WORDS = "镇村社区网格第一二三四五六七八九十组城关东西南北中新上下大小河沟坪街路桥湾"


def lines(texts: list[str], encoding: str) -> list[bytes]:
    return [text.encode(encoding) for text in texts]


@pytest.mark.parametrize(
    ("name", "known"),
    [("GBK", "gbk"), ("cp936", "gbk"), ("936", "gbk"), ("ANSI 936", "gbk"), ("65001", "utf-8"),
     ("UTF-8-SIG", "utf-8"), ("utf8", "utf-8"), ("Big5", "big5"), ("950", "cp950"), ("", None),
     ("klingon", None), ("zlib", None), ("rot13", None), ("undefined", None), ("\x00", None),
     ("../../x", None), ("x" * 999, None)],
)  # fmt: skip
def test_an_encoding_is_known_by_its_usual_names(name: str, known: str | None) -> None:
    assert codec(name) == known


def test_an_encoding_asked_for_that_nobody_knows_is_refused() -> None:
    for name in ("", "gbk", "936"):
        refuse_unknown(name)
    with pytest.raises(Refused) as refused:
        refuse_unknown("klingon" * 20)
    assert refused.value.code == "unknown-encoding"
    assert len(refused.value.zh) < 80 and len(refused.value.en) < 80


@pytest.mark.parametrize(
    "stated", ["", "utf-8", "gbk", "GB2312", "936", "big5", "cp950", "latin-1"]
)
@pytest.mark.parametrize("texts", [NAMES, NAMES[:1], ["网格"], [GRID_WORDS], ["grid", "城关"]])
def test_utf_8_is_read_as_utf_8_whatever_is_stated(stated: str, texts: list[str]) -> None:
    found = text_encoding(lines(texts, "utf-8"), stated)
    assert (found.used, found.reads_all) == ("utf-8", True)
    assert found.is_wrongly_stated == (stated not in ("", "utf-8"))


@pytest.mark.parametrize("stated", ["gbk", "gb18030", "GB2312"])
@pytest.mark.parametrize("texts", [NAMES, ["网格"], ["模"], ["牧民"], [GRID_WORDS], ["兴隆村Ａ"]])
def test_gbk_that_says_so_is_believed(stated: str, texts: list[str]) -> None:
    found = text_encoding(lines(texts, "gbk"), stated)
    assert found == TextEncoding(stated, str(codec(stated)))
    assert not found.is_odd


@pytest.mark.parametrize("stated", ["", "utf-8", "klingon"])
def test_gbk_that_says_something_else_is_found_and_told(stated: str) -> None:
    found = text_encoding(lines(NAMES, "gbk"), stated)
    assert (found.used, found.is_odd) == ("gb18030", True)
    assert found.is_wrongly_stated == bool(stated)
    zh, en = found.sentences
    assert "gb18030" in zh and "gb18030" in en and zh != en


def test_traditional_text_is_believed_where_it_says_so() -> None:
    found = text_encoding(lines(["臺北市萬華區", "龍山寺"], "cp950"), "big5")
    assert found == TextEncoding("big5", "big5")


@pytest.mark.parametrize("stated", ["", "utf-8", "gbk", "klingon"])
def test_plain_letters_are_in_every_encoding(stated: str) -> None:
    for pieces in ([], [b""], [b"grid 1", b"B000001"]):
        found = text_encoding(pieces, stated)
        assert found.reads_all
        assert found.is_wrongly_stated == (stated == "klingon")


def test_a_byte_order_mark_goes_before_what_is_stated() -> None:
    body = "网格".encode("utf-8-sig")
    assert text_encoding([body], "gbk").used == "utf-8"


def test_one_bad_row_does_not_turn_the_others_to_nonsense() -> None:
    for bad in (b"\xff\xff", "坏".encode("gbk"), b"\xe5\x9f"):
        body = "\n".join(NAMES).encode() + b"\n" + bad + b"\n"
        for stated in ("", "utf-8"):
            found = text_encoding([body], stated)
            assert found.used == "utf-8", (bad, stated)
            assert not found.reads_all


def test_what_nothing_reads_is_left_to_the_one_who_says() -> None:
    body = b"a\xff\xff\xffb"
    assert text_encoding([body]) == TextEncoding("", "utf-8", reads_all=False)
    assert text_encoding([body], "gbk") == TextEncoding("gbk", "gbk", reads_all=False)


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_character_cut_at_the_end_of_its_field_counts_for_nothing(encoding: str) -> None:
    cut = [text.encode(encoding)[:-1] for text in NAMES]
    assert text_encoding(cut, encoding, cut_bytes=3).reads_all
    assert not text_encoding(cut, encoding).reads_all


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.text(COMMON + GRID_WORDS, min_size=1, max_size=12), min_size=1, max_size=8))
def test_everyday_names_are_read_right_between_utf_8_and_gbk(texts: list[str]) -> None:
    # bytes that are UTF-8 as stated are believed: 一 in GBK alone is also a letter of Bashkir
    for encoding, stated in (("utf-8", "utf-8"), ("utf-8", "gbk"), ("gbk", "gbk")):
        found = text_encoding(lines(texts, encoding), stated)
        read = [piece.decode(found.used) for piece in lines(texts, encoding)]
        assert read == texts, (encoding, stated, found)


def test_every_unit_of_the_county_alone_is_read_right() -> None:
    table = files("gis_service.datasets").joinpath("ningshan_units.csv").read_text("utf-8")
    names = [row["name"] for row in csv.DictReader(io.StringIO(table))]
    assert len(names) == 92
    for name in names:
        for stated in ("utf-8", "gbk"):
            for encoding in ("utf-8", "gbk"):
                piece = name.encode(encoding)
                assert piece.decode(text_encoding([piece], stated).used) == name
