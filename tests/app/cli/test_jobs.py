"""The command line's engine session on the real worker thread, with a scripted generator on it."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.cli.jobs import EngineSession, ProgressLine
from app.cli.source import Interrupted
from app.document.errors import UserError
from app.session.jobs import painted_steps
from app.testing import finished
from engine import (
    Event,
    Finished,
    GenerateRequest,
    LayerRequest,
    Progress,
    RequestError,
    Started,
    WeightsError,
)
from engine.errors import Cancelled
from tests.app.cli.child import INFO

REQUEST = GenerateRequest(
    job_id=1,
    canvas=(64, 64),
    prompt="a dog",
    layers=(LayerRequest(layer_id=5, kind="foreground", box=(0, 0, 32, 32)),),
    steps=3,
)


class Generator:
    """Stands where `engine.pipeline.LayerPipeline` stands; runs on the engine's thread."""

    info = INFO
    loaded: dict[str, Any]
    trouble: Exception | None = None
    step_s = 0.0

    @classmethod
    def load(cls, weights: Path | None, **options: Any) -> Generator:
        if isinstance(cls.trouble, WeightsError):
            raise cls.trouble
        cls.loaded = {"weights": weights, **options}
        return cls()

    def run(
        self,
        request: GenerateRequest,
        emit: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> Finished:
        if self.trouble is not None:
            raise self.trouble
        emit(Started(job_id=request.job_id, total_steps=3, unknown_words=()))
        for step in range(1, 4):
            if should_stop():
                raise Cancelled
            time.sleep(self.step_s)
            emit(Progress(job_id=request.job_id, step=step, total=3, seconds_left=3.0 - step))
        return finished(request, INFO, steps=3)


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> type[Generator]:
    """A fresh scripted generator in the real one's place."""
    kind = type("Generator", (Generator,), {})
    monkeypatch.setitem(sys.modules, "engine.pipeline", SimpleNamespace(LayerPipeline=kind))
    return kind


def engine_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "layerloom-engine"]


def test_a_job_runs_to_its_end_and_the_thread_ends(generator: type[Generator]) -> None:
    with EngineSession(threads=2, device="cpu", model=Path("m"), quiet=True) as session:
        assert session.info is INFO
        finished = session.run(REQUEST, "Picture")
    assert [result.layer_id for result in finished.results] == [5]
    assert finished.results[0].rgba.dtype == np.uint8
    assert callable(generator.loaded.pop("report"))
    assert generator.loaded == {"weights": Path("m"), "device": "cpu", "threads": 2}
    assert not engine_threads()


def test_two_jobs_one_after_the_other(generator: type[Generator]) -> None:
    """Events that are left over from the first job do not end the second."""
    with EngineSession(quiet=True) as session:
        assert session.run(REQUEST, "one").job_id == 1
        second = GenerateRequest(
            job_id=2, canvas=(64, 64), prompt="", layers=REQUEST.layers, steps=3
        )
        assert session.run(second, "two").job_id == 2


def test_ctrl_c_cancels_the_job_and_leaves_no_thread(
    generator: type[Generator], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.step_s = 0.05

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "show", interrupt)
    with pytest.raises(Interrupted), EngineSession() as session:
        session.run(REQUEST, "Picture")
    assert not engine_threads()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RequestError("The box is too large.", "Make it smaller."), "Make it smaller."),
        (MemoryError(), "not enough memory"),
        (ZeroDivisionError("x"), "Generating failed"),
    ],
)
def test_a_failing_job_is_one_error(
    generator: type[Generator], error: Exception, text: str
) -> None:
    generator.trouble = error
    with (
        pytest.raises(UserError, match="Nothing was written") as raised,
        EngineSession() as session,
    ):
        session.run(REQUEST, "Picture")
    assert text in str(raised.value)
    assert not engine_threads()


def test_a_model_that_does_not_load_is_one_error(generator: type[Generator]) -> None:
    generator.trouble = WeightsError("The model file is damaged (checksum differs).")
    with pytest.raises(UserError, match=r"checksum differs.*Install the package again"):
        EngineSession().__enter__()
    assert not engine_threads()


def test_progress_on_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is rewritten in place and ended before anything else is said."""
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    line = ProgressLine(stream, quiet=False)
    line.begin("Picture")
    for step in (1, 2, 3):
        line.show(Progress(job_id=1, step=step, total=3, seconds_left=3.0 - step), "Picture")
    line.say("Wrote it.")
    text = stream.getvalue()
    assert text.count("\n") == 2
    shown = text.replace("\x1b[K", "").split("\r")
    assert shown == [
        "",
        "Picture: planning",
        "Picture: painting 1 of 2 · 2 s left",
        "Picture: painting 2 of 2 · 1 s left",
        "Picture: painting 2 of 2\nWrote it.\n",
    ]


@pytest.mark.parametrize("total", [1, 2, 3, 13, 201])
def test_no_step_is_counted_beyond_those_that_paint(total: int) -> None:
    """The engine's last step is decoding."""
    told = [painted_steps(step, total) for step in range(total + 1)]
    assert told[0] == (0, max(1, total - 1))
    assert told[-1] == (max(1, total - 1), max(1, total - 1))
    assert all(done <= all_ for done, all_ in told)
