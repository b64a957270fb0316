"""`layerloom batch`: many pictures, on several engines side by side, one result line for each.

Each engine has a thread that takes the next job. A job that fails on one engine is tried on each
other one. What is done stands in `results.jsonl` next to the pictures, so the same command goes on
where an earlier run ended.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.cli.batch_jobs import BatchJob, Results, read_jobs
from app.cli.engines import session_of
from app.cli.generate import empty_picture, facts_of, layout_from, make, with_words
from app.cli.jobs import EngineFactory, EngineSession
from app.cli.output import plan_outputs, write_or_keep
from app.cli.source import ArgumentProblem, Interrupted, open_source
from app.document import Contents, Document, Rect, Settings, Size, UserError, new_contents
from app.document.commands import PlaceBoxes
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID
from app.document.storage.errors import advice_on, cause_of
from app.document.storage.formats.table import Format, format_named
from app.session.client import BUILT_IN
from app.session.jobs import plan
from engine import check_prompt, suggest_layouts

# A server that fails so often in a row is left alone; its jobs go to the others, or stay for later.
MOST_FAILURES = 3


def batch(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Make the pictures of a file of jobs; 1 where one of them is missing in the end."""
    source = open_source(args.jobs)
    text = source.text()
    folder = Path.cwd() if source.path is None else source.path.absolute().parent
    form = format_named(args.format)
    _make_folder(args.out)
    results = Results(args.out, lambda line: print(line, flush=True))
    waiting: list[BatchJob] = []
    bad = done = 0
    for job in read_jobs(text, folder):
        if isinstance(job, tuple):
            number, why = job
            results.add({"line": number, "state": "bad", "message": f"Line {number}: {why}."})
            bad += 1
        elif results.is_done(job, _file_of(job, form)):
            done += 1
        else:
            waiting.append(job)
    names = list(dict.fromkeys(args.engine)) or [BUILT_IN]
    sessions = [
        (name, session_of(name, args, factory, quiet=args.quiet or len(names) > 1))
        for name in names
    ]
    line = _Line(waiting, names, results)
    maker = _Maker(args.out, form)
    _run_all([_Worker(name, each, line, maker) for name, each in sessions] if waiting else [])
    if not args.quiet:
        said = f"{line.made} made, {line.failed} failed, {bad} bad lines, {done} done before"
        left = f", {line.left} not begun" if line.left else ""
        print(f"{said}{left}.", file=sys.stderr)
    for problem in line.problems:
        print(problem, file=sys.stderr)
    return 1 if bad or line.failed or line.left else 0


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentProblem(
            f"'{path}' cannot be made: {cause_of(error)}.", "Nothing was made.", advice_on(error)
        ) from error


def _file_of(job: BatchJob, form: Format) -> str:
    return job.id if form.is_folder else f"{job.id}{form.suffixes[0]}"


@dataclass(slots=True)
class _Ticket:
    """A job on its way, with the engines that failed on it."""

    job: BatchJob
    failed_on: dict[str, UserError] = field(default_factory=dict)


class _Line:
    """The jobs that wait, shared by the engines' threads.

    Attributes:
        made, failed: how many jobs ended so.
        problems: sentences about engines that were given up.
    """

    def __init__(self, jobs: Sequence[BatchJob], engines: Sequence[str], results: Results) -> None:
        self._waiting = [_Ticket(job) for job in jobs]
        self._under_way = 0
        self._engines = set(engines)
        self._results = results
        self._changed = threading.Condition()
        self.stopped = False
        self.made = self.failed = 0
        self.problems: list[str] = []

    @property
    def left(self) -> int:
        return len(self._waiting)

    def take(self, engine: str) -> _Ticket | None:
        """The next job that this engine has not failed on; None = there will be none."""
        with self._changed:
            while not self.stopped:
                for ticket in self._waiting:
                    if engine not in ticket.failed_on:
                        self._waiting.remove(ticket)
                        self._under_way += 1
                        return ticket
                if not self._under_way:
                    return None
                self._changed.wait()  # what another engine fails on comes back
        return None

    def done(self, ticket: _Ticket, result: dict[str, Any]) -> None:
        with self._changed:
            self._end(ticket, "done", result)
            self.made += 1

    def failed_with(self, ticket: _Ticket, engine: str, error: UserError) -> None:
        """Give the job to another engine, or note that it failed where none is left."""
        with self._changed:
            ticket.failed_on[engine] = error
            if self._engines - ticket.failed_on.keys():
                self._under_way -= 1
                self._waiting.append(ticket)
                self._changed.notify_all()
            else:
                self._fail(ticket)

    def put_back(self, ticket: _Ticket) -> None:
        """The engine ended before the job did."""
        with self._changed:
            self._under_way -= 1
            self._waiting.insert(0, ticket)
            self._changed.notify_all()

    def give_up(self, engine: str, why: str) -> None:
        """No further job goes to this engine; those that only it could still make have failed."""
        with self._changed:
            self.problems.append(f"{engine} is not used any more: {why}")
            self._engines.discard(engine)
            for ticket in [each for each in self._waiting if each.failed_on]:
                if not self._engines - ticket.failed_on.keys():
                    self._waiting.remove(ticket)
                    self._under_way += 1
                    self._fail(ticket)
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def _fail(self, ticket: _Ticket) -> None:
        engine, error = list(ticket.failed_on.items())[-1]
        self._end(
            ticket,
            "failed",
            {"engine": engine, "message": error.what, "advice": error.advice},
        )
        self.failed += 1

    def _end(self, ticket: _Ticket, state: str, more: dict[str, Any]) -> None:
        job = ticket.job
        self._under_way -= 1
        self._changed.notify_all()
        self._results.add(
            {"id": job.id, "line": job.line, "state": state, "mark": job.mark, **more}
        )


class _Maker:
    """Makes the picture of a job on an engine, and writes it."""

    def __init__(self, folder: Path, form: Format) -> None:
        self._folder, self._form = folder, form

    def make(self, job: BatchJob, engine: EngineSession) -> dict[str, Any]:
        """What the result line says of it.

        Raises:
            UserError: it cannot be made or written.
        """
        contents = self._empty(job, engine)
        contents = with_words(contents, job.shows)
        file = _file_of(job, self._form)
        (output,) = plan_outputs(self._folder / file, form=self._form)
        made, finished = make(
            engine,
            contents,
            plan(contents, "picture"),
            job.seed,
            job.id,
            "repeat" if job.repeats else "empty",
        )
        write_or_keep(output, made, facts_of(made, finished))
        return {
            "file": file,
            "model": finished.model_name,
            "seed": job.seed,
            "seconds": round(finished.seconds, 3),
            "left_empty": sum(result.left_empty is not None for result in finished.results),
        }

    def _empty(self, job: BatchJob, engine: EngineSession) -> Contents:
        """The document of a job, with boxes and without pixels."""
        if not job.layout:
            return self._suggested(job, engine)
        options = argparse.Namespace(
            layout=Path(f"line {job.line}"),
            size=None,
            steps=job.steps,
            guidance=None,
            clean_colours=None,
            seed=job.seed,
            no_background=False,
        )
        layout = layout_from(options, job.layout, DEFAULT_CANVAS, DEFAULT_GRID)
        prompt = job.prompt or layout.prompt or ""
        contents = empty_picture(options, job.layout, prompt, engine.info)
        if job.background is None:
            return contents
        return replace(contents, background_on=job.background)

    def _suggested(self, job: BatchJob, engine: EngineSession) -> Contents:
        """A document with a box for each thing of the prompt."""
        info = engine.info
        size = Size(*(job.canvas or info.trained_canvases[0])).rounded_up(info.token_px)
        found = suggest_layouts(
            check_prompt(job.prompt, info),
            (size.width, size.height),
            step=info.token_px,
            seed=job.seed,
            most=info.max_foregrounds,
        )
        if not found:
            raise UserError(
                "The prompt names no thing for which a box could be made.",
                "Nothing was written.",
                "Name at least one thing, or give boxes.",
            )
        settings = Settings(steps=job.steps, seed=job.seed)
        document = Document(
            new_contents(
                size, prompt=job.prompt, settings=settings, background=job.background is not False
            )
        )
        boxes = [(Rect.from_box(thing.box), thing.shows) for thing in found[0].things]
        PlaceBoxes(boxes).do(document)
        return document.contents


class _Worker(threading.Thread):
    """The thread of one engine."""

    def __init__(self, name: str, engine: EngineSession, line: _Line, maker: _Maker) -> None:
        super().__init__(name=f"batch {name}", daemon=True)
        self.engine_name, self.engine = name, engine
        self.line, self._maker = line, maker

    def run(self) -> None:
        try:
            with self.engine:
                self._work()
        except (KeyboardInterrupt, Interrupted):
            pass  # the main thread has it
        except UserError as error:  # the engine did not start
            self.line.give_up(self.engine_name, f"{error.what} {error.advice}".strip())
        except BaseException as error:
            self.line.give_up(self.engine_name, f"{type(error).__name__}: {error}")
            raise

    def _work(self) -> None:
        failures = 0
        while (ticket := self.line.take(self.engine_name)) is not None:
            try:
                result = self._maker.make(ticket.job, self.engine)
            except UserError as error:
                failures += 1
                self.line.failed_with(ticket, self.engine_name, error)
                if failures >= MOST_FAILURES and self.engine_name != BUILT_IN:
                    self.line.give_up(
                        self.engine_name,
                        f"{failures} jobs in a row failed, the last because: {error.what}",
                    )
                    return
            except BaseException:
                self.line.put_back(ticket)
                raise
            else:
                failures = 0
                self.line.done(ticket, {"engine": self.engine_name, **result})


def _run_all(workers: Sequence[_Worker]) -> None:
    """Wait for all engines; Ctrl+C ends their jobs and is raised once they have stopped."""
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            while worker.is_alive():
                worker.join(0.2)  # a join without a time would keep Ctrl+C away
    except KeyboardInterrupt:
        for worker in workers:
            worker.line.stop()
            worker.engine.interrupted.set()
        for worker in workers:
            worker.join(30.0)
        raise
