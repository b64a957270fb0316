"""A process that starts the engine as the window does and says when it got how far.

Run by `engine.benchmarks.start`: `python -m engine.benchmarks.start_probe WEIGHTS|- THREADS`.
Writes one line per event: the system's clock in seconds, and the event's name.
"""

from __future__ import annotations

import queue
import sys
import time
from pathlib import Path

import engine

CANVAS, BOXES = (512, 512), [(32, 32, 192, 192), (288, 64, 448, 224), (160, 320, 320, 480)]


def first_picture() -> engine.GenerateRequest:
    """Three boxes and a background, a preview at every step: what one does first."""
    layers = [engine.LayerRequest(layer_id=0, kind="background", box=(0, 0, *CANVAS))]
    layers += [
        engine.LayerRequest(layer_id=i, kind="foreground", box=box, seed=i)
        for i, box in enumerate(BOXES, 1)
    ]
    return engine.GenerateRequest(
        job_id=1, canvas=CANVAS, prompt="a red balloon, a dog and a castle", layers=tuple(layers)
    )


def say(name: str) -> None:
    print(f"{time.time():.6f} {name}", flush=True)


def main(arguments: list[str]) -> int:
    """Start, make one picture with previews, stop."""
    say("interpreter and the engine's face")
    weights = None if arguments[0] == "-" else Path(arguments[0])
    events: queue.Queue[engine.Event] = queue.Queue()
    worker = engine.Engine(events.put, weights=weights, device="cpu", threads=int(arguments[1]))
    worker.start()
    seen: set[str] = set()
    finished = False
    while not finished:
        event = events.get(timeout=300)
        if isinstance(event, engine.StateChanged) and event.state == "ready" and not seen:
            seen.add("ready")
            say("engine ready")
            worker.submit(first_picture())
        elif isinstance(event, engine.Preview) and "preview" not in seen:
            seen.add("preview")
            say("first preview")
        elif isinstance(event, engine.Finished):
            say("first picture")
            finished = True
        elif isinstance(event, engine.Failed) or (
            isinstance(event, engine.StateChanged) and event.state == "failed"
        ):
            print(event.message, file=sys.stderr)
            break
    worker.shutdown()
    return 0 if finished else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
