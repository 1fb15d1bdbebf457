"""Zipped Shapefiles: the archive is checked entry by entry before anything is unpacked."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import DEFAULT, Limits

NEEDED = (".shp", ".shx", ".dbf", ".prj")
PARTS = (*NEEDED, ".cpg")
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
READ_BYTES = 1 << 16


@contextmanager
def unzipped_shapefile(path: Path, *, limits: Limits = DEFAULT) -> Iterator[Path]:
    """Unpack the one Shapefile of an archive and give its .shp; nothing is left afterwards.

    Names in GBK are read right. Other files in the archive are left alone.

    Raises
    ------
    TooLarge
        Too many entries, too large when unpacked, or packed beyond the allowed ratio; by what
        really comes out, not by what the archive says.
    Unsupported
        An Office file, or an archive in the archive.
    Refused
        No archive, a name that leads elsewhere, a link, entries that overlap, no Shapefile or
        several, or a missing part (by name).
    """
    with TemporaryDirectory(prefix="gis-load-") as folder:
        try:
            with ZipFile(path) as archive:
                entries = _checked_entries(archive, limits)
                parts = _parts(entries)
                left = _bound_bytes(path, limits)
                for suffix, entry in parts.items():
                    left -= _unpacked(archive, entry, Path(folder) / f"layer{suffix}", left)
        # zipfile says NotImplementedError of a compression it does not know
        except (BadZipFile, NotImplementedError, EOFError, struct.error) as error:
            raise Refused(
                "broken-archive", "压缩包损坏", "The archive is broken", file=path.name
            ) from error
        yield Path(folder) / "layer.shp"


def encoding_of(shp: Path) -> str:
    """Return the encoding of a Shapefile's attributes: as its .cpg says, else as the bytes read.

    Raises
    ------
    Refused
        Neither UTF-8 nor GB18030 can read the attributes; with a sample.
    """
    stated = shp.with_suffix(".cpg")
    if stated.exists():
        return stated.read_text("ascii", errors="replace").strip()[:20]
    text = shp.with_suffix(".dbf").read_bytes()
    for encoding in ("utf-8", "gb18030"):
        try:
            text[32:].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Refused(
        "unknown-encoding",
        "属性表的编码不明；请附 .cpg 文件",
        "The encoding of the attributes is unknown; add a .cpg file",
        sample=text[-200:].decode("gb18030", errors="replace")[:60],
    )


def _checked_entries(archive: ZipFile, limits: Limits) -> dict[str, ZipInfo]:
    entries = archive.infolist()
    if len(entries) > limits.archive_files:
        raise _too_large("entries", len(entries), limits.archive_files)
    named = {_name(entry): entry for entry in entries if not entry.is_dir()}
    ends = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < ends:
            raise _refused("overlapping-entries", "压缩包内条目重叠", "Entries overlap", entry)
        ends = entry.header_offset + entry.compress_size
    for name, entry in named.items():
        _check_name(name, entry)
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if unpacked > limits.unzipped_bytes:
        raise _too_large("bytes", unpacked, limits.unzipped_bytes)
    if unpacked / packed > limits.unzip_ratio:
        raise _too_large("ratio", round(unpacked / packed), round(limits.unzip_ratio))
    return named


def _name(entry: ZipInfo) -> str:
    """Return an entry's name; without the UTF-8 flag it is taken for GBK, as Windows writes."""
    if entry.flag_bits & UTF8_FLAG:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437", errors="replace")
    return raw.decode("gb18030", errors="replace")


def _check_name(name: str, entry: ZipInfo) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if "\x00" in name or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise _refused("unsafe-name", "压缩包内文件名不安全", "A name leads elsewhere", entry)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused("link-in-archive", "压缩包内有链接", "The archive holds a link", entry)
    if entry.flag_bits & ENCRYPTED_FLAG:
        raise _refused("encrypted", "压缩包已加密", "The archive is encrypted", entry)
    if name == "[Content_Types].xml":
        raise Unsupported(
            "wrong-content",
            "内容是 Office 文件，不是 Shapefile 压缩包",
            "The content is an Office file, not a zipped Shapefile",
        )
    if path.suffix.lower() == ".zip":
        raise Unsupported(
            "archive-in-archive", "压缩包内还有压缩包", "There is an archive in the archive"
        )


def _parts(entries: dict[str, ZipInfo]) -> dict[str, ZipInfo]:
    """Return the entries of the one Shapefile by suffix."""
    paths = {PurePosixPath(name.replace("\\", "/")): entry for name, entry in entries.items()}
    stems = {path.with_suffix("") for path in paths if path.suffix.lower() in NEEDED}
    if len(stems) != 1:
        names = sorted(str(stem) for stem in stems)
        raise Refused(
            "which-shapefile" if stems else "no-shapefile",
            f"压缩包内应有且只有一个 Shapefile，实有 {len(stems)} 个",
            f"The archive should hold one Shapefile, and holds {len(stems)}",
            found=names[:10],
        )
    stem = stems.pop()
    parts = {p.suffix.lower(): entry for p, entry in paths.items() if p.with_suffix("") == stem}
    missing = [suffix for suffix in NEEDED if suffix not in parts]
    if missing:
        raise Refused(
            "missing-part",
            f"Shapefile 缺少 {'、'.join(missing)}",
            f"The Shapefile lacks {', '.join(missing)}",
            missing=missing,
        )
    return {suffix: entry for suffix, entry in parts.items() if suffix in PARTS}


def _bound_bytes(path: Path, limits: Limits) -> int:
    return min(limits.unzipped_bytes, round(path.stat().st_size * limits.unzip_ratio))


def _unpacked(archive: ZipFile, entry: ZipInfo, target: Path, left_bytes: int) -> int:
    """Write an entry and return its real size; stop when more comes out than is left."""
    size = 0
    with archive.open(entry) as packed, target.open("wb") as file:
        while piece := packed.read(READ_BYTES):
            size += len(piece)
            if size > left_bytes:
                raise _too_large("bytes", size, left_bytes)
            file.write(piece)
    return size


def _too_large(what: str, found: int, limit: int) -> TooLarge:
    return TooLarge(
        "archive-too-large",
        f"压缩包过大（{what}：{found}，上限 {limit}）",
        f"The archive is too large ({what}: {found}, limit {limit})",
        what=what,
        found=found,
        limit=limit,
    )


def _refused(code: str, zh: str, en: str, entry: ZipInfo) -> Refused:
    return Refused(code, zh, en, entry=_name(entry).replace("\x00", "\ufffd")[:80])
