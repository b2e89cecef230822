"""The shape of the elements that the platform uses, as data, and decoders made from it.

A line names one structure and its elements, ``name:Type``, with ``*`` for a list. Elements that are not named
are accepted as they are. To check one more element, add it to its line; to check one more resource type, add a
line to `RESOURCES`. `decoder` refuses a value of another type, a null and a day that no calendar has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from xinglin.core.fhir_times import Date, DateTime, Instant, accept

__all__ = ["DATATYPES", "RESOURCES", "decoder"]

DATATYPES = """
Coding system:str code:str display:str version:str userSelected:bool
CodeableConcept coding:Coding* text:str
Identifier use:str type:CodeableConcept system:str value:str
Reference reference:str type:str identifier:Identifier display:str
Period start:DateTime end:DateTime
Quantity value:float comparator:str unit:str system:str code:str
Money value:float currency:str
Range low:Quantity high:Quantity
Ratio numerator:Quantity denominator:Quantity
SampledData origin:Quantity period:float factor:float dimensions:int data:str
HumanName use:str text:str family:str given:text* prefix:text* suffix:text* period:Period
Address use:str type:str text:str line:text* city:str district:str state:str postalCode:str country:str period:Period
ContactPoint system:str value:str use:str rank:int period:Period
Annotation text:str time:DateTime authorString:str authorReference:Reference
Attachment contentType:str language:str data:str url:str title:str creation:DateTime
TimingRepeat boundsPeriod:Period count:int duration:float durationUnit:str frequency:int period:float periodUnit:str
Timing event:DateTime* repeat:TimingRepeat code:CodeableConcept
DoseAndRate type:CodeableConcept doseQuantity:Quantity doseRange:Range rateQuantity:Quantity rateRatio:Ratio
Dosage text:str timing:Timing asNeededBoolean:bool route:CodeableConcept site:CodeableConcept doseAndRate:DoseAndRate*
Meta versionId:str lastUpdated:Instant source:str profile:str* tag:Coding* security:Coding*
Diagnosis condition:Reference use:CodeableConcept rank:int
Participant type:CodeableConcept* individual:Reference period:Period
Hospitalization admitSource:CodeableConcept dischargeDisposition:CodeableConcept origin:Reference destination:Reference
EncounterLocation location:Reference status:str period:Period
ReferenceRange low:Quantity high:Quantity text:str
ObservationComponent code:CodeableConcept valueQuantity:Quantity valueCodeableConcept:CodeableConcept valueString:str \
 valueBoolean:bool valueInteger:int valueRange:Range valueRatio:Ratio valueSampledData:SampledData valueTime:str \
 valueDateTime:DateTime valuePeriod:Period dataAbsentReason:CodeableConcept interpretation:CodeableConcept*
DispenseRequest validityPeriod:Period numberOfRepeatsAllowed:int quantity:Quantity expectedSupplyDuration:Quantity
AdministrationDosage text:str route:CodeableConcept dose:Quantity rateQuantity:Quantity rateRatio:Ratio
Ingredient itemCodeableConcept:CodeableConcept itemReference:Reference strength:Ratio
Batch lotNumber:str expirationDate:DateTime
ProcedurePerformer function:CodeableConcept actor:Reference
FocalDevice manipulated:Reference
Reaction substance:CodeableConcept manifestation:CodeableConcept* onset:DateTime severity:str
DocumentContent attachment:Attachment format:Coding
DocumentContext encounter:Reference* period:Period
UdiCarrier deviceIdentifier:str carrierHRF:str
DeviceName name:str type:str
Position longitude:float latitude:float altitude:float
Qualification code:CodeableConcept period:Period
Adjudication category:CodeableConcept amount:Money value:float
Insurance focal:bool coverage:Reference
ClaimDiagnosis sequence:int diagnosisReference:Reference diagnosisCodeableConcept:CodeableConcept type:CodeableConcept*
ClaimProcedure sequence:int date:DateTime procedureReference:Reference procedureCodeableConcept:CodeableConcept
ClaimItem sequence:int productOrService:CodeableConcept servicedDate:Date servicedPeriod:Period quantity:Quantity \
 unitPrice:Money net:Money encounter:Reference* adjudication:Adjudication*
Total category:CodeableConcept amount:Money
Payment date:Date amount:Money
Series uid:str number:int modality:Coding numberOfInstances:int bodySite:Coding started:DateTime
PlanActivity reference:Reference
GoalTarget measure:CodeableConcept detailQuantity:Quantity detailCodeableConcept:CodeableConcept dueDate:Date
Consequence itemCodeableConcept:CodeableConcept itemReference:Reference
Communication language:CodeableConcept preferred:bool
Contact relationship:CodeableConcept* name:HumanName telecom:ContactPoint*
"""

RESOURCES = """
Patient active:bool name:HumanName* telecom:ContactPoint* gender:str birthDate:Date deceasedBoolean:bool \
 deceasedDateTime:DateTime address:Address* maritalStatus:CodeableConcept multipleBirthBoolean:bool \
 multipleBirthInteger:int contact:Contact* communication:Communication* generalPractitioner:Reference* \
 managingOrganization:Reference
Encounter status:str class:Coding type:CodeableConcept* serviceType:CodeableConcept priority:CodeableConcept \
 subject:Reference participant:Participant* period:Period length:Quantity reasonCode:CodeableConcept* \
 reasonReference:Reference* diagnosis:Diagnosis* hospitalization:Hospitalization location:EncounterLocation* \
 serviceProvider:Reference partOf:Reference
Condition clinicalStatus:CodeableConcept verificationStatus:CodeableConcept category:CodeableConcept* \
 severity:CodeableConcept code:CodeableConcept bodySite:CodeableConcept* subject:Reference encounter:Reference \
 onsetDateTime:DateTime onsetPeriod:Period onsetAge:Quantity onsetString:str abatementDateTime:DateTime \
 abatementPeriod:Period abatementAge:Quantity abatementString:str recordedDate:DateTime recorder:Reference \
 asserter:Reference note:Annotation*
Observation status:str category:CodeableConcept* code:CodeableConcept subject:Reference encounter:Reference \
 basedOn:Reference* effectiveDateTime:DateTime effectivePeriod:Period effectiveInstant:Instant issued:Instant \
 performer:Reference* valueQuantity:Quantity valueCodeableConcept:CodeableConcept valueString:str valueBoolean:bool \
 valueInteger:int valueRange:Range valueRatio:Ratio valueSampledData:SampledData valueTime:str \
 valueDateTime:DateTime valuePeriod:Period dataAbsentReason:CodeableConcept interpretation:CodeableConcept* \
 note:Annotation* method:CodeableConcept bodySite:CodeableConcept specimen:Reference device:Reference \
 referenceRange:ReferenceRange* component:ObservationComponent* hasMember:Reference* derivedFrom:Reference*
MedicationRequest status:str intent:str category:CodeableConcept* medicationCodeableConcept:CodeableConcept \
 medicationReference:Reference subject:Reference encounter:Reference authoredOn:DateTime requester:Reference \
 reasonCode:CodeableConcept* reasonReference:Reference* dosageInstruction:Dosage* dispenseRequest:DispenseRequest
MedicationAdministration status:str category:CodeableConcept medicationCodeableConcept:CodeableConcept \
 medicationReference:Reference subject:Reference context:Reference effectiveDateTime:DateTime \
 effectivePeriod:Period reasonCode:CodeableConcept* reasonReference:Reference* request:Reference \
 dosage:AdministrationDosage
MedicationStatement status:str category:CodeableConcept medicationCodeableConcept:CodeableConcept \
 medicationReference:Reference subject:Reference context:Reference effectiveDateTime:DateTime \
 effectivePeriod:Period dateAsserted:DateTime reasonCode:CodeableConcept* dosage:Dosage*
MedicationDispense status:str category:CodeableConcept medicationCodeableConcept:CodeableConcept \
 medicationReference:Reference subject:Reference context:Reference quantity:Quantity daysSupply:Quantity \
 whenPrepared:DateTime whenHandedOver:DateTime dosageInstruction:Dosage* authorizingPrescription:Reference*
Medication code:CodeableConcept status:str form:CodeableConcept amount:Ratio ingredient:Ingredient* batch:Batch
Procedure status:str category:CodeableConcept code:CodeableConcept subject:Reference encounter:Reference \
 performedDateTime:DateTime performedPeriod:Period performedString:str performer:ProcedurePerformer* \
 location:Reference reasonCode:CodeableConcept* reasonReference:Reference* bodySite:CodeableConcept* \
 outcome:CodeableConcept report:Reference* note:Annotation* focalDevice:FocalDevice* usedCode:CodeableConcept*
Immunization status:str vaccineCode:CodeableConcept patient:Reference encounter:Reference \
 occurrenceDateTime:DateTime occurrenceString:str recorded:DateTime primarySource:bool location:Reference \
 lotNumber:str expirationDate:Date route:CodeableConcept site:CodeableConcept doseQuantity:Quantity \
 reasonCode:CodeableConcept*
AllergyIntolerance clinicalStatus:CodeableConcept verificationStatus:CodeableConcept type:str category:str* \
 criticality:str code:CodeableConcept patient:Reference encounter:Reference onsetDateTime:DateTime \
 recordedDate:DateTime lastOccurrence:DateTime reaction:Reaction*
DiagnosticReport status:str category:CodeableConcept* code:CodeableConcept subject:Reference encounter:Reference \
 effectiveDateTime:DateTime effectivePeriod:Period issued:Instant performer:Reference* result:Reference* \
 imagingStudy:Reference* conclusion:str conclusionCode:CodeableConcept* presentedForm:Attachment*
DocumentReference status:str docStatus:str type:CodeableConcept category:CodeableConcept* subject:Reference \
 date:Instant author:Reference* custodian:Reference description:str content:DocumentContent* context:DocumentContext
Device status:str udiCarrier:UdiCarrier* distinctIdentifier:str manufacturer:str manufactureDate:DateTime \
 expirationDate:DateTime lotNumber:str serialNumber:str deviceName:DeviceName* modelNumber:str type:CodeableConcept \
 patient:Reference owner:Reference location:Reference
DeviceUseStatement status:str subject:Reference timingPeriod:Period timingDateTime:DateTime recordedOn:DateTime \
 source:Reference device:Reference reasonCode:CodeableConcept* bodySite:CodeableConcept
Claim status:str type:CodeableConcept use:str patient:Reference billablePeriod:Period created:DateTime \
 provider:Reference facility:Reference priority:CodeableConcept diagnosis:ClaimDiagnosis* \
 procedure:ClaimProcedure* insurance:Insurance* item:ClaimItem* total:Money
ExplanationOfBenefit status:str type:CodeableConcept use:str patient:Reference billablePeriod:Period \
 created:DateTime insurer:Reference provider:Reference facility:Reference claim:Reference outcome:str \
 diagnosis:ClaimDiagnosis* procedure:ClaimProcedure* insurance:Insurance* item:ClaimItem* total:Total* payment:Payment
Organization active:bool type:CodeableConcept* name:str telecom:ContactPoint* address:Address* partOf:Reference
Practitioner active:bool name:HumanName* telecom:ContactPoint* address:Address* gender:str birthDate:Date \
 qualification:Qualification*
PractitionerRole active:bool period:Period practitioner:Reference organization:Reference code:CodeableConcept* \
 specialty:CodeableConcept* location:Reference*
Location status:str name:str description:str mode:str type:CodeableConcept* telecom:ContactPoint* address:Address \
 physicalType:CodeableConcept position:Position managingOrganization:Reference partOf:Reference
ImagingStudy status:str modality:Coding* subject:Reference encounter:Reference started:DateTime \
 numberOfSeries:int numberOfInstances:int procedureReference:Reference procedureCode:CodeableConcept* \
 reasonCode:CodeableConcept* description:str series:Series*
CarePlan status:str intent:str category:CodeableConcept* title:str description:str subject:Reference \
 encounter:Reference period:Period created:DateTime addresses:Reference* goal:Reference* activity:PlanActivity*
Goal lifecycleStatus:str achievementStatus:CodeableConcept category:CodeableConcept* description:CodeableConcept \
 subject:Reference startDate:Date statusDate:Date addresses:Reference* target:GoalTarget*
ServiceRequest status:str intent:str category:CodeableConcept* code:CodeableConcept subject:Reference \
 encounter:Reference occurrenceDateTime:DateTime occurrencePeriod:Period authoredOn:DateTime requester:Reference
Specimen status:str type:CodeableConcept subject:Reference receivedTime:DateTime
Coverage status:str type:CodeableConcept beneficiary:Reference period:Period payor:Reference*
Consent status:str scope:CodeableConcept category:CodeableConcept* patient:Reference dateTime:DateTime
FamilyMemberHistory status:str patient:Reference date:DateTime relationship:CodeableConcept
RiskAssessment status:str code:CodeableConcept subject:Reference encounter:Reference \
 occurrenceDateTime:DateTime occurrencePeriod:Period
"""

_EVERY_RESOURCE = "resourceType:str id:str meta:Meta implicitRules:str language:str extension:Extension* "
_ENOUGH = 1_000  # a site that writes this type with dates only is read by the exact decoder from then on
_IDENTIFIED_ONCE = {"Bundle", "Composition", "QuestionnaireResponse"}


class Extension(Struct, gc=False):
    """An extension names itself; a null or missing url is an error."""

    url: str
    extension: list[Extension] | UnsetType = UNSET


_PRIMITIVES: dict[str, Any] = {
    "str": str,
    "text": str | None,  # a list of primitives may hold null where `_name` carries an extension
    "bool": bool,
    "int": int,
    "float": float,
    "Date": Date,
    "DateTime": DateTime,
    "Instant": Instant,
    "Extension": Extension,
}


def _structure(name: str, elements: str, known: dict[str, Any]) -> type[Struct]:
    fields = []
    for element in elements.split():
        field, _, kind = element.partition(":")
        value = known[kind.removesuffix("*")]
        if kind.endswith("*"):
            value = GenericAlias(list, value)
        fields.append((field, value | UnsetType, UNSET))
    python_names = {"class": "class_"}
    return msgspec.defstruct(
        name,
        [(python_names.get(field, field), kind, default) for field, kind, default in fields],
        rename={value: key for key, value in python_names.items()},
        gc=False,
    )


_MAKING = threading.Lock()
_MOMENT = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with a zone, as msgspec's parser, written in C, reads it."""


@cache
def _datatypes(quick: bool) -> dict[str, Any]:
    known = _PRIMITIVES | ({"DateTime": _MOMENT, "Instant": _MOMENT} if quick else {})
    for line in DATATYPES.strip().replace("\\\n", "").splitlines():
        name, elements = line.split(maxsplit=1)
        known[name] = _structure(name, elements, known)
    return known


@cache
def _resources() -> dict[str, str]:
    lines = RESOURCES.strip().replace("\\\n", "").splitlines()
    found = (line.split(maxsplit=1) for line in lines)
    return {pair[0]: pair[1] for pair in found}


@cache
def decoder(resource_type: str) -> Callable[[bytes], Any]:
    """The decoder that checks one resource type; types without a line get the elements every resource has.

    Nearly every moment has day, time and zone, which a parser in C reads; only where it stumbles (over a date
    without time, a leap second, or an error) the exact decoder decides, and says what is wrong.

    Example:
        >>> decoder("Patient")(b'{"resourceType":"Patient","birthDate":"2024-02-30"}')
        Traceback (most recent call last):
        ...
        msgspec.ValidationError: Invalid Date - at `$.birthDate`
    """
    quick, exact = _decoder(resource_type, quick=True), _decoder(resource_type, quick=False)
    stumbles = 0

    def decode(text: bytes) -> Any:
        nonlocal stumbles
        if stumbles < _ENOUGH:
            try:
                return quick(text)
            except msgspec.ValidationError:
                stumbles += 1
        return exact(text)

    return decode


def _decoder(resource_type: str, *, quick: bool) -> Callable[[bytes], Any]:
    elements = _EVERY_RESOURCE + _resources().get(resource_type, "subject:Reference")
    if resource_type in _resources() and resource_type not in _IDENTIFIED_ONCE:
        elements += " identifier:Identifier*"
    if resource_type not in _resources():
        elements = _EVERY_RESOURCE
    # Decoders share datatypes, which msgspec prepares when a decoder is first made of them: one thread at a time.
    with _MAKING:
        return msgspec.json.Decoder(_structure(resource_type, elements, _datatypes(quick)), dec_hook=accept).decode
