"""Tables: what a file's bytes and a workbook's cells can no longer say is not believed."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e
MAPPING = """
version: 1
tables:
  - name: p
    columns: {number: 证件号, name: 姓名, born: 出生日期}
"""
