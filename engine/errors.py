"""Errors of the engine: each says what happened and what the user can do.

Independent of torch, so that the app can import it before torch is loaded.
"""


class EngineError(Exception):
    """Base of all errors that the engine raises on purpose; `advice` says what to do next."""

    def __init__(self, message: str, advice: str = "Try again, or copy the details for a report."):
        super().__init__(message)
        self.advice = advice


class LayoutError(EngineError):
    """A box is empty, leaves the canvas, or there are too many of them."""

    def __init__(self, message: str, advice: str = "Correct the boxes and try again."):
        super().__init__(message, advice)


class RequestError(EngineError):
    """A request contradicts itself or asks for what the model cannot do."""

    def __init__(self, message: str, advice: str = "Correct the request and try again."):
        super().__init__(message, advice)


class WeightsError(EngineError):
    """The model file is missing, damaged, or made for another architecture."""

    def __init__(self, message: str, advice: str = "Install the package again."):
        super().__init__(message, advice)


class Cancelled(Exception):
    """Raised inside the engine thread between two steps when a job was cancelled."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python says MemoryError, torch's allocators a RuntimeError."""
    text = str(error).lower()
    phrases = ("out of memory", "can't allocate memory", "cannot allocate memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in phrases)
    )
