"""A PostgreSQL server of its own for a test: an unprivileged user, a free loopback port, a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "geheim-s3cret"


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl, the newest version first; None where there is no server here."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name), reverse=True)
    found = shutil.which("initdb")
    for folder in [*folders, *([Path(found).resolve().parent] if found else [])]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    return None


def why_not() -> str:
    """Why no server can be started here; empty where one can."""
    if binaries() is None:
        return "PostgreSQL was not tested: initdb and pg_ctl are not installed (Debian package postgresql)"
    if os.getuid() == 0 and (_account() is None or shutil.which("runuser") is None):
        return "PostgreSQL was not tested: it does not run as root, and there is no account postgres or nobody"
    return ""


def _account() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server's database, with its password."""
    folder = Path(tempfile.mkdtemp(prefix="xinglin-pg-", dir="/tmp"))
    account = _account() if os.getuid() == 0 else None
    bin_folder = binaries()
    assert bin_folder is not None

    def run(*words: str) -> None:
        whole = ["runuser", "-u", account, "--", *words] if account else list(words)
        done = subprocess.run(whole, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "password").write_text(PASSWORD)
    if account:
        for place in (folder, folder / "password"):
            shutil.chown(place, account)
    data = str(folder / "data")
    started = False
    try:
        run(str(bin_folder / "initdb"), "-D", data, "-U", "reader", "-A", "scram-sha-256",
            f"--pwfile={folder / 'password'}", "-E", "UTF8", "--locale=C", "--no-sync")  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        run(str(bin_folder / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        started = True
        yield f"postgresql://reader:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        if started:
            run(str(bin_folder / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
