"""FHIR R4 NDJSON: files by resource type, as in bulk exports.

A region has a hundred million lines. Each is assembled from pieces that are constant per term and made once; free text
is escaped by the JSON library.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from xinglin.synthetic.plan import Site
from xinglin.synthetic.population.registration import Registration
from xinglin.synthetic.records import (
    Allergy,
    Chart,
    Device,
    Diagnosis,
    Entry,
    Finding,
    Note,
    Panel,
    Prescription,
    Procedure,
    Report,
    Study,
    Vaccination,
    Visit,
    clock_text,
)  # fmt: skip
from xinglin.synthetic.writers import Lines
from xinglin.synthetic.writers.fhir_patient import patient_line
from xinglin.synthetic.writers.fhir_pieces import (
    HL7,
    coding_json,
    concept_json,
    observation_head,
    quantity_end,
    status_json,
    text,
)  # fmt: skip
from xinglin.synthetic.writers.fhir_site import SiteReferences, institution_lines, site_references

__all__ = ["FhirWriter"]

_SETTINGS = {"AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient encounter"}


class _Page:
    """The current chart: ids, and the pieces that all resources of the current visit share."""

    def __init__(self, chart: Chart, staff: SiteReferences) -> None:
        token = chart.registration.token
        self.site = staff
        self.head = f"{token[:8]}-{token[8:12]}-5{token[13:16]}-a{token[17:20]}-"
        self.base = int(token[20:], 16)
        self.patient = f'{{"reference":"Patient/{chart.registration.local_id}"}}'
        self.meta = self.encounter = self.performer = ""

    def id(self, number: int) -> str:
        """The id of a chart entry."""
        return f"{self.head}{(self.base + number) & 0xFFFFFFFFFFFF:012x}"

    def turn(self, visit: Visit) -> None:
        """Set the current visit."""
        self.meta = f'"meta":{{"lastUpdated":"{clock_text(visit.end)}"}}'
        self.encounter = f'{{"reference":"Encounter/{self.id(visit.number)}"}}'
        self.performer = self.site.practitioner(visit.practitioner)


def _encounter(visit: Visit, page: _Page) -> str:
    reason = ""
    if visit.reason is not None:
        reason = f',"reasonCode":[{concept_json(visit.reason.concept)}]'
    previous = f',"partOf":{{"reference":"Encounter/{page.id(visit.previous)}"}}' if visit.previous else ""
    stay = ""
    if visit.setting != "AMB":
        disposition = "exp" if visit.died else "home"
        stay = f',"hospitalization":{{"dischargeDisposition":{status_json("discharge-disposition", disposition)}}}'
    return (
        f'{{"resourceType":"Encounter","id":"{page.id(visit.number)}",{page.meta},"status":"finished",'
        f'"class":{{"system":"{HL7}/v3-ActCode","code":"{visit.setting}","display":"{_SETTINGS[visit.setting]}"}},'
        f'"type":[{concept_json(visit.concept)}],"subject":{page.patient},'
        f'"participant":[{{"individual":{page.performer}}}],'
        f'"period":{{"start":"{clock_text(visit.start)}","end":"{clock_text(visit.end)}"}}{reason}{stay},'
        f'"location":[{{"location":{page.site.location(visit.setting)}}}],'
        f'"serviceProvider":{page.site.organization}{previous}}}'
    )


def _claim(visit: Visit, page: _Page, number: int) -> str:
    diagnosis = ""
    if visit.reason is not None:
        diagnosis = (
            '"diagnosis":[{"sequence":1,"diagnosisReference":'
            f'{{"reference":"Condition/{page.id(visit.reason.number)}"}}}}],'
        )
    kind = "professional" if visit.setting == "AMB" else "institutional"
    money = f'{{"value":{visit.cost // 100}.{visit.cost % 100:02d},"currency":"CNY"}}'
    end = clock_text(visit.end)
    return (
        f'{{"resourceType":"Claim","id":"{page.id(number)}",{page.meta},"status":"active",'
        f'"type":{status_json("claim-type", kind)},"use":"claim","patient":{page.patient},'
        f'"billablePeriod":{{"start":"{clock_text(visit.start)}","end":"{end}"}},"created":"{end}",'
        f'"provider":{page.site.organization},"priority":{status_json("processpriority", "normal")},{diagnosis}'
        '"insurance":[{"sequence":1,"focal":true,"coverage":{"display":"Basic medical insurance"}}],'
        f'"item":[{{"sequence":1,"productOrService":{concept_json(visit.concept)},"encounter":[{page.encounter}]}}],'
        f'"total":{money}}}'
    )


def _condition(entry: Diagnosis, page: _Page) -> str:
    over = f'"abatementDateTime":"{clock_text(entry.abated)}",' if entry.abated is not None else ""
    clinical = status_json("condition-clinical", "resolved" if over else "active")
    return (
        f'{{"resourceType":"Condition","id":"{page.id(entry.number)}",{page.meta},"clinicalStatus":{clinical},'
        f'"verificationStatus":{status_json("condition-ver-status", "confirmed")},'
        f'"category":[{status_json("condition-category", "encounter-diagnosis")}],"code":{concept_json(entry.concept)},'
        f'"subject":{page.patient},"encounter":{page.encounter},"onsetDateTime":"{clock_text(entry.onset)}",{over}'
        f'"recordedDate":"{clock_text(entry.recorded)}","recorder":{page.performer}}}'
    )


def _observation(entry: Finding, page: _Page) -> str:
    at = clock_text(entry.at)
    if isinstance(entry.value, str):
        value = f'"valueQuantity":{{"value":{entry.value},{quantity_end(entry.unit)}'
    else:
        value = f'"valueCodeableConcept":{concept_json(entry.value)}'
    return (
        f'{{"resourceType":"Observation","id":"{page.id(entry.number)}",{page.meta},{observation_head(entry.concept)},'
        f'"subject":{page.patient},"encounter":{page.encounter},"effectiveDateTime":"{at}","issued":"{at}",'
        f'"performer":[{page.performer}],{value}}}'
    )


def _panel(entry: Panel, page: _Page) -> str:
    at = clock_text(entry.at)
    parts = ",".join(
        f'{{"code":{concept_json(part.concept)},"valueQuantity":{{"value":{part.value},{quantity_end(part.unit)}}}'
        for part in entry.parts
    )
    return (
        f'{{"resourceType":"Observation","id":"{page.id(entry.number)}",{page.meta},{observation_head(entry.concept)},'
        f'"subject":{page.patient},"encounter":{page.encounter},"effectiveDateTime":"{at}","issued":"{at}",'
        f'"performer":[{page.performer}],"component":[{parts}]}}'
    )


def _medication_request(entry: Prescription, page: _Page) -> str:
    reason = ""
    if entry.reason is not None:
        reason = f',"reasonReference":[{{"reference":"Condition/{page.id(entry.reason)}"}}]'
    at = clock_text(entry.at)
    end = clock_text(entry.at + entry.days * 1440)
    return (
        f'{{"resourceType":"MedicationRequest","id":"{page.id(entry.number)}",{page.meta},"status":"completed",'
        f'"intent":"order","medicationCodeableConcept":{concept_json(entry.concept)},"subject":{page.patient},'
        f'"encounter":{page.encounter},"authoredOn":"{at}","requester":{page.performer}{reason},'
        f'"dosageInstruction":[{{"sequence":1,"timing":{{"repeat":{{"frequency":{entry.daily},"period":1,'
        f'"periodUnit":"d"}}}},"doseAndRate":[{{"doseQuantity":{{"value":1}}}}]}}],'
        f'"dispenseRequest":{{"validityPeriod":{{"start":"{at}","end":"{end}"}},"quantity":'
        f'{{"value":{entry.days * entry.daily}}},"expectedSupplyDuration":{{"value":{entry.days},'
        f"{quantity_end('d')}}}}}"
    )


def _procedure(entry: Procedure, page: _Page) -> str:
    extra = ""
    if entry.reason is not None:
        extra = f',"reasonReference":[{{"reference":"Condition/{page.id(entry.reason)}"}}]'
    if entry.device is not None:
        extra += f',"focalDevice":[{{"manipulated":{{"reference":"Device/{page.id(entry.device)}"}}}}]'
    return (
        f'{{"resourceType":"Procedure","id":"{page.id(entry.number)}",{page.meta},"status":"completed",'
        f'"code":{concept_json(entry.concept)},"subject":{page.patient},"encounter":{page.encounter},'
        f'"performedPeriod":{{"start":"{clock_text(entry.start)}","end":"{clock_text(entry.end)}"}},'
        f'"performer":[{{"actor":{page.performer}}}]{extra}}}'
    )


def _immunization(entry: Vaccination, page: _Page) -> str:
    return (
        f'{{"resourceType":"Immunization","id":"{page.id(entry.number)}",{page.meta},"status":"completed",'
        f'"vaccineCode":{concept_json(entry.concept)},"patient":{page.patient},"encounter":{page.encounter},'
        f'"occurrenceDateTime":"{clock_text(entry.at)}","primarySource":true,"lotNumber":"{entry.lot}",'
        f'"performer":[{{"actor":{page.performer}}}]}}'
    )


def _diagnostic_report(entry: Report, page: _Page) -> str:
    code, name = ("RAD", "Radiology") if entry.imaging else ("LAB", "Laboratory")
    at = clock_text(entry.at)
    results = ",".join([f'{{"reference":"Observation/{page.id(number)}"}}' for number in entry.results])
    extra = f',"result":[{results}]' if results else ""
    if entry.study is not None:
        extra += f',"imagingStudy":[{{"reference":"ImagingStudy/{page.id(entry.study)}"}}]'
    if entry.conclusion:
        extra += f',"conclusion":{text(entry.conclusion)}'
    return (
        f'{{"resourceType":"DiagnosticReport","id":"{page.id(entry.number)}",{page.meta},"status":"final",'
        f'"category":[{{"coding":[{{"system":"{HL7}/v2-0074","code":"{code}","display":"{name}"}}]}}],'
        f'"code":{concept_json(entry.concept)},"subject":{page.patient},"encounter":{page.encounter},'
        f'"effectiveDateTime":"{at}","issued":"{at}","performer":[{page.performer}]{extra}}}'
    )


def _imaging_study(entry: Study, page: _Page) -> str:
    at = clock_text(entry.at)
    modality = f'{{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"{entry.modality}"}}'
    study = int(page.id(entry.number).replace("-", ""), 16)
    return (
        f'{{"resourceType":"ImagingStudy","id":"{page.id(entry.number)}",{page.meta},'
        f'"identifier":[{{"system":"urn:dicom:uid","value":"urn:oid:2.25.{study}"}}],"status":"available",'
        f'"modality":[{modality}],"subject":{page.patient},"encounter":{page.encounter},"started":"{at}",'
        f'"numberOfSeries":1,"numberOfInstances":{entry.instances},"description":{text(entry.title)},'
        f'"series":[{{"uid":"2.25.{study ^ 1}","number":1,"modality":{modality},"numberOfInstances":{entry.instances},'
        f'"bodySite":{coding_json(entry.body_site)},"started":"{at}"}}]}}'
    )


def _document(entry: Note, page: _Page) -> str:
    data = b64encode(entry.text.encode()).decode()
    return (
        f'{{"resourceType":"DocumentReference","id":"{page.id(entry.number)}",{page.meta},"status":"current",'
        f'"type":{concept_json(entry.concept)},"subject":{page.patient},"date":"{clock_text(entry.at)}",'
        f'"author":[{page.performer}],"content":[{{"attachment":{{"contentType":"text/plain; charset=utf-8",'
        f'"data":"{data}"}}}}],"context":{{"encounter":[{page.encounter}]}}}}'
    )


def _device(entry: Device, page: _Page) -> str:
    return (
        f'{{"resourceType":"Device","id":"{page.id(entry.number)}",{page.meta},"status":"active",'
        f'"manufactureDate":"{clock_text(entry.at - 129_600)}","serialNumber":"{entry.serial}",'
        f'"type":{concept_json(entry.concept)},"patient":{page.patient},"owner":{page.site.organization}}}'
    )


def _device_use(entry: Device, page: _Page) -> str:
    at = clock_text(entry.at)
    return (
        f'{{"resourceType":"DeviceUseStatement","id":"{page.id(entry.number)}",{page.meta},"status":"active",'
        f'"subject":{page.patient},"timingDateTime":"{at}","recordedOn":"{at}","source":{page.performer},'
        f'"device":{{"reference":"Device/{page.id(entry.number)}"}}}}'
    )


def _allergy(entry: Allergy, page: _Page) -> str:
    return (
        f'{{"resourceType":"AllergyIntolerance","id":"{page.id(entry.number)}",{page.meta},'
        f'"clinicalStatus":{status_json("allergyintolerance-clinical", "active")},'
        f'"verificationStatus":{status_json("allergyintolerance-verification", "confirmed")},"type":"allergy",'
        f'"category":["{entry.category}"],"criticality":"{"high" if entry.severe else "low"}",'
        f'"code":{concept_json(entry.concept)},"patient":{page.patient},"encounter":{page.encounter},'
        f'"recordedDate":"{clock_text(entry.recorded)}","recorder":{page.performer}}}'
    )


_WRITE: dict[type, tuple[str, Callable[..., str]]] = {
    Diagnosis: ("Condition", _condition),
    Finding: ("Observation", _observation),
    Panel: ("Observation", _panel),
    Prescription: ("MedicationRequest", _medication_request),
    Procedure: ("Procedure", _procedure),
    Vaccination: ("Immunization", _immunization),
    Report: ("DiagnosticReport", _diagnostic_report),
    Study: ("ImagingStudy", _imaging_study),
    Note: ("DocumentReference", _document),
    Device: ("Device", _device),
    Allergy: ("AllergyIntolerance", _allergy),
}


class FhirWriter:
    """Writes FHIR R4 NDJSON."""

    suffix = ".ndjson"
    reading = "fhir"
    database = None

    def institution(self, site: Site, seed: int) -> Lines:
        """Add Organization, Location and Practitioner lines."""
        return institution_lines(site, seed)

    def patient(self, site: Site, registration: Registration, lines: Lines) -> None:
        """Add a Patient."""
        lines.setdefault("Patient", []).append(patient_line(site, registration))

    def chart(self, chart: Chart, seed: int, lines: Lines) -> None:
        """Add a Patient and all resources about the patient."""
        self.patient(chart.site, chart.registration, lines)
        page = _Page(chart, site_references(chart.site, seed))
        encounters, claims = lines.setdefault("Encounter", []), lines.setdefault("Claim", [])
        for visit in chart.visits:
            page.turn(visit)
            encounters.append(_encounter(visit, page))
            for entry in visit.entries:
                self._entry(entry, page, lines)
            claims.append(_claim(visit, page, visit.number + 1))

    @staticmethod
    def _entry(entry: Entry, page: _Page, lines: Lines) -> None:
        stem, write = _WRITE[type(entry)]
        found = lines.get(stem)
        if found is None:
            found = lines[stem] = []
        found.append(write(entry, page))
        if type(entry) is Device:
            lines.setdefault("DeviceUseStatement", []).append(_device_use(entry, page))

    def encode(self, lines: list[str]) -> bytes:
        """One resource per line."""
        return ("\n".join(lines) + "\n").encode()

    def head(self, stem: str) -> bytes:
        """Nothing."""
        return b""

    def finish(self, site: Site, folder: Path) -> None:
        """Nothing to do."""

    def mapping(self, site: Site) -> None:
        """None: FHIR needs no mapping."""
