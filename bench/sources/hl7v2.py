"""HL7 v2 to landed FHIR: laboratory messages a second, beside a plain split and two parsing libraries."""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Run, median_seconds, paired, python, record
from xinglin.core.permit import OPEN
from xinglin.core.settings import Settings
from xinglin.landing import Landing, ingest
from xinglin.sources import Reading

TESTS = (
    ("2345-7", "Glucose", "mg/dL", "70-99", 85),
    ("2160-0", "Creatinine", "mg/dL", "0.6-1.3", 1),
    ("2951-2", "Sodium", "mmol/L", "135-145", 139),
    ("2823-3", "Potassium", "mmol/L", "3.5-5.1", 4.2),
    ("17861-6", "Calcium", "mg/dL", "8.5-10.5", 9.4),
)


def message(number: int, chance: random.Random) -> str:
    """One ORU with an order and five results, of one of a thousand patients."""
    patient, doctor = chance.randrange(1_000), chance.randrange(40)
    year, street, ward = 40 + patient % 60, f"{patient} Xueyuan Road", f"WARD{patient % 9}^R1^B{patient % 5}"
    moment = f"2026{1 + number % 12:02d}{1 + number % 28:02d}{number % 24:02d}{number % 60:02d}00"
    segments = [
        f"MSH|^~\\&|LIS|HOSP|XINGLIN|REGION|{moment}+0800||ORU^R01^ORU_R01|M{number:08d}|P|2.5.1||||||UNICODE UTF-8",
        f"PID|1||{patient:06d}^^^HOSP^MR||Zhang{patient}^Wei^^^^^L||19{year}0{1 + patient % 9}1{patient % 9}"
        f"|{'MF'[patient % 2]}|||{street}^^Beijing^^100083^CN||01062334455",
        f"PV1|1|I|{ward}||||{doctor:04d}^Li^Ming{'|' * 12}V{patient:06d}{'|' * 25}202601010800",
        f"OBR|1|P{number}^HIS|F{number}^LIS|24323-8^Comprehensive metabolic 2000 panel^LN|||{moment}{'|' * 9}"
        f"{doctor:04d}^Li^Ming{'|' * 6}{moment}||LAB|F",
    ]
    segments += [
        f"OBX|{place}|NM|{code}^{name}^LN||{usual * chance.uniform(0.8, 1.2):.2f}|{unit}^{unit}^UCUM|{normal}"
        f"|N|||F|||{moment}"
        for place, (code, name, unit, normal, usual) in enumerate(TESTS, 1)
    ]
    return "\r".join(segments) + "\r"


def land(path: Path) -> None:
    """Land a file of messages; what the bench times as a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(Path(folder) / "landing", permit=OPEN)
        landing.add_site("lab", "hospital")
        begin = time.perf_counter()
        report = ingest(landing, path, "lab", Settings(Path(folder)), reading=Reading("hl7v2"))
        print(report.received, report.landed, report.quarantined, f"{time.perf_counter() - begin:.3f}")


def split(path: Path) -> None:
    """The physical limit: every segment into its fields, nothing else."""
    begin = time.perf_counter()
    for one in path.read_text().split("MSH|")[1:]:
        [segment.split("|") for segment in one.split("\r")]
    print(f"{time.perf_counter() - begin:.3f}")


def library(path: Path) -> float:
    """Messages a second that python-hl7 parses, nothing else."""
    import hl7

    texts = ["MSH|" + one for one in path.read_text().split("MSH|")[1:2_001]]
    begin = time.perf_counter()
    for text in texts:
        hl7.parse(text)
    return len(texts) / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--hl7apy", help="a Python that has hl7apy")
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        what, path = chosen.only[0], Path(chosen.only[1])
        {"land": land, "split": split}[what](path)
        return
    measure(chosen.messages, chosen.times, chosen.hl7apy)


def bench(resources: int, times: int) -> None:
    """A tenth as many messages as resources: each makes about ten."""
    measure(resources // 10, times, None)


def measure(messages: int, times: int, hl7apy: str | None) -> None:
    """Land so many messages beside the plain split, so many times, and record the medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "oru.hl7"
        chance = random.Random(1)
        path.write_text("".join(message(number, chance) for number in range(messages)))
        runs, limits, _ = paired(_run("land", path), _run("split", path), times)
        seconds = [float(run.output.split()[-1]) for run in runs]
        least = [float(run.output.split()[-1]) for run in limits]
        figures = {
            "messages": messages,
            "megabytes": round(path.stat().st_size / 1e6, 1),
            "landed_messages_per_s": round(messages / sorted(seconds)[len(seconds) // 2]),
            "plain_split_messages_per_s": round(messages / sorted(least)[len(least) // 2]),
            "process_seconds": round(median_seconds(runs), 2),
            "peak_mb": round(max(run.peak_mb for run in runs)),
            "received_landed_quarantined": runs[0].output.split()[:3],
            "python_hl7_parses_per_s": round(library(path)),
        }
        if hl7apy:
            figures["hl7apy_parses_per_s"] = round(_elsewhere(hl7apy, path))
    record(f"sources/hl7v2_{messages}", figures)


def _run(what: str, path: Path) -> Callable[[], Run]:
    return lambda: python("bench.sources.hl7v2", "--only", what, path)


def _elsewhere(interpreter: str, path: Path) -> float:
    """The same measurement in an environment that has the library."""
    program = (
        "import sys,time;from hl7apy.parser import parse_message as parse;"
        "texts=['MSH|'+one for one in open(sys.argv[1]).read().split('MSH|')[1:201]];begin=time.perf_counter();"
        "[parse(text) for text in texts];print(len(texts)/(time.perf_counter()-begin))"
    )
    return float(
        subprocess.run([interpreter, "-c", program, str(path)], capture_output=True, text=True, check=True).stdout
    )


if __name__ == "__main__":
    main()
