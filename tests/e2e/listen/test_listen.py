"""Live feeds by real clients: MLLP of python-hl7, C-STORE of dcmtk, Orthanc and pynetdicom, files put into a folder."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Xinglin
from tests.e2e.listen.listening import Listener, Sender, framed, message, rows

pytestmark = pytest.mark.e2e


@pytest.fixture
def xinglin(tmp_path: Path) -> Xinglin:
    return Xinglin(tmp_path / "home")


@pytest.fixture(scope="session")
def ibsi(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ibsi")
    for name in ("STS_001.zip", "STS_002.zip"):
        with zipfile.ZipFile(real_data("dicom-ibsi") / name) as archive:
            archive.extractall(folder)
    return folder


def objects(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.read_bytes()[128:132] == b"DICM"]


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"not tested with a real client: {name} is not installed (apt-get install dcmtk orthanc)")
    return found


def studies(home: Path) -> tuple[int, int, int, int]:
    """Patients, studies, series and instances that the landed fragments speak of."""
    landed = rows(home, "hospital", "ImagingStudy")
    series = {one["uid"] for study in landed for one in study["series"]}
    uids = {identifier["value"] for study in landed for identifier in study["identifier"]
            if identifier.get("system") == "urn:dicom:uid"}  # fmt: skip
    return len({study["subject"]["reference"] for study in landed}), len(uids), len(series), len(landed)


def expected(files: list[Path]) -> tuple[int, int, int, int]:
    from pydicom import dcmread

    heads = [dcmread(path, stop_before_pixels=True) for path in files]
    return (len({one.PatientID for one in heads}), len({one.StudyInstanceUID for one in heads}),
            len({one.SeriesInstanceUID for one in heads}), len({one.SOPInstanceUID for one in heads}))  # fmt: skip


def test_an_hl7_librarys_client_is_answered_and_its_messages_are_landed_when_the_service_ends(xinglin: Xinglin) -> None:
    from hl7.client import MLLPClient

    with Listener(xinglin, "--mllp", "centre=0", "--every", "60") as listener:
        with MLLPClient("127.0.0.1", listener.port("mllp")) as client:
            answers = [client.send_message(message(number, number)) for number in range(3)]
            refused = client.send_message(message(3, version="9.9"))
        assert all(f"MSA|AA|c{number}".encode() in answer for number, answer in enumerate(answers))
        assert b"MSA|AR|c3|" in refused
        listener.finish()
        (batch,) = listener.wait_for("landedbatch")
    assert (batch["items"], batch["quarantined"]) == (4, 1)
    assert [one["id"] for one in rows(xinglin.home, "centre", "MessageHeader")] == ["c0", "c1", "c2"]
    assert xinglin.json("quarantine", "--site", "centre", "--json")["quarantined"][0]["reason"] == "unsupported-version"
    assert not list((xinglin.home / "landing" / "centre" / "spool").glob("*-*"))


def test_lines_without_a_header_do_not_become_part_of_another_senders_message(xinglin: Xinglin) -> None:
    with Listener(xinglin, "--mllp", "centre=0", "--every", "60") as listener:
        sender = Sender(listener.port("mllp"))
        sender.send(message(1), b"OBX|2|NM|2345-7^Glucose^LN||99|mg/dL|||||F\r", message(2))
        assert [sender.answer()[0] for _ in range(3)] == ["AA", "AR", "AA"]
        listener.finish()
    assert len(rows(xinglin.home, "centre", "Observation")) == 2
    assert [one["reason"] for one in xinglin.json("quarantine", "--site", "centre", "--json")["quarantined"]] == [
        "no-msh"
    ]


def test_what_an_earlier_process_acknowledged_is_landed_at_the_next_start_and_a_torn_end_is_cut_off(
    xinglin: Xinglin,
) -> None:
    with Listener(xinglin, "--mllp", "centre=0", "--every", "600") as listener:
        sender = Sender(listener.port("mllp"))
        assert sender.ask(message(1)) == "AA"
        time.sleep(1.5)  # the first landing at the start is over
        assert sender.ask(message(2)) == "AA"
        listener.kill()
    (journal,) = (xinglin.home / "landing" / "centre" / "spool").glob("*.journal")
    assert journal.stat().st_mode & 0o777 == 0o600
    with journal.open("ab") as file:
        file.write(b"XLR1\xff\x00\x00\x00torn")
    with Listener(xinglin, "--mllp", "centre=0") as listener:
        listener.wait_for("landedbatch")
        listener.finish()
    assert sorted(one["id"] for one in rows(xinglin.home, "centre", "MessageHeader")) == ["c1", "c2"]


def test_a_taken_port_and_a_second_process_for_a_site_are_said_plainly(xinglin: Xinglin, tmp_path: Path) -> None:
    with Listener(xinglin, "--mllp", "centre=0") as listener:
        port = listener.port("mllp")
        said = xinglin("listen", "--mllp", f"other={port}", code=1)
        assert f"port {port} is taken" in said and "choose another port" in said
        assert f"port {port} is taken" in xinglin("listen", "--dicom", f"other={port}", code=1)
        assert "lock for listening for centre" in xinglin("listen", "--mllp", "centre=0", code=1)
        listener.finish()


def test_other_machines_need_tls_or_an_explicit_word(xinglin: Xinglin) -> None:
    assert "--tls-cert" in xinglin("listen", "--mllp", "centre=0.0.0.0:0", code=2)
    assert "SITE=PORT" in xinglin("listen", "--mllp", "centre", code=2)
    assert "nothing to listen to" in xinglin("listen", code=2)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [program("openssl"), *words, *subject, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    return cert, key


def test_messages_and_objects_come_by_tls_and_never_in_the_clear(
    xinglin: Xinglin, certificate: tuple[Path, Path], ibsi: Path
) -> None:
    from pydicom import dcmread
    from pynetdicom import AE

    cert, key = certificate
    tls = ("--tls-cert", cert, "--tls-key", key, "--tls-ca", cert)
    with Listener(xinglin, "--mllp", "centre=0.0.0.0:0", "--dicom", "hospital=0", *tls) as listener:
        client = ssl.create_default_context(cafile=str(cert))
        client.load_cert_chain(cert, key)
        with (
            socket.create_connection(("127.0.0.1", listener.port("mllp"))) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            secure.sendall(framed(message(1)))
            assert b"MSA|AA|c1" in secure.recv(4096)
        with pytest.raises(OSError):
            Sender(listener.port("mllp"), 15).ask(message(2))
        dataset = dcmread(objects(ibsi)[0])
        ae = AE()
        ae.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
        with socket.create_connection(("127.0.0.1", listener.port("dicom"))):  # a peer that never shakes hands
            association = ae.associate("127.0.0.1", listener.port("dicom"), tls_args=(client, "127.0.0.1"))
            assert association.is_established
            assert association.send_c_store(dataset).Status == 0
            association.release()
        listener.finish()
    assert len(rows(xinglin.home, "hospital", "ImagingStudy")) == 1
    assert len(rows(xinglin.home, "centre", "MessageHeader")) == 1


@pytest.mark.real
def test_dcmtk_sends_real_studies(xinglin: Xinglin, ibsi: Path) -> None:
    storescu, echoscu = program("storescu"), program("echoscu")
    with Listener(xinglin, "--dicom", "hospital=0", "--ae-title", "REGION", "--check-title") as listener:
        port = str(listener.port("dicom"))
        subprocess.run([echoscu, "-aec", "REGION", "127.0.0.1", port], check=True)
        assert subprocess.run([echoscu, "-aec", "OTHER", "127.0.0.1", port], capture_output=True).returncode
        words = [storescu, "+sd", "+r", "-aec", "REGION", "127.0.0.1", port, str(ibsi)]
        subprocess.run(words, check=True, capture_output=True)
        listener.finish()
        batches = listener.wait_for("landedbatch")
    files = objects(ibsi)
    assert sum(batch["items"] for batch in batches) == len(files)
    assert studies(xinglin.home) == expected(files)
    kept = list((xinglin.home / "landing" / "hospital" / "originals").iterdir())
    assert len(kept) == len(files)


def test_pynetdicom_sends_private_classes_and_compressed_objects_as_they_are(
    xinglin: Xinglin, real_data: Callable[[str], Path]
) -> None:
    from pydicom import dcmread
    from pynetdicom import AE

    folder = real_data("dicom-pydicom")
    sent = []
    for path in objects(folder):
        dataset = dcmread(path)
        if all(name in dataset for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "PixelData")):
            sent.append(dataset)
    sent = list({one.file_meta.TransferSyntaxUID: one for one in sent if not one.file_meta.TransferSyntaxUID.is_deflated
                 and one.file_meta.TransferSyntaxUID.is_little_endian}.values())  # fmt: skip
    sent[0].SOPClassUID = sent[0].file_meta.MediaStorageSOPClassUID = "1.3.12.2.1107.5.9.1"
    assert len(sent) > 5
    with Listener(xinglin, "--dicom", "hospital=0") as listener:
        ae = AE()
        for one in sent:
            ae.add_requested_context(one.SOPClassUID, one.file_meta.TransferSyntaxUID)
        association = ae.associate("127.0.0.1", listener.port("dicom"))
        for one in sent:
            assert association.send_c_store(one).Status == 0
        association.release()
        listener.finish()
    kept = [dcmread(path) for path in (xinglin.home / "landing" / "hospital" / "originals").iterdir()]
    pixels = {(str(one.file_meta.TransferSyntaxUID), one.PixelData) for one in kept}
    assert pixels == {(str(one.file_meta.TransferSyntaxUID), one.PixelData) for one in sent}


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Orthanc that knows our SCP as a modality; gives its address."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        http, dicom = one.getsockname()[1], other.getsockname()[1]
    running = []

    def start(port: int) -> str:
        settings = {"Name": "test", "HttpPort": http, "DicomPort": dicom, "StorageDirectory": str(tmp_path / "db"),
                    "IndexDirectory": str(tmp_path / "db"), "RemoteAccessAllowed": False, "Plugins": [],
                    "DicomModalities": {"region": ["XINGLIN", "127.0.0.1", port]}}  # fmt: skip
        (tmp_path / "orthanc.json").write_text(json.dumps(settings))
        running.append(
            subprocess.Popen(
                [program("Orthanc"), str(tmp_path / "orthanc.json")],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        address = f"http://127.0.0.1:{http}"
        for _ in range(100):
            try:
                urllib.request.urlopen(address + "/system", timeout=1)
                return address
            except OSError:
                time.sleep(0.2)
        raise AssertionError("Orthanc did not start")

    yield start
    for process in running:
        process.kill()
        process.wait()


def post(address: str, body: bytes) -> Any:
    return json.loads(urllib.request.urlopen(urllib.request.Request(address, body), timeout=120).read())


@pytest.mark.real
def test_orthanc_sends_a_study(xinglin: Xinglin, ibsi: Path, orthanc: Callable[[int], str]) -> None:
    program("Orthanc")
    files = objects(ibsi)[:20]
    with Listener(xinglin, "--dicom", "hospital=0") as listener:
        address = orthanc(listener.port("dicom"))
        stored = [post(address + "/instances", path.read_bytes())["ID"] for path in files]
        done = post(address + "/modalities/region/store", json.dumps(stored).encode())
        assert (done["InstancesCount"], done["FailedInstancesCount"]) == (len(files), 0)
        listener.finish()
    assert studies(xinglin.home) == expected(files)


def test_files_put_into_a_folder_are_landed_one_by_one_and_put_away(xinglin: Xinglin, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with Listener(xinglin, "--watch", f"clinic={inbox}") as listener:
        listener.wait_for("listening")
        (inbox / "good.ndjson").write_text('{"resourceType":"Patient","id":"a"}\n')
        (inbox / "bad.ndjson").write_text("nothing that could be read\n")
        (inbox / "on-its-way.part").write_text("half")
        batches = listener.wait_for("landedbatch", 2)
        deadline = time.monotonic() + 20
        while len(list(inbox.rglob("*"))) < 6 and time.monotonic() < deadline:
            time.sleep(0.1)
        listener.finish()
    assert sorted((one["landed"], one["quarantined"]) for one in batches) == [(0, 1), (1, 0)]
    assert (inbox / "done" / "good.ndjson").is_file()
    assert (inbox / "failed" / "bad.ndjson").is_file()
    assert "xinglin quarantine" in (inbox / "failed" / "bad.ndjson.reason.txt").read_text()
    assert (inbox / "on-its-way.part").is_file()
