"""A process that decides until it is killed, and says which event each permit named."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.unit.access.conftest import STAGES, begin
from xinglin.core.intent import Intent

if __name__ == "__main__":
    region = begin(Path(sys.argv[1]))
    credential, count = region.credential("clinician"), int(sys.argv[2])
    while count:
        permit = region.gate.authorise(credential, Intent("read", STAGES, purpose="TREAT", person=count % 100))
        print(permit.decision, flush=True)
        count -= 1
    region.gate.close()
