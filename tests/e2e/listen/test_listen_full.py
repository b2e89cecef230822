"""A disk that is full while `xinglin listen` runs: nothing is acknowledged that is not kept, nothing kept is lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Xinglin
from tests.e2e.listen.listening import Listener, Sender, message, rows


@contextmanager
def full_disk(listener: Listener) -> Iterator[None]:
    """The listening process can write no file beyond 100 bytes: a write comes to its end in the middle of a message."""
    process = listener.process.pid
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.e2e
def test_a_full_disk_sends_messages_and_objects_back_until_there_is_room_again(tmp_path: Path) -> None:
    from pydicom.dataset import Dataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
    from pynetdicom import AE

    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, "1.2.3.4"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    image.PatientID, image.Modality, image.PixelData = "p1", "CT", bytes(2_000_000)
    image["PixelData"].VR = "OW"
    image.ensure_file_meta()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    xinglin = Xinglin(tmp_path / "home")
    with Listener(xinglin, "--mllp", "centre=0", "--dicom", "hospital=0", "--every", "0.5") as listener:
        sender = Sender(listener.port("mllp"))
        ae = AE()
        ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = ae.associate("127.0.0.1", listener.port("dicom"))
        assert sender.ask(message(1)) == "AA"
        with full_disk(listener):
            assert [sender.ask(message(number)) for number in (2, 3, 4)] == ["AE", "AE", "AE"]
            assert association.send_c_store(image).Status == 0xA700
        assert [sender.ask(message(number)) for number in (3, 5)] == ["AA", "AA"]
        assert association.send_c_store(image).Status == 0
        association.release()
        listener.finish()
    assert sorted(one["id"] for one in rows(xinglin.home, "centre", "MessageHeader")) == ["c1", "c3", "c5"]
    assert len(rows(xinglin.home, "hospital", "ImagingStudy")) == 1
    assert not list((xinglin.home / "landing" / "hospital" / "spool" / "incoming").iterdir())


@pytest.mark.e2e
def test_a_full_spool_makes_senders_wait_and_then_sends_their_messages_back(tmp_path: Path) -> None:
    xinglin = Xinglin(tmp_path / "home")
    limits = ("--spool-limit", "0", "--patience", "0.5", "--every", "600")
    with Listener(xinglin, "--mllp", "centre=0", *limits) as listener:
        sender = Sender(listener.port("mllp"))
        assert sender.ask(message(1)) == "AE"
        listener.finish()
    assert rows(xinglin.home, "centre", "MessageHeader") == []
