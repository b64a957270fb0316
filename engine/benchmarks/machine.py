"""What a measurement has to say of itself: machine, versions, commit, model, load, command."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path

import torch

from engine.pipeline import LayerPipeline

ROOT = Path(__file__).resolve().parent.parent.parent


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{found[1].strip() if found else 'processor'} ({platform.machine()})"


def memory_gb() -> float | None:
    """Memory of the machine in 10^9 bytes."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (ValueError, OSError, AttributeError):
        return None


def commit() -> str:
    """Short hash of the checkout, with a word on changes that are not in it."""
    try:
        git = ["git", "-C", str(ROOT)]
        short = subprocess.run([*git, "rev-parse", "--short", "HEAD"],
                               capture_output=True, text=True, check=True)  # fmt: skip
        changed = subprocess.run([*git, "status", "--porcelain", "--", "engine", "resources/model"],
                                 capture_output=True, text=True, check=True)  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return short.stdout.strip() + (" with local changes" if changed.stdout.strip() else "")


def describe(generator: LayerPipeline, command: str) -> str:
    """One paragraph that stands beside every table."""
    info = generator.info
    memory = memory_gb()
    facts = [
        f"{processor()}, {os.cpu_count()} cores" + (f", {memory:.0f} GB" if memory else ""),
        f"{platform.system()}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"kernels {torch.backends.cpu.get_cpu_capability()}",
        f"{info.device}, {info.precision}, {info.threads} threads",
        f"commit {commit()}",
        f"model {info.name} ({info.file_hash[:12]}, {info.parameters / 1e6:.1f} M parameters)",
        time.strftime("%Y-%m-%d", time.gmtime()),
    ]
    try:
        facts.append(f"load average before the start {os.getloadavg()[0]:.1f}")
    except OSError:
        pass
    return f"*Measured with `{command}` on: {'; '.join(facts)}.*"
