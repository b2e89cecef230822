"""HL7 v2 as files: messages cut out of them, and each made into FHIR resources by a mapping that is data."""

from xinglin.sources.hl7v2.convert import Converted, convert, understand
from xinglin.sources.hl7v2.message.parse import Message, parse
from xinglin.sources.hl7v2.network.acknowledge import Inspection, acknowledge, inspect
from xinglin.sources.hl7v2.read import Told, cut, recognises, records, told
from xinglin.sources.hl7v2.redaction import redact

__all__ = [
    "Converted",
    "Inspection",
    "Message",
    "Told",
    "acknowledge",
    "convert",
    "cut",
    "inspect",
    "parse",
    "recognises",
    "records",
    "redact",
    "told",
    "understand",
]
