"""What `xinglin listen` was asked for: doors, folders to watch, limits; decided before anything is opened."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xinglin.core.errors import NotFound, UsageError
from xinglin.sources.dicom.scp import DicomLimits
from xinglin.sources.hl7v2.network.mllp import MllpLimits

if TYPE_CHECKING:
    import ssl

__all__ = ["Afterwards", "Door", "ListenPlan", "Tls", "Watch", "door", "watch"]

Afterwards = Literal["move", "leave"]
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]:|([^:\[\]]+):)?(\d{1,5})").fullmatch


@dataclass(frozen=True)
class Door:
    """An address at which a site's messages or objects come in."""

    site: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True)
class Watch:
    """A folder into which a site puts files."""

    site: str
    folder: Path


@dataclass(frozen=True)
class Tls:
    """Certificate and key of the listeners, and the authority that clients' certificates must come from, if any."""

    cert: Path
    key: Path
    ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, for servers.

        Raises:
            NotFound: A file is not there.
            UsageError: A file holds something else.
        """
        import ssl

        for path in (self.cert, self.key, self.ca):
            if path is not None and not path.is_file():
                raise NotFound("a file of the TLS options is not there", source=str(path))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert, self.key)
            if self.ca is not None:
                context.load_verify_locations(self.ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except ssl.SSLError as error:
            raise UsageError(
                f"the certificate and key cannot be used ({error.reason})",
                source=str(self.cert),
                remedy="give PEM files that belong together",
            ) from error
        return context


@dataclass(frozen=True)
class ListenPlan:
    """Everything one `xinglin listen` does.

    Args:
        mllp: Doors for HL7 v2 messages.
        dicom: Doors for DICOM objects.
        watches: Folders.
        tls: Certificates; None for connections in the clear.
        insecure: Whether doors beyond this machine may be in the clear.
        every: Seconds between micro-batches.
        spool_limit: Bytes that may wait to be landed, for each feed of a site.
        reserve: Bytes that must stay free on the disk.
        patience: Seconds that a message waits for room before it is sent back.
        segment_bytes: Bytes of messages at which a micro-batch is closed before its time.
        objects_bytes: The same for DICOM objects.
        afterwards: Whether files of watched folders are moved to ``done`` and ``failed`` or left where they are.
        mllp_limits: What a sender of messages may do.
        dicom_limits: What a sender of objects may do.
    """

    mllp: tuple[Door, ...] = ()
    dicom: tuple[Door, ...] = ()
    watches: tuple[Watch, ...] = ()
    tls: Tls | None = None
    insecure: bool = False
    every: float = 5.0
    spool_limit: int = 1_000_000_000
    reserve: int = 100_000_000
    patience: float = 10.0
    segment_bytes: int = 7_000_000
    objects_bytes: int = 256_000_000
    afterwards: Afterwards = "move"
    mllp_limits: MllpLimits = field(default_factory=MllpLimits)
    dicom_limits: DicomLimits = field(default_factory=DicomLimits)

    def __post_init__(self) -> None:
        if not self.mllp + self.dicom and not self.watches:
            raise UsageError(
                "there is nothing to listen to", remedy="add --mllp SITE=PORT, --dicom SITE=PORT or --watch SITE=FOLDER"
            )
        if self.every <= 0:
            raise UsageError("the seconds between micro-batches must be more than 0", source="--every")
        for one in self.mllp + self.dicom:
            if not one.loopback and self.tls is None and not self.insecure:
                raise UsageError(
                    "other machines could reach this address in the clear",
                    source=f"{one.host}:{one.port}",
                    remedy="add --tls-cert and --tls-key, or say --insecure",
                )

    @property
    def sites(self) -> list[str]:
        """The sites concerned, by name."""
        return sorted({one.site for one in self.mllp + self.dicom} | {one.site for one in self.watches})


def door(text: str) -> Door:
    """A door from ``SITE=[HOST:]PORT``; the host is this machine alone when not given.

    Raises:
        UsageError: It is not written so.

    Example:
        >>> door("clinic=2575"), door("clinic=[::]:2575").host
        (Door(site='clinic', host='127.0.0.1', port=2575), '::')
    """
    site, sign, address = text.partition("=")
    found = _ADDRESS(address)
    if not (site and sign and found) or int(found[3]) > 65535:
        raise UsageError("a listener is written SITE=PORT or SITE=HOST:PORT", source=text)
    return Door(site, found[1] or found[2] or "127.0.0.1", int(found[3]))


def watch(text: str) -> Watch:
    """A watched folder from ``SITE=FOLDER``.

    Raises:
        UsageError: It is not written so.
        NotFound: The folder is not there.

    Example:
        >>> watch("clinic=/tmp").site
        'clinic'
    """
    site, sign, folder = text.partition("=")
    if not (site and sign and folder):
        raise UsageError("a watched folder is written SITE=FOLDER", source=text)
    if not Path(folder).is_dir():
        raise NotFound("there is no such folder to watch", source=folder, remedy=f"mkdir -p {folder}")
    return Watch(site, Path(folder).absolute())
