"""A first mapping file for tables that were looked at: it validates, lands something, and waits to be corrected."""

from __future__ import annotations

from typing import Any

from xinglin.sources.tabular.profile.columns import ColumnProfile, TableProfile
from xinglin.sources.tabular.profile.meaning import SEXES

__all__ = ["draft"]

_SYSTEMS = {
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
}
_HEAD = """\
# Drafted by xinglin source profile. Look at every line marked with a question, then land it:
#   xinglin ingest PATH --site NAME --format tabular --mapping THIS_FILE
"""
Tree = dict[str, Any]


def draft(tables: list[TableProfile], file_names: dict[str, str], time_zone: str) -> str:
    """The text of a mapping file.

    Args:
        tables: What was seen.
        file_names: Name of the file of each table that comes from one; empty for a database.
        time_zone: Of local times.

    Example:
        >>> from xinglin.sources.tabular.profile.columns import profile_rows
        >>> _, columns = profile_rows(["病人编号", "性别"], [["A-1", "男"]])
        >>> text = draft([TableProfile("a", "file", 1, 0, "utf-8", ",", True, columns)], {"a": "a.csv"}, "+08:00")
        >>> "type: Patient" in text, "男: male" in text
        (True, True)
    """
    import yaml

    content = {
        "time_zone": time_zone,
        "tables": {_table_name(table.name): _Draft(table).entry(file_names.get(table.name)) for table in tables},
    }
    body = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
    return _HEAD + "".join(f"# ? {line}\n" for table in tables for line in _questions(table)) + body


def _table_name(name: str) -> str:
    return name.replace("/", "-").replace("\\", "-").lstrip(".")[:60] or "table"


def _questions(table: TableProfile) -> list[str]:
    found = []
    for column in table.columns:
        if column.null_words:
            words = ", ".join(column.null_words)
            found.append(f"{table.name}.{column.name}: does {words} mean that the value is missing? It is drafted so.")
        if len({form.replace("%d", "%m") for form in column.date_formats}) < len(column.date_formats):
            found.append(f"{table.name}.{column.name}: day and month cannot be told apart; {column.date_formats[0]}?")
    return found


class _Draft:
    def __init__(self, table: TableProfile) -> None:
        self.table = table
        self.by_meaning: dict[str, ColumnProfile] = {}
        for column in table.columns:
            if column.kind != "empty" and column.name:
                self.by_meaning.setdefault(column.meaning, column)

    def entry(self, file_name: str | None) -> Tree:
        table = self.table
        where: Tree = {"table": table.name} if table.source == "table" else {"file": file_name or table.name}
        if table.source == "sheet":
            where["sheet"] = table.name
        if table.source == "file" and table.encoding:
            where |= {"encoding": table.encoding, "delimiter": table.delimiter}
        if not table.has_header:
            where["header"] = [column.name for column in table.columns]
        nulls = {column.name: {"null": sorted(column.null_words)} for column in table.columns if column.null_words}
        if nulls:
            where["columns"] = nulls
        return where | {"unmatched": "skip", "resources": self._resources()}

    def _name(self, *meanings: str) -> str | None:
        return next((self.by_meaning[one].name for one in meanings if one in self.by_meaning), None)

    def _date(self, *meanings: str) -> Tree | None:
        for one in meanings:
            column = self.by_meaning.get(one)
            if column is not None and column.date_formats:
                day_first = [form for form in column.date_formats if form != "%Y"]
                return {"$date": column.name, "format": (day_first or list(column.date_formats))[0]}
        return None

    def _subject(self) -> Tree:
        patient = self._name("patient-id") or self._name("id")
        return {"$reference": "Patient", "id": f"{{{patient}}}" if patient else "{$stem}-{$row}"}

    def _resources(self) -> list[Tree]:
        event = self._event()
        found = [event] if event else []
        is_register = self._name("patient-id", "id") and self._name("name", "birth-date", "sex")
        if is_register:
            found.insert(0, self._patient(mention=event is not None))
        if event is None:
            found += self._wide()
        return found or [self._row()]

    def _patient(self, mention: bool) -> Tree:
        patient = self._name("patient-id", "id")
        elements: Tree = {"identifier": [{"system": "urn:xinglin:patient-number", "value": f"{{{patient}}}"}]}
        if resident := self._name("resident-id"):
            elements["identifier"].append({"system": "urn:oid:2.16.156.10011.1.3", "value": f"{{{resident}}}"})
        if name := self._name("name"):
            elements["name"] = [{"text": f"{{{name}}}"}]
        if phone := self._name("phone"):
            elements["telecom"] = [{"system": "phone", "value": f"{{{phone}}}"}]
        if sex := self.by_meaning.get("sex"):
            known = {word: SEXES[word.lower()] for word in sex.words if word.lower() in SEXES}
            elements["gender"] = {"$code": sex.name, "map": known or {"男": "male", "女": "female"}, "unknown": "omit"}
        if birth := self._date("birth-date"):
            elements["birthDate"] = birth | {"as": "date"}
        if address := self._name("address"):
            elements["address"] = [{"text": f"{{{address}}}"}]
        made: Tree = {"type": "Patient", "id": f"{{{patient}}}", "elements": elements}
        return made | ({"mention": "true"} if mention else {})

    def _event(self) -> Tree | None:
        if code := self._coded(("icd-10", "diagnosis-code"), ("diagnosis-name",)):
            return self._about("Condition", {"code": code}, "recordedDate")
        if code := self._coded(("procedure-code",), ("procedure-name",)):
            return self._about("Procedure", {"status": "completed", "code": code}, "performedDateTime")
        if code := self._coded(("drug-code",), ("drug-name",)):
            elements = {"status": "active", "intent": "order", "medicationCodeableConcept": code}
            return self._about("MedicationRequest", elements, "authoredOn")
        result = self.by_meaning.get("result")
        code = self._coded(("loinc", "test-code"), ("test-name",))
        if code and result:
            value = self._value(result, self._name("unit"))
            return self._about("Observation", {"status": "final", "code": code} | value, "effectiveDateTime")
        if self._date("start") and (self._name("visit-id") or self._name("visit-type") or self._date("end")):
            return self._visit()
        return None

    def _coded(self, codes: tuple[str, ...], names: tuple[str, ...]) -> Tree | None:
        code = next((self.by_meaning[one] for one in codes if one in self.by_meaning), None)
        text = self._name(*names)
        if code is None and text is None:
            return None
        made: Tree = {}
        if code is not None:
            system = _SYSTEMS.get(code.meaning, f"urn:xinglin:{_table_name(self.table.name)}")
            made["coding"] = [{"system": system, "code": f"{{{code.name}}}"}]
        if text is not None:
            made["text"] = f"{{{text}}}"
        return made

    def _value(self, column: ColumnProfile, unit: str | None) -> Tree:
        if column.kind in ("integer", "decimal"):
            return {"valueQuantity": {"$quantity": column.name} | ({"unit": f"{{{unit}}}"} if unit else {})}
        return {"valueString": f"{{{column.name}}}"}

    def _about(self, resource_type: str, elements: Tree, date_element: str) -> Tree:
        elements = elements | {"subject": self._subject()}
        if visit := self._name("visit-id"):
            elements["encounter"] = {"$reference": "Encounter", "id": f"{{{visit}}}"}
        if day := self._date("date", "start", "end"):
            elements[date_element] = day
        return {"type": resource_type, "id": "{$stem}-{$row}", "elements": elements} | self._by_columns()

    def _by_columns(self) -> Tree:
        """Rows of a database have no number of their own, so there the id is made of all columns that tell apart."""
        if self.table.source != "table":
            return {}
        telling = ("patient-id", "visit-id", "id", "icd-10", "loinc", "snomed")
        named = [one for one in self.table.columns if one.meaning in telling or one.meaning.endswith("code")]
        names = [one.name for one in named] + [one.name for one in self.table.columns if one.date_formats]
        return {"id": names or [column.name for column in self.table.columns]}

    def _visit(self) -> Tree:
        period = {"start": self._date("start")} | ({"end": end} if (end := self._date("end")) else {})
        kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
        elements = {"status": "finished", "class": kind, "subject": self._subject(), "period": period}
        visit = self._name("visit-id") or (self._name("id") if self._name("patient-id") else None)
        if visit is not None:
            return {"type": "Encounter", "id": f"{{{visit}}}", "elements": elements}
        return {"type": "Encounter", "id": "{$stem}-{$row}", "elements": elements} | self._by_columns()

    def _wide(self) -> list[Tree]:
        """Every column of numbers as an observation that has the column's name."""
        meant = {"patient-id", "visit-id", "id", "resident-id", "phone", "sex", "code", *_SYSTEMS}
        columns = [
            one.name for one in self.table.columns if one.kind in ("integer", "decimal") and one.meaning not in meant
        ]
        if not columns:
            return []
        elements: Tree = {"status": "final", "code": {"text": "{@column}"}, "subject": self._subject()}
        if day := self._date("date", "start"):
            elements["effectiveDateTime"] = day
        elements["valueQuantity"] = {"$quantity": "{@column}"}
        named = self.by_meaning.get("patient-id") or self.by_meaning.get("id")
        if named is None and self.table.source == "table":
            return []
        parts = [named.name] if named else []
        if named is None or named.distinct < named.filled:
            dated = self.by_meaning.get("date") or self.by_meaning.get("start")
            parts.append(dated.name if dated and named else "$row")
        subject = "-".join(f"{{{part}}}" for part in parts)
        made: Tree = {"type": "Observation", "for_each": [{"column": name} for name in columns]}
        made |= {"id": f"{self.table.name}-{subject}-{{@column}}", "when": {"present": "{@column}"}}
        return [made | {"elements": elements}]

    def _row(self) -> Tree:
        """Nothing fits: the row is kept as a resource without a meaning, its filled columns as text."""
        filled = [f"{{{one.name}}}" for one in self.table.columns if one.kind != "empty" and one.name]
        text = {"$join": filled or ["{$row}"], "with": " | "}
        return {"type": "Basic", "id": "{$stem}-{$row}", "elements": {"code": {"text": text}}} | self._by_columns()
