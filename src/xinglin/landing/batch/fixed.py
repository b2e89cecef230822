"""What no version of a resource may change: a SOP Instance UID names one object of one patient, study and series."""

from __future__ import annotations

from hashlib import sha256

import orjson

__all__ = ["fixed_of"]

_FRAGMENT = b'"code":"fragment"'


def fixed_of(text: bytes) -> int:
    """A digest of the patient, study and series of an image's fragment; 0 for everything else.

    DICOM PS3.5, section 9: a UID identifies one object. Where its patient, study or series differs, two objects carry
    the same UID by mistake.

    Args:
        text: A resource as landed.

    Example:
        >>> fixed_of(b'{"resourceType":"Patient","id":"a"}')
        0
    """
    if _FRAGMENT not in text:
        return 0
    resource = orjson.loads(text)
    if resource.get("resourceType") != "ImagingStudy":
        return 0
    named = [
        resource.get("subject", {}).get("reference"),
        *sorted(
            str(one.get("value")) for one in resource.get("identifier", ()) if one.get("system") == "urn:dicom:uid"
        ),
        *(str(one.get("uid")) for one in resource.get("series", ())),
    ]
    return int.from_bytes(sha256(orjson.dumps(named)).digest()[:8], "little") or 1
