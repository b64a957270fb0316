"""Who may import whom: the table of the architecture page, read from the source with `ast`.

import-linter checks the same directions through chains of imports (`./dev check`); this test names
the offending line and needs nothing but the source.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STDLIB = frozenset(sys.stdlib_module_names)

# Folder or file -> what it may import besides the standard library. A name allows what is below
# it too, except "engine!", which is the public face alone. The longest match counts.
ALLOWED: dict[str, tuple[str, ...]] = {
    "engine/api.py": ("numpy", "engine.prompts.result"),
    "engine/prompts/result.py": (),
    "engine/prompts": (
        "numpy",
        "rapidfuzz",
        "engine.prompts",
        "engine.words",
        "engine.paths",
        "engine.errors",
    ),
    "engine/errors.py": (),
    "engine/paths.py": (),
    "engine/pixels.py": ("numpy", "PIL"),
    "engine/colour_decision.py": (
        "torch",
        "numpy",
        "engine.api",
        "engine.pixels",
    ),
    "engine/models/art/model.py": ("torch", "engine.models.art.attention"),
    "engine/models/art/attention.py": ("torch",),
    "engine/models": ("torch", "numpy", "safetensors", "engine"),
    "engine/words.py": ("numpy", "safetensors", "emoji", "engine.errors", "engine.paths"),
    "engine/layout.py": ("numpy", "engine.api", "engine.errors"),
    "engine/work_estimate.py": ("psutil", "engine.api", "engine.layout"),
    "engine/sampling.py": ("torch", "numpy", "engine.layout", "engine.errors"),
    "engine/loading.py": (),
    "engine/job_line.py": ("engine.api",),
    "engine/engine.py": (
        "engine.api",
        "engine.errors",
        "engine.job_line",
        "engine.pipeline",
        "engine.loading",
    ),
    "engine/remote/api.py": ("numpy", "engine.errors"),
    "engine/remote": (
        "numpy",
        "PIL",
        "psutil",
        "websockets",
        "engine.api",
        "engine.composition",
        "engine.errors",
        "engine.job_line",
        "engine.layout",
        "engine.paths",
        "engine.pixels",
        "engine.prompts",
        "engine.remote",
        "engine.words",
    ),
    "engine/training": ("torch", "numpy", "PIL", "safetensors", "resvg_py", "engine"),
    "engine/benchmarks": ("torch", "numpy", "matplotlib", "psutil", "engine"),
    "engine": ("torch", "numpy", "safetensors", "engine"),
    "app/document/storage": (
        "numpy",
        "psygnal",
        "PIL",
        "imagecodecs",
        "psd_tools",
        "psutil",
        "pydyf",
        "tifffile",
        "app.document",
    ),
    "app/document/vectors": ("numpy", "contourpy", "PIL", "app.document"),
    "app/document/pixels.py": ("numpy", "PIL"),
    "app/document": ("numpy", "psygnal", "app.document"),
    "app/testing.py": ("numpy", "app.document", "engine!"),
    "app/benchmarks": ("numpy", "PIL", "psutil", "app", "engine!"),
    "app/benchmarks/window.py": ("PySide6", "qasync", "numpy", "app", "engine!"),
    "app/session": (
        "numpy",
        "psygnal",
        "app.document",
        "app.session",
        "engine!",
    ),
    "app/session/settings.py": ("platformdirs", "app.document"),
    "app/session/records.py": ("numpy", "app.document", "engine!"),
    "app/session/jobs.py": ("numpy", "app.document", "engine!"),
    "app/session/monitor.py": ("psygnal", "app.session.estimates", "engine!"),
    "app/session/selection.py": ("psygnal", "app.document"),
    "app/session/pixel_store.py": ("numpy", "app.document"),
    "app/session/undo.py": (
        "psygnal",
        "app.document",
        "app.session.jobs",
        "app.session.pixel_store",
    ),
    "app/session/connections.py": (
        "psygnal",
        "app.session.settings",
        "engine!",
        "engine.remote",
    ),
    "app/session/servers.py": ("app.session", "engine!", "engine.remote"),
    "app/session/server_types.py": ("engine.remote",),
    "app/session/tokens.py": ("keyring",),
    "app/session/own_graphs.py": (),
    "app/session/client.py": ("engine!", "engine.remote!"),
    "app/session/prompt_summary.py": ("engine!",),
    "app/ui": (
        "PySide6",
        "qasync",
        "numpy",
        "app.document",
        "app.session",
        "app.ui",
    ),
    "app/benchmarks/ui": ("PySide6", "psutil", "qasync", "numpy", "app", "engine!"),
    "app/cli/engines.py": ("app", "engine!", "engine.remote!"),
    "app": ("numpy", "app", "engine!", "engine.paths"),
}
# Modules that the installed package lacks, so nothing in it may import them.
CHECKOUT_ONLY = ("engine.training", "engine.benchmarks", "app.benchmarks", "app.testing")


def sources() -> list[str]:
    """Every source file of ours, as a path from the root."""
    files = [*ROOT.glob("app/**/*.py"), *ROOT.glob("engine/**/*.py")]
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of each import; a name that is taken from a package may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                name = f"{module}.{alias.name}"
                yield node.lineno, name if is_module(name) else module


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def rule_for(source: str) -> tuple[str, ...]:
    matches = [key for key in ALLOWED if source == key or source.startswith(key + "/")]
    return ALLOWED[max(matches, key=len)]


def is_allowed(name: str, source: str) -> bool:
    if name.split(".")[0] in STDLIB:
        return True
    inside = tuple(folder.replace(".", "/") for folder in CHECKOUT_ONLY)
    if name.startswith(CHECKOUT_ONLY) and not source.startswith(inside):
        return False
    return any(
        name == rule[:-1] if rule.endswith("!") else name == rule or name.startswith(rule + ".")
        for rule in rule_for(source)
    )


@pytest.mark.parametrize("source", sources())
def test_imports_go_one_way(source: str) -> None:
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"), source)
    wrong = {
        f"{source}:{line} imports {name}"
        for line, name in imported(tree)
        if not is_allowed(name, source)
    }
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (["app.document"], ["PySide6", "torch", "engine", "safetensors"]),
        (["engine"], ["PySide6", "torch", "app", "rapidfuzz", "emoji", "psutil"]),
        (["app.cli.generate", "app.cli.files"], ["PySide6", "torch"]),
        (["app.session.queue", "app.session.settings", "app.session.undo"], ["PySide6", "torch"]),
        (
            ["app.ui.main_window"],
            ["torch", "rapidfuzz", "emoji", "psutil", "engine.remote", "keyring"],
        ),
    ],
)
def test_importing_stays_light(modules: list[str], absent: list[str]) -> None:
    """A fresh interpreter imports a part of the program; packages that few uses need stay out."""
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"sys.exit(', '.join(name for name in {absent!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
