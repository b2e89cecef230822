"""The header of a DICOM object as raw values, read by pydicom up to the first element that is not needed."""

from __future__ import annotations

import logging
import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING, Any

from xinglin.sources.dicom.characters import decode, encodings_of, guess, is_designated
from xinglin.sources.dicom.sniff import has_prefix
from xinglin.sources.record import Rejected

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Header", "quiet", "read_header"]

_CHARACTER_SET = 0x00080005
_TAGS = (
    _CHARACTER_SET, 0x00080016, 0x00080018, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00080030, 0x00080031,
    0x00080032, 0x00080033, 0x00080050, 0x00080060, 0x00080090, 0x00080201, 0x00081030, 0x0008103E, 0x00082218,
    0x00100010, 0x00100020, 0x00100021, 0x00100024, 0x00100030, 0x00100040, 0x00101000, 0x00101002, 0x00101010,
    0x00180015, 0x0020000D, 0x0020000E, 0x00200011, 0x00200013, 0x00200060,
)  # fmt: skip
_LAST_GROUP = 0x0020
_UIDS = (0x00080018, 0x0020000D, 0x0020000E)
_STORED = {0x00080016: 0x00020002, 0x00080018: 0x00020003}
_TRANSFER_SYNTAX = 0x00020010
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_INFLATED_BYTES = 4_000_000
_LONGEST = 1_024
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WHOLE = re.compile(rb"[+-]?[0-9]{1,12}").fullmatch
_LOCK = RLock()


class Header:
    """Values of a header, each None where it is absent, empty, or not what it should be.

    Args:
        elements: The elements as pydicom read them.
        encodings: Character sets of the header around it, for the items of a sequence.
        meta: The file meta information, which also names class and instance.
    """

    def __init__(self, elements: Dataset, encodings: tuple[str, ...] = (), meta: Dataset | None = None) -> None:
        self._elements = elements
        self._raws = _raws(elements)
        if meta is not None:
            stored = _raws(meta)
            self._raws = {own: stored[named] for own, named in _STORED.items() if named in stored} | self._raws
        self.encodings = encodings_of(_character_sets(elements)) or encodings

    def text(self, tag: int) -> str | None:
        """The first value of a text, without padding and control characters."""
        raw = self._raws.get(tag, b"").strip(b"\x00 ")
        if not raw or len(raw) > 4 * _LONGEST:
            return None
        found = _CONTROL.sub("", decode(raw, self.encodings)).split("\\")[0].strip()
        return found if 0 < len(found) <= _LONGEST else None

    def texts(self, tag: int) -> list[str]:
        """All values of a text."""
        raw = self._raws.get(tag, b"").strip(b"\x00 ")
        if not raw or len(raw) > 4 * _LONGEST:
            return []
        found = (value.strip() for value in _CONTROL.sub("", decode(raw, self.encodings)).split("\\"))
        return [value for value in found if value]

    def word(self, tag: int) -> str | None:
        """The first value where it is plain ASCII: a code, a date, a UID."""
        raw = self._raws.get(tag, b"").split(b"\\")[0].strip(b"\x00 ")
        if not raw or len(raw) > 256 or not raw.isascii():
            return None
        found = raw.decode("ascii")
        return found if found.isprintable() else None

    def number(self, tag: int) -> int | None:
        """A whole number that FHIR can hold as unsigned."""
        raw = self._raws.get(tag, b"").split(b"\\")[0].strip(b"\x00 ")
        found = int(raw) if _WHOLE(raw) else -1
        return found if 0 <= found < 2**31 else None

    def name_groups(self, tag: int) -> list[list[str]]:
        """The alphabetic, ideographic and phonetic groups of a person's name, each as its up to five components."""
        from pydicom.valuerep import PersonName

        raw = self._raws.get(tag, b"").strip(b"\x00 ")
        if not raw or len(raw) > 4 * _LONGEST:
            return []
        encodings = self.encodings or (("iso8859",) if raw.isascii() else guess(raw))
        if is_designated(raw):
            raw, encodings = decode(raw, encodings).encode(), ("utf-8",)
        groups = [str(group) for group in PersonName(raw, list(encodings)).components]
        return [
            [part.strip() for part in _CONTROL.sub("", group).split("\\")[0].split("^")[:5]] for group in groups[:3]
        ]

    def items(self, tag: int) -> list[Header]:
        """The items of a sequence."""
        if tag not in self._elements:
            return []
        try:
            found: Any = self._elements[tag]
            return [Header(item, self.encodings) for item in found.value] if found.VR == "SQ" else []
        except Exception:  # whatever pydicom makes of broken bytes: the other elements are good
            return []


def read_header(data: bytes) -> Header:
    """Read the header of an object.

    Args:
        data: The whole object.

    Raises:
        Rejected: pydicom cannot read it.

    Example:
        >>> read_header(b"\\x08\\x00\\x60\\x00CS\\x02\\x00CT").word(0x00080060)
        'CT'
    """
    try:
        found = _partial(data, _is_behind)
        if not all(found.text(tag) for tag in _UIDS):
            # Elements out of their order: look for them to the end, but for the pixels.
            found = _partial(data, _is_pixels)
        return found
    except (Rejected, MemoryError):
        raise
    except Exception as error:  # broken bytes raise whatever the line of pydicom they reach happens to raise
        raise Rejected("damaged-dicom", f"expected a DICOM header ({type(error).__name__})") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that pydicom warns of or logs comes out: it names values.

    Filters and loggers belong to the whole process, so only one thread at a time reads; parsing is Python and would
    not run beside another thread anyway.
    """
    log = logging.getLogger("pydicom")
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was = log.disabled
        log.disabled = True
        try:
            yield
        finally:
            log.disabled = was


def _raws(elements: Dataset) -> dict[int, bytes]:
    """Values that pydicom has not decoded, by tag."""
    from pydicom.dataelem import RawDataElement

    return {
        int(one.tag): one.value
        for one in elements.elements()
        if isinstance(one, RawDataElement) and isinstance(one.value, bytes) and one.VR != "SQ" and one.value
    }


def _character_sets(elements: Dataset) -> list[str]:
    """Values of (0008,0005), which pydicom has decoded by itself at the outermost level."""
    found = elements.get(_CHARACTER_SET)
    value = getattr(found, "value", None)
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _is_behind(tag: int, vr: str | None, length: int) -> bool:
    return tag >> 16 > _LAST_GROUP


def _is_pixels(tag: int, vr: str | None, length: int) -> bool:
    return tag >> 16 == 0x7FE0


def _is_after_meta(tag: int, vr: str | None, length: int) -> bool:
    return tag >> 16 != 2


def _partial(data: bytes, stop: Callable[[int, str | None, int], bool]) -> Header:
    from pydicom.filereader import read_dataset, read_partial

    wanted: Any = list(_TAGS)
    if _DEFLATED in data[:4_096] and has_prefix(data):
        file = BytesIO(data)
        file.seek(132)
        meta = read_dataset(file, False, True, stop_when=_is_after_meta)
        if Header(meta).word(_TRANSFER_SYNTAX) == _DEFLATED.decode():
            inflated = BytesIO(_inflated(data[file.tell() :]))
            return Header(read_dataset(inflated, False, True, stop_when=stop, specific_tags=wanted), meta=meta)
    found = read_partial(BytesIO(data), stop_when=stop, force=True, specific_tags=wanted)
    return Header(found, meta=found.file_meta)


def _inflated(data: bytes) -> bytes:
    """The beginning of a deflated data set: a header is never as long, whatever a bomb would unpack to."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _INFLATED_BYTES)
    except zlib.error:
        raise Rejected("damaged-dicom", "expected a deflated data set") from None
