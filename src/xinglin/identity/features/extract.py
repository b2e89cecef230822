"""From Patient resources as they were landed to the features that linkage compares.

Full-width letters and digits become plain ones (the part of Unicode NFKC that Chinese records need), accents and
punctuation go, letters become small. A national identifier is one whose type (HL7 v2-0203 NI, SS, SB or NNxxx) or
system says so, or an untyped value that is a valid Chinese resident identity number (GB 11643-1999), or, for those who
have neither, a passport number (PPN). A medical record number (MR) is local and never taken for one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from xinglin.core.ids import key_sql
from xinglin.core.sql import quote
from xinglin.identity.features.placeholders import placeholder_patterns
from xinglin.identity.sql import sql_text
from xinglin.landing.current import CurrentFile, current_resources

if TYPE_CHECKING:
    import duckdb

__all__ = ["LandedPatients", "extract_features", "load_macros", "read_landed"]

_SHAPE = {
    "gender": "VARCHAR",
    "link": [{"type": "VARCHAR", "other": {"reference": "VARCHAR"}}],
    "birthDate": "VARCHAR",
    "multipleBirthInteger": "VARCHAR",
    "name": [{"use": "VARCHAR", "text": "VARCHAR", "family": "VARCHAR", "given": ["VARCHAR"], "suffix": ["VARCHAR"]}],
    "telecom": [{"system": "VARCHAR", "value": "VARCHAR", "use": "VARCHAR"}],
    "identifier": [{"system": "VARCHAR", "value": "VARCHAR", "type": {"coding": [{"code": "VARCHAR"}]}}],
    "address": [{"use": "VARCHAR", "text": "VARCHAR", "line": ["VARCHAR"], "city": "VARCHAR", "postalCode": "VARCHAR"}],
}
_NATIONAL_SYSTEMS = (
    "us-ssn$",
    "2[.]16[.]840[.]1[.]113883[.]4[.]1$",
    "resident-?id",
    "national-?id",
    "nhs-number$",
)
_COMPOUND_FAMILY_NAMES = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台"
    "|皇甫|宗政|濮阳|公冶|太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|令狐"
)
_LOCAL_REFERENCE = (
    r"nullif(regexp_extract(k.other.reference, '(?:^|/)(Patient/[A-Za-z0-9.-]{1,64})(?:/_history/[^/]*)?$$', 1), '')"
)
"""The Patient that a link names: by ``Patient/id`` or an absolute URL, with or without a version."""
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class LandedPatients(CurrentFile, Protocol):
    """What is needed of a landed file besides its current rows: which batch brought it, and its hash."""

    @property
    def batch(self) -> int:
        """Sequence of its batch."""
        ...

    @property
    def name(self) -> str:
        """File name in the batch."""
        ...

    @property
    def sha256(self) -> str:
        """Its hash."""
        ...


def load_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Teach a connection how spellings are normalised.

    Example:
        >>> import duckdb
        >>> connection = duckdb.connect()
        >>> load_macros(connection)
        >>> connection.execute("SELECT letters('Ｏ’Neil-José'), phone_number('+86 138-0013-8000')").fetchone()
        ('oneiljose', '13800138000')
        >>> connection.execute("SELECT resident_id('11010519491231002x')").fetchone()
        (True,)
    """
    wide = "'" + "".join(chr(code) for code in range(0xFF01, 0xFF5F)) + "\u3000'"
    narrow = quote("".join(chr(code) for code in range(0x21, 0x7F)) + " ")
    checksum = " + ".join(
        f"{weight} * ((seventeen // {10 ** (16 - place)}) % 10)" for place, weight in enumerate(_ID_WEIGHTS)
    )
    repeated = "|".join(f"{digit}+" for digit in range(10))
    connection.execute(sql_text("features/normalise", wide=wide, narrow=narrow, checksum=checksum, repeated=repeated))
    connection.execute(sql_text("features/placeholders", **placeholder_patterns()))


def read_landed(connection: duckdb.DuckDBPyConnection, landed: Sequence[LandedPatients]) -> None:
    """Make the view ``landed_patient``: current Patient resources of some landed files.

    Args:
        connection: Where the view is made.
        landed: Patient files.
    """
    current = current_resources(landed, ["site", "key", "resource_id", "resource"])
    select = f"SELECT key AS patient_key, site, resource_id AS local_id, resource FROM {current}"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW landed_patient AS {select}").fetchall()


def extract_features(connection: duckdb.DuckDBPyConnection, into: str) -> int:
    """Make the table `into` (contract identity.PATIENT) from ``landed_patient``.

    Returns:
        Number of patients.
    """
    load_macros(connection)
    stages = {
        "chosen": sql_text(
            "features/chosen",
            shape="'" + json.dumps(_SHAPE) + "'",
            systems="|".join(_NATIONAL_SYSTEMS),
            linked_key=key_sql(f"concat(site, '/', {_LOCAL_REFERENCE})"),
            local_reference=_LOCAL_REFERENCE,
        ),
        "written": sql_text("features/written", family_of_han=f"^({_COMPOUND_FAMILY_NAMES}|.)"),
        "suffixed": sql_text("features/suffixed", suffix="(sr|senior|snr|jr|junior|jnr|ii|iii|iv|2nd|3rd|4th)[.]?"),
        into: sql_text("features/patient"),
    }
    # In several statements: macros over macros over JSON take longer to plan than to run.
    for table, select in stages.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}").fetchall()
    for table in ("chosen", "written", "suffixed"):
        connection.execute(f"DROP TABLE {table}").fetchall()
    return int(connection.execute(f"SELECT count(*) FROM {into}").fetchall()[0][0])
