from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from xinglin import __version__
from xinglin.cli import run
from xinglin.cli.commands import WORDS

REPO = Path(__file__).resolve().parents[3]


def commands() -> list[list[str]]:
    """Every command, as its words."""
    from typer.main import get_command

    from xinglin.cli.commands import application

    def below(command, words):
        parts = getattr(command, "commands", None)
        return [one for name, part in parts.items() for one in below(part, [*words, name])] if parts else [words]

    return below(get_command(application()), [])


@pytest.mark.parametrize("word", WORDS)
def test_a_command_brings_all_of_itself(word):
    code = (
        "import sys; from typer.main import get_command; from xinglin.cli.commands import application\n"
        "from xinglin.cli.opening import leaves\n"
        "print(*[words for words, _ in leaves(get_command(application(sys.argv[1])))], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, check=True)
    assert {one for one in map(" ".join, commands()) if one.split()[0] == word} == set(done.stdout.splitlines())


def test_every_word_has_its_modules():
    assert {words[0] for words in commands()} == set(WORDS)


def test_the_version_is_the_packages(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"xinglin {__version__}\n"


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_teaches_itself(command, capsys):
    assert run([*command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "--json" in said
    assert len(said.splitlines()) > 5


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_is_in_the_readme(command):
    readme = (REPO / "README.md").read_text()
    words = command[:2]
    assert f"xinglin {' '.join(words)}" in readme or (words[0] in readme and f"`{words[-1]}`" in readme)


def test_bad_usage_leaves_with_2(capsys):
    assert run(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_an_unknown_command_is_answered_with_the_list_of_commands(capsys):
    assert run(["serve"]) == 2
    said = capsys.readouterr().err
    assert "No such command 'serve'. Commands: demo, init, ingest," in said
    assert "Did you mean" not in said


@pytest.mark.parametrize("command, meant", [(["verfy"], "verify"), (["consent", "grnat"], "grant")], ids=str)
def test_a_misspelled_command_is_answered_with_the_similar_one(command, meant, capsys):
    assert run(command) == 2
    assert f"No such command '{command[-1]}'. Did you mean '{meant}'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["status"], ["run"], ["sql", "SELECT 1"], ["identity", "links"], ["mart", "check"]]
)
def test_a_region_that_is_not_there_says_how_to_make_one(command, tmp_path, capsys):
    assert run([*command, "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "no region in this folder" in said
    assert "xinglin init" in said


def test_init_keeps_keys_private_and_does_not_change_an_existing_region(tmp_path, capsys):
    assert run(["init", str(tmp_path / "home"), "--buckets", "3"]) == 0
    assert (tmp_path / "home" / "keys").stat().st_mode & 0o077 == 0
    assert run(["init", str(tmp_path / "home"), "--buckets", "5", "--json"]) == 0
    assert '"buckets": 3' in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from xinglin.cli import run; run(['--help'])\n"
        "heavy = {'duckdb', 'deltalake', 'pyarrow', 'splink', 'matplotlib', 'numpy', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
