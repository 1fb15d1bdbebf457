"""The entries of an archive, looked at one by one before anything is unpacked."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import PurePosixPath
from zipfile import ZipInfo

from grid_boundaries.errors import Refused, TooLarge, Unsupported
from layers.load.limits import Limits

NEEDED = (".shp", ".shx", ".dbf", ".prj")
PARTS = (*NEEDED, ".cpg")
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1


def checked_entries(entries: list[ZipInfo], limits: Limits) -> dict[PurePosixPath, ZipInfo]:
    """Return the files of an archive by the path each is to have; folders are left out.

    Raises
    ------
    TooLarge
        Too many entries, too many bytes or too high a ratio, by what the archive says.
    Unsupported
        An Office file, or an archive in the archive.
    Refused
        Entries that overlap, a name that leads elsewhere, a link, an encrypted entry.
    """
    if len(entries) > limits.archive_files:
        raise too_large("entries", len(entries), limits.archive_files)
    _check_overlaps(entries)
    files = {_path(entry): entry for entry in entries if not _name(entry).endswith("/")}
    for path, entry in files.items():
        _check_entry(path, entry)
        _check_kind(path)
    _check_sizes(entries, limits)
    return files


def shapefile_parts(files: dict[PurePosixPath, ZipInfo]) -> dict[str, ZipInfo]:
    """Return the entries of the one Shapefile by suffix.

    Raises
    ------
    Refused
        No Shapefile, several, or one that lacks a part (by name).
    """
    stem = _only_stem(files)
    parts = {path.suffix.lower(): files[path] for path in files if path.with_suffix("") == stem}
    missing = [suffix for suffix in NEEDED if suffix not in parts]
    if missing:
        raise Refused(
            "missing-part",
            f"Shapefile 缺少 {'、'.join(missing)}",
            f"The Shapefile lacks {', '.join(missing)}",
            missing=missing,
        )
    return {suffix: parts[suffix] for suffix in PARTS if suffix in parts}


def too_large(what: str, found: int, limit: int) -> TooLarge:
    """Return the refusal of an archive that holds too much of something."""
    return TooLarge(
        "archive-too-large",
        f"压缩包过大（{what}：{found}，上限 {limit}）",
        f"The archive is too large ({what}: {found}, limit {limit})",
        what=what,
        found=found,
        limit=limit,
    )


def _only_stem(paths: Iterable[PurePosixPath]) -> PurePosixPath:
    stems = {path.with_suffix("") for path in paths if path.suffix.lower() in NEEDED}
    if len(stems) == 1:
        return stems.pop()
    raise Refused(
        "which-shapefile" if stems else "no-shapefile",
        f"压缩包内应有且只有一个 Shapefile，实有 {len(stems)} 个",
        f"The archive should hold one Shapefile, and holds {len(stems)}",
        found=sorted(str(stem) for stem in stems)[:10],
    )


def _name(entry: ZipInfo) -> str:
    """Return an entry's name; without the UTF-8 flag it is taken for GBK, as Windows writes."""
    if entry.flag_bits & UTF8_FLAG:
        return entry.orig_filename
    raw = entry.orig_filename.encode("cp437", errors="replace")
    return raw.decode("gb18030", errors="replace")


def _path(entry: ZipInfo) -> PurePosixPath:
    return PurePosixPath(_name(entry).replace("\\", "/"))


def _check_overlaps(entries: list[ZipInfo]) -> None:
    ends = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < ends:
            raise _refused("overlapping-entries", "压缩包内条目重叠", "Entries overlap", entry)
        ends = entry.header_offset + entry.compress_size


def _check_entry(path: PurePosixPath, entry: ZipInfo) -> None:
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    for is_bad, code, zh, en in (
        (_leads_elsewhere(path), "unsafe-name", "压缩包内文件名不安全", "A name leads elsewhere"),
        (is_link, "link-in-archive", "压缩包内有链接", "The archive holds a link"),
        (entry.flag_bits & ENCRYPTED_FLAG, "encrypted", "压缩包已加密", "The archive is encrypted"),
    ):
        if is_bad:
            raise _refused(code, zh, en, entry)


def _leads_elsewhere(path: PurePosixPath) -> bool:
    # a nameless entry would be the folder itself
    if not path.parts or path.is_absolute() or ".." in path.parts:
        return True
    return "\x00" in str(path) or ":" in path.parts[0]


def _check_kind(path: PurePosixPath) -> None:
    if str(path) == "[Content_Types].xml":
        raise Unsupported(
            "wrong-content",
            "内容是 Office 文件，不是 Shapefile 压缩包",
            "The content is an Office file, not a zipped Shapefile",
        )
    if path.suffix.lower() == ".zip":
        raise Unsupported(
            "archive-in-archive", "压缩包内还有压缩包", "There is an archive in the archive"
        )


def _check_sizes(entries: list[ZipInfo], limits: Limits) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if unpacked > limits.unzipped_bytes:
        raise too_large("bytes", unpacked, limits.unzipped_bytes)
    if unpacked / packed > limits.unzip_ratio:
        raise too_large("ratio", round(unpacked / packed), round(limits.unzip_ratio))


def _refused(code: str, zh: str, en: str, entry: ZipInfo) -> Refused:
    return Refused(code, zh, en, entry=_name(entry).replace("\x00", "\ufffd")[:80])
