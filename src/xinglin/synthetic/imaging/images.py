"""DICOM objects of head studies beside a hospital's records, and the ground truth about their lesions."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xinglin.synthetic.imaging.phantom import FIRST_SLICE, PIXELS, SLICE_STEP, SPACING, draw_lesion, head_slices
from xinglin.synthetic.plan import SLICES, RegionPlan, Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import Chart, Finding, Study, Visit
from xinglin.synthetic.streams import digest, stream
from xinglin.synthetic.vocabulary.terms import HEAD, NIHSS, STROKE_ISCHAEMIC

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["IMAGE_COLUMNS", "ImageOrder", "order_images", "write_images"]

IMAGE_COLUMNS = (
    "person", "site", "study_uid", "series_uid", "instance_uid", "instance", "slices", "modality", "kind", "side",
    "x_mm", "y_mm", "z_mm", "radius_mm", "volume_ml", "lesion_pixels",
)  # fmt: skip
_CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_SOFTWARE = "2.25.141403217391206421960241389072510023"
_VOXEL_ML = SPACING * SPACING * SLICE_STEP / 1000


class ImageOrder(NamedTuple):
    """A head study to draw.

    Args:
        person: Number of the person in the ground truth.
        site: The hospital.
        card: Registration of the patient at the hospital.
        study: The study's entry in the chart.
        stroke: Number of the diagnosis: all studies of one stroke show one lesion.
        ischaemic: Whether the stroke is ischaemic.
        severity: NIHSS on arrival.
    """

    person: int
    site: Site
    card: Registration
    study: Study
    stroke: int
    ischaemic: bool
    severity: int

    @property
    def uid(self) -> int:
        """The study's UID without its root 2.25, as in the chart."""
        return int(self.card.entry_id(self.study.number).replace("-", ""), 16)


def order_images(person: int, chart: Chart) -> Iterator[ImageOrder]:
    """The head studies of a chart; their entries get the number of drawn images."""
    severity = 0
    for visit in chart.visits:
        severity = _arrival(visit) or severity
        for place, entry in enumerate(visit.entries):
            if isinstance(entry, Study) and entry.body_site is HEAD and visit.reason is not None:
                visit.entries[place] = study = entry._replace(instances=SLICES)
                ischaemic = visit.reason.concept is STROKE_ISCHAEMIC
                card = chart.registration
                yield ImageOrder(person, chart.site, card, study, visit.reason.number, ischaemic, severity)


def _arrival(visit: Visit) -> int:
    """The NIHSS score of an emergency visit."""
    if visit.setting != "EMER":
        return 0
    scores = [entry for entry in visit.entries if isinstance(entry, Finding) and entry.concept is NIHSS]
    return int(str(scores[0].value)) if scores else 0


def write_images(plan: RegionPlan, orders: Sequence[ImageOrder], out: Path) -> int:
    """Write the objects of studies to ``<site>/dicom/``, and ``truth/images.csv``; return the number of objects.

    Args:
        plan: The region.
        orders: The studies to draw.
        out: The region's folder.
    """
    with (out / "truth" / "images.csv").open("w", newline="", encoding="utf-8") as truth:
        table = csv.writer(truth, lineterminator="\n")
        table.writerow(IMAGE_COLUMNS)
        for order in orders:
            table.writerows(_write_study(plan, order, out / order.site.name / "dicom"))
    return len(orders) * SLICES


def _write_study(plan: RegionPlan, order: ImageOrder, folder: Path) -> Iterator[tuple[object, ...]]:
    from pydicom.filewriter import dcmwrite

    rng = stream(plan.seed, order.person, f"lesion/{order.site.name}/{order.stroke}")
    lesion = draw_lesion(order.ischaemic, order.severity, rng)
    modality = order.study.modality
    pixels, mask = head_slices(modality, lesion, SLICES, order.uid % 2**32)
    study = f"2.25.{order.uid}"
    series = f"2.25.{order.uid ^ 1}"
    place = folder / study
    place.mkdir(parents=True)
    dataset = _dataset(order, study, series)
    for number in range(1, SLICES + 1):
        instance = f"2.25.{int(digest(plan.seed, study, number), 16)}"
        _turn(dataset, number, instance, pixels[number - 1].astype("<u2").tobytes())
        with (place / f"{number:03d}.dcm").open("wb") as file:
            dcmwrite(file, dataset, enforce_file_format=True)
        yield (
            order.person, order.site.name, study, series, instance, number, SLICES, modality,
            "ischaemic" if order.ischaemic else "haemorrhagic", lesion.side, *lesion.centre, lesion.radius,
            f"{mask.sum() * _VOXEL_ML:.2f}", int(mask[number - 1].sum()),
        )  # fmt: skip


def _dataset(order: ImageOrder, study: str, series: str) -> Dataset:
    """Attributes that all objects of a study share."""
    from pydicom.dataset import Dataset, FileMetaDataset

    card, modality = order.card, order.study.modality
    taken = datetime.min + timedelta(days=order.study.at // 1440 - 1, minutes=order.study.at % 1440)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    elements: dict[str, Any] = {
        "SpecificCharacterSet": "GB18030", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": _CLASSES[modality], "StudyInstanceUID": study, "SeriesInstanceUID": series,
        "FrameOfReferenceUID": f"2.25.{order.uid ^ 2}", "StudyDate": f"{taken:%Y%m%d}", "SeriesDate": f"{taken:%Y%m%d}",
        "ContentDate": f"{taken:%Y%m%d}", "StudyTime": f"{taken:%H%M%S}", "SeriesTime": f"{taken:%H%M%S}",
        "ContentTime": f"{taken:%H%M%S}", "TimezoneOffsetFromUTC": "+0800", "Modality": modality,
        "Manufacturer": "Xinglin phantom", "StudyDescription": order.study.title, "SeriesDescription": "Axial",
        "PatientName": f"={card.family}^{card.given}" if card.chinese else f"{card.family}^{card.given}",
        "PatientID": card.number, "IssuerOfPatientID": f"urn:xinglin:{order.site.name}:patient",
        "PatientBirthDate": (card.birth or "").replace("-", ""),
        "PatientSex": {"male": "M", "female": "F"}.get(card.sex or "", ""), "BodyPartExamined": "HEAD",
        "AccessionNumber": f"{order.uid % 10**12:012d}", "ReferringPhysicianName": "",
        "StudyID": f"{order.study.number}", "SeriesNumber": 1, "PatientPosition": "HFS",
        "PositionReferenceIndicator": "",
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [SPACING, SPACING],
        "SliceThickness": SLICE_STEP, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "Rows": PIXELS, "Columns": PIXELS, "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15,
        "PixelRepresentation": 0,
    }  # fmt: skip
    if modality == "CT":
        elements |= {"RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU", "KVP": 120,
                     "WindowCenter": 40, "WindowWidth": 80}  # fmt: skip
    else:
        elements |= {"ScanningSequence": "EP", "SequenceVariant": "NONE", "ScanOptions": "", "MRAcquisitionType": "2D",
                     "EchoTime": 90, "RepetitionTime": 6000, "WindowCenter": 350, "WindowWidth": 700}  # fmt: skip
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def _turn(dataset: Dataset, number: int, instance: str, pixels: bytes) -> None:
    """Set the attributes of one slice."""
    from pydicom.uid import UID

    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = UID(_EXPLICIT_LITTLE)
    meta.ImplementationClassUID = UID(_SOFTWARE)
    meta.ImplementationVersionName = "XINGLIN"
    dataset.InstanceNumber = number
    height = FIRST_SLICE + SLICE_STEP * (number - 1)
    corner = round(-(PIXELS - 1) / 2 * SPACING, 3)
    dataset.ImagePositionPatient = [corner, corner, height]
    dataset.SliceLocation = height
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OW"
