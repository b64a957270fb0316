"""The command line's arguments: short spellings, refusals in time, and the way to the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import cli
from app.cli.arguments import translate_aliases
from app.cli.output import plan_outputs
from app.cli.source import ArgumentProblem
from engine import list_models
from engine.paths import resource_path

EXAMPLE = resource_path("examples", "night-camp.json")
GENERATE = ["generate", "--prompt", "a dog", "--layout", "no.json", "--out", "no"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], []),
        (["info"], ["info"]),
        (["verify", "a.ora", "--regenerate"], ["verify", "a.ora", "--regenerate"]),
        (
            ["--headless", "--prompt", "a dog", "--boxes", "b.json", "--out", "o.png"],
            ["generate", "--prompt", "a dog", "--boxes", "b.json", "--out", "o.png"],
        ),
        (
            ["--open", "a.ora", "--regenerate", "Dog", "--seed", "9", "--out", "b.ora"],
            ["regenerate", "a.ora", "--layer=Dog", "--seed", "9", "--out", "b.ora"],
        ),
        (
            ["--headless", "--open=a.ora", "--regenerate", "1", "--regenerate", "2", "--out", "o"],
            ["regenerate", "a.ora", "--layer=1", "--layer=2", "--out", "o"],
        ),
        (["--open", "a.ora", "--out", "a.png"], ["export", "a.ora", "--out", "a.png"]),
        (["--verify", "a.ora"], ["verify", "a.ora", "--regenerate"]),
    ],
)
def test_short_spellings_mean_subcommands(given: list[str], meant: list[str]) -> None:
    """--headless, --open … --regenerate and --verify."""
    assert translate_aliases(given) == meant


@pytest.mark.parametrize(
    "arguments",
    [
        ["paint"],
        ["generate", "--prompt", "a dog"],
        [*GENERATE, "--seed", "-1"],
        [*GENERATE, "--seed", "4294967296"],
        [*GENERATE, "--seed", "one"],
        [*GENERATE, "--steps", "0"],
        [*GENERATE, "--guidance", "nan"],
        [*GENERATE, "--size", "512"],
        [*GENERATE, "--size", "0x512"],
        [*GENERATE, "--size", "512x99999"],
        [*GENERATE, "--variations", "9"],
        [*GENERATE, "--device", "abacus"],
        [*GENERATE, "--nonsense"],
        ["regenerate", "a.ora", "--out", "b"],
        ["--open"],
        ["train"],
        ["train", "everything"],
        ["bench", "everything"],
    ],
    ids=" ".join,
)
def test_bad_arguments_give_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == cli.BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert captured.err
    assert not captured.out


def test_models_are_listed_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    def factory(*_: object, **__: object) -> None:
        raise AssertionError("an engine was started")

    assert cli.main(["models"], engine_factory=factory) == cli.OK
    said = capsys.readouterr().out
    (listed,) = list_models()
    assert listed.name in said and listed.file_hash in said
    assert all(licence in said for licence in listed.licences)
    assert cli.main(["models", "no/such/folder"]) == cli.BAD_ARGUMENTS
    assert "no/such/folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["generate", "regenerate", "export", "info", "verify"])
def test_help_shows_the_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([command, "--help"]) == cli.OK
    assert f"layerloom {command}" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["train", "bench"])
def test_help_of_groups_lists_names(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([group, "--help"]) == cli.OK
    assert ("sprites" if group == "train" else "engine") in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.FORWARDED["train"])
def test_trainers_get_their_arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train NAME …` hands everything behind the name to that module's `main`."""
    got: list[list[str]] = []

    class Trainer:
        @staticmethod
        def main(argv: list[str]) -> int:
            got.append(argv)
            return 7

    monkeypatch.setitem(sys.modules, cli.FORWARDED["train"][name], Trainer)
    assert cli.main(["train", name, "--help", "--steps", "5"]) == 7
    assert got == [["--help", "--steps", "5"]]


def test_a_trainer_that_misses_an_earlier_step_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Trainer:
        @staticmethod
        def main(argv: list[str]) -> int:
            raise FileNotFoundError("no judge at x: run `layerloom train judge` first")

    monkeypatch.setitem(sys.modules, "engine.training.eval.evaluate", Trainer)
    assert cli.main(["train", "evaluate"]) == cli.FAILED
    assert "run `layerloom train judge` first." in capsys.readouterr().err


def test_an_error_of_our_own_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback unless it is asked for."""

    def broken(*_: object) -> int:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("app.cli.files.info", broken)
    assert cli.main(["info"]) == cli.FAILED
    assert "--verbose" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        cli.main(["info", "--verbose"])


@pytest.mark.skipif(os.name != "posix", reason="head is a POSIX tool")
def test_a_reader_that_has_enough_is_no_error() -> None:
    command = f'"{sys.executable}" -m app info "{EXAMPLE}" | head -1; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


# ---- where to write ----


def test_one_output_is_the_name_itself(tmp_path: Path) -> None:
    for name, kind in [("a", "folder"), ("a.PNG", "png"), ("a.ora", "ora"), ("v1.2", "folder")]:
        (output,) = plan_outputs(tmp_path / name)
        assert (output.kind, output.path) == (kind, tmp_path / name)


def test_variations_get_names_of_their_own(tmp_path: Path) -> None:
    assert [each.path.name for each in plan_outputs(tmp_path / "a", 2)] == ["1", "2"]
    assert [each.path.name for each in plan_outputs(tmp_path / "a.zip", 2)] == [
        "a-1.zip",
        "a-2.zip",
    ]


def test_bad_places_are_refused(tmp_path: Path) -> None:
    """Before anything is computed, and without touching what is there."""
    full = tmp_path / "full"
    full.mkdir()
    (full / "old.png").write_bytes(b"old")
    (tmp_path / "folder.png").mkdir()
    bad = [
        full,
        full / "old.png" / "x",
        tmp_path / "folder.png",
        tmp_path / "a.kra",
        full / "a.heic",
    ]
    for out in bad:
        with pytest.raises(ArgumentProblem):
            plan_outputs(out)
    assert plan_outputs(tmp_path / "new" / "deep" / "a.png")
    assert (full / "old.png").read_bytes() == b"old"
    assert not (tmp_path / "new").exists()


# ---- the window ----


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m app` with neither display nor Qt platform."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be without a display")
def test_no_display_is_said_in_one_line() -> None:
    done = run()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no display" in done.stderr
    assert "layerloom generate" in done.stderr


def test_a_missing_file_is_not_opened() -> None:
    done = run("nowhere.ora")
    assert done.returncode == 2
    assert "nowhere.ora" in done.stderr
