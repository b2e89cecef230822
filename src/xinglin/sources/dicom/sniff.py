"""What a file holds, told by its name and first bytes: a DICOM object, a DICOMDIR, or something else."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["has_prefix", "is_dicom", "is_directory"]

_NAME = re.compile(r"(?i).*\.(dcm|dicom|ima)(\.gz|\.zst|\.zstd)?").fullmatch
_VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)
_BINARY = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_FIRST_GROUPS = (0x0002, 0x0008)
_DIRECTORY = b"1.2.840.10008.1.3.10"
_STORAGE_CLASS = b"\x02\x00\x02\x00"
_LONGEST_FIRST = 4_096
_LAST_FIRST = 0x0070


def has_prefix(head: bytes) -> bool:
    """Whether it begins as DICOM files do: 128 bytes of anything, then DICM (PS3.10, section 7.1).

    Example:
        >>> has_prefix(bytes(128) + b"DICM"), has_prefix(b"DICM")
        (True, False)
    """
    return head[128:132] == b"DICM"


def is_dicom(name: str, head: bytes) -> bool:
    """Whether it is a DICOM object: by the prefix, by a data element at its very beginning, or by its name.

    A name alone does not make a text DICOM.

    Args:
        name: Name of the file.
        head: Its first bytes.

    Example:
        >>> is_dicom("a", b"\\x08\\x00\\x05\\x00CS\\x0a\\x00ISO_IR 100")
        True
        >>> is_dicom("a.dcm", b'{"resourceType":"Patient"}'), is_dicom("a.ima", bytes(9))
        (False, True)
    """
    return has_prefix(head) or _begins_with_element(head) or (bool(_NAME(name)) and not _is_text(head))


def is_directory(head: bytes) -> bool:
    """Whether the storage class that the file names is that of a DICOMDIR (PS3.10, section 8.6).

    Example:
        >>> is_directory(bytes(128) + b"DICM\\x02\\x00\\x02\\x00UI\\x14\\x001.2.840.10008.1.3.10")
        True
    """
    at = head.find(_STORAGE_CLASS, 0, 1_000)
    if at < 0:
        return False
    end = at + 8 + len(_DIRECTORY)
    return head[at + 8 : end] == _DIRECTORY and head[end : end + 1] in (b"", b"\x00", b" ", b"\x02")


def _begins_with_element(head: bytes) -> bool:
    """Little or big endian, with or without value representation; groups 2 and 8 come first."""
    if len(head) < 8:
        return False
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        group = int.from_bytes(head[:2], order)
        if group not in _FIRST_GROUPS or int.from_bytes(head[2:4], order) > _LAST_FIRST:
            continue
        if head[4:6] in _VRS:
            return head[4:6] in _BINARY or int.from_bytes(head[6:8], order) <= _LONGEST_FIRST
        if order == "little":
            length = int.from_bytes(head[4:8], "little")
            return length <= _LONGEST_FIRST and length <= len(head) and length % 2 == 0
    return False


def _is_text(head: bytes) -> bool:
    start = head[:1_000]
    return bool(start) and not any(byte < 9 for byte in start)
