"""What a peer may do to a storage SCP, and what becomes of the files on their way."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from xinglin.core.errors import StorageError
from xinglin.sources.dicom.scp import Arriving, DicomLimits, StorageServer

FIND, ECHO = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.1"


class Room:
    """Where objects are taken to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.full = False
        self.troubles: list[str] = []
        self.servers: list[StorageServer] = []

    def take(self, received: Path) -> None:
        if self.full:
            raise StorageError("full")
        received.rename(self.folder / received.name)

    def open(self, **limits: Any) -> int:
        server = StorageServer(self.take, self.folder / "incoming", DicomLimits(**limits), self.troubles.append)
        self.servers.append(server)
        return server.start("127.0.0.1", 0)

    def kept(self) -> list[Path]:
        return sorted(self.folder.glob("*.dcm"))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    for server in made.servers:
        server.stop(0.1)


def image(size: int = 10_000) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.PatientID = CTImageStorage, "1.2.3.4", "p1"
    made.PixelData = bytes(size)
    made["PixelData"].VR = "OW"
    made.ensure_file_meta()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def call(
    port: int, title: str = "XINGLIN", calling: str = "SCANNER", contexts: tuple[str, ...] = (CTImageStorage,)
) -> Any:
    from pynetdicom import AE

    ae = AE(calling)
    for one in contexts:
        ae.add_requested_context(one, ExplicitVRLittleEndian)
    return ae.associate("127.0.0.1", port, ae_title=title)


def test_an_object_is_written_as_it_was_sent_with_a_header_that_says_how(room: Room) -> None:
    from pydicom import dcmread

    association = call(room.open())
    assert association.send_c_store(image()).Status == 0
    association.release()
    (path,) = room.kept()
    found = dcmread(path)
    assert (found.file_meta.TransferSyntaxUID, found.PixelData) == (ExplicitVRLittleEndian, bytes(10_000))
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_too_large_or_cannot_be_kept_is_out_of_resources_and_the_next_object_is_taken(room: Room) -> None:
    association = call(room.open(object_bytes=50_000))
    assert association.send_c_store(image(60_000)).Status == 0xA700
    room.full = True
    assert association.send_c_store(image()).Status == 0xA700
    room.full = False
    assert association.send_c_store(image()).Status == 0
    association.release()
    gc.collect()
    assert len(room.kept()) == 1
    assert list((room.folder / "incoming").iterdir()) == []


def test_only_storage_and_verification_are_offered(room: Room) -> None:
    association = call(room.open(), contexts=(CTImageStorage, FIND, ECHO))
    accepted = {context.abstract_syntax for context in association.accepted_contexts}
    assert accepted == {CTImageStorage, ECHO}
    association.release()


def test_strangers_are_refused_by_title(room: Room) -> None:
    port = room.open(check_title=True, callers=("SCANNER",))
    assert call(port, title="OTHER").is_rejected
    assert call(port, calling="STRANGER").is_rejected
    association = call(port)
    assert association.is_established
    association.release()
    assert len(room.troubles) == 2


def test_compressed_objects_are_taken_in_the_first_syntax_that_is_offered(room: Room) -> None:
    from pynetdicom import AE

    ae = AE()
    ae.add_requested_context("1.3.12.2.1107.5.9.1", [JPEG2000, ImplicitVRLittleEndian])
    association = ae.associate("127.0.0.1", room.open())
    assert [context.transfer_syntax for context in association.accepted_contexts] == [[JPEG2000]]
    association.release()


def test_a_peer_that_leaves_in_the_middle_leaves_no_file(room: Room) -> None:
    association = call(room.open())
    sender = association.dul.socket.socket
    from pynetdicom.dimse_messages import C_STORE_RQ
    from pynetdicom.dimse_primitives import C_STORE

    request = C_STORE()
    request.MessageID, request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = 1, CTImageStorage, "1.2.3"
    from io import BytesIO

    request.DataSet = BytesIO(bytes(100_000))
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    parts = list(message.encode_msg(association.accepted_contexts[0].context_id, 16_382))
    for part in parts[:3]:
        association.dul.send_pdu(part)
    deadline = time.monotonic() + 10
    while not list((room.folder / "incoming").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list((room.folder / "incoming").iterdir())
    sender.close()
    while list((room.folder / "incoming").iterdir()) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.05)
    assert list((room.folder / "incoming").iterdir()) == []
    assert room.kept() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_a_full_disk_is_noticed_and_never_raised(tmp_path: Path) -> None:
    arriving = Arriving(tmp_path / "no folder" / "a.dcm", 100)
    arriving.write(b"x")
    arriving.close()
    assert not arriving.kept
    begun = Arriving(tmp_path / "b.dcm", 10)
    begun.write(b"x" * 11)
    begun.close()
    assert (begun.kept, list(tmp_path.iterdir())) == (False, [])
