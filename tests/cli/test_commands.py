"""What the stanchion command offers."""

import pytest
from click.testing import CliRunner

from cli.processes import run_stanchion
from stanchion import __version__
from stanchion.cli.main import COMMANDS, main
from stanchion.settings import SETTINGS
from support.commands import command_named


def test_version_is_one_line(tmp_path) -> None:
    done = run_stanchion(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"stanchion {__version__}\n", "")


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in COMMANDS)
    shell = {"queues", "send", "receive", "peek", "purge", "redrive", "dump", "load", "copy", "top", "check"}
    assert set(COMMANDS) == {"serve", "demo"} | shell


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")
    assert command_named(name).help


def test_serve_has_a_flag_for_every_setting_and_names_its_variable() -> None:
    output = CliRunner().invoke(main, ["serve", "--help"], terminal_width=200).output
    for setting in SETTINGS:
        assert f"  {setting.flag} " in output
        assert setting.variable in output


def test_serve_shows_defaults() -> None:
    output = CliRunner().invoke(main, ["serve", "--help"], terminal_width=200).output
    assert "[default: 9324; STANCHION_PORT]" in output
    assert "[default: on; STANCHION_CONSOLE]" in output
    assert "[STANCHION_CREDENTIALS]" in output


def test_an_unknown_flag_is_refused() -> None:
    result = CliRunner().invoke(main, ["serve", "--prot", "1"])
    assert result.exit_code == 2
    assert "No such option" in result.output


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["sevre"])
    assert result.exit_code == 2
    assert "sevre" in result.output
