"""Document: the truth about one design, and the only place that tells others about changes.

Commands change it, views observe it; nothing else can. Independent of Qt and of the engine.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

from psygnal import EmitLoopError, Signal, SignalGroup, SignalInstance

from app.document import contents as _contents
from app.document.contents import DEFAULT_GRID, Contents, Settings, new_contents
from app.document.geometry import Size
from app.document.layer import Layer
from app.document.words import layer_names

logger = logging.getLogger(__name__)


class Document:
    """Canvas, prompt, settings and layers.

    Read it through its properties; change it with a command's `do`. Layers are immutable values:
    fetch them again after an event instead of keeping them.

    Events: see `DocumentEvents`, here as `document.events`.

    Attributes:
        grid: canvas pixels; commands keep empty boxes on its lines. It follows the loaded model
            and is no part of the contents, so files do not have it.
    """

    def __init__(self, contents: Contents | None = None, grid: int = DEFAULT_GRID) -> None:
        self._contents = new_contents() if contents is None else contents
        self.grid = grid
        self._revision = 0
        self._next_seeds: dict[int, int] = {}
        self._names: tuple[Contents, dict[int, str]] | None = None
        self.events = DocumentEvents()

    @property
    def contents(self) -> Contents:
        """Everything at this moment: an immutable snapshot that another thread may save."""
        return self._contents

    @property
    def revision(self) -> int:
        """Grows with every change, undo and redo included."""
        return self._revision

    @property
    def canvas(self) -> Size:
        return self._contents.canvas

    @property
    def prompt(self) -> str:
        return self._contents.prompt

    @property
    def settings(self) -> Settings:
        return self._contents.settings

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Bottom to top; the background first when it is on."""
        return self._contents.layers

    @property
    def foregrounds(self) -> tuple[Layer, ...]:
        """Bottom to top, without the background."""
        return self._contents.foregrounds

    @property
    def background(self) -> Layer | None:
        """The background, or None when it is off."""
        return self._contents.background if self._contents.background_on else None

    @property
    def background_id(self) -> int:
        return self._contents.background.id

    def has_layer(self, layer_id: int) -> bool:
        """Whether the layer is there now; a background that is off is not."""
        return any(layer.id == layer_id for layer in self.layers)

    def layer(self, layer_id: int) -> Layer:
        """The layer with this id, also a background that is off.

        Raises:
            DocumentError: there is none.
        """
        return self._contents.layer(layer_id)

    def name_of(self, layer: Layer) -> str:
        """What lists and canvas call a layer; see `layer_names`."""
        if self._names is None or self._names[0] is not self._contents:
            self._names = (self._contents, layer_names(self.layers))
        return self._names[1].get(layer.id, layer.name)

    def locked_name(self, layers: Iterable[Layer]) -> str:
        """The name of the first locked one of these layers; "" when none is locked."""
        return next((self.name_of(layer) for layer in layers if layer.locked), "")

    def index_of(self, layer_id: int) -> int:
        return [layer.id for layer in self.layers].index(self.layer(layer_id).id)

    def seed_for(self, layer: Layer, picture_seed: int) -> int:
        """The seed that the layer gets in a job with this picture seed."""
        return _contents.seed_for(layer, picture_seed)

    def next_seed(self, layer_id: int) -> int | None:
        """The seed that the layer's next job uses once, or None."""
        return self._next_seeds.get(layer_id)

    def set_next_seed(self, layer_id: int, seed: int | None) -> None:
        """Ask for a seed in the layer's next job alone. A wish: no step, not saved."""
        if self._next_seeds.pop(layer_id, None) != seed:
            if seed is not None:
                self._next_seeds[layer_id] = seed
            emit(self.events.next_seeds_changed)

    def take_next_seeds(self, layer_ids: Iterable[int]) -> dict[int, int]:
        """What a job was asked to use, by layer; each is given once."""
        taken = {each: self._next_seeds.pop(each) for each in layer_ids if each in self._next_seeds}
        if taken:
            emit(self.events.next_seeds_changed)
        return taken

    def content_hash(self) -> str:
        """SHA-256 over everything that counts: equal hashes, equal documents."""
        return _contents.content_hash(self._contents)

    def set_grid(self, grid: int) -> None:
        """Keep new and moved boxes on another grid; present ones stay where they are."""
        if grid != self.grid:
            self.grid = grid
            emit(self.events.canvas_changed)

    def _change(self, new: Contents, *, is_reset: bool = False) -> None:
        """Called by commands only: put `new` in place, then tell what is different."""
        old, self._contents = self._contents, new
        self._revision += 1
        if is_reset:
            self._next_seeds.clear()
            emit(self.events.reset)
        else:
            self._tell(old, new)
        if is_reset or not _has_same_layers(old, new):
            emit(self.events.layers_changed)
        emit(self.events.changed, self._revision)

    def _tell(self, old: Contents, new: Contents) -> None:
        present = {layer.id for layer in new.layers}
        for layer in old.layers:
            if layer.id not in present:
                emit(self.events.layer_removed, layer.id)
        if old.prompt != new.prompt:
            emit(self.events.prompt_changed, new.prompt)
        if old.settings != new.settings:
            emit(self.events.settings_changed)
        if old.canvas != new.canvas:
            emit(self.events.canvas_changed)


def _has_same_layers(old: Contents, new: Contents) -> bool:
    """By identity: layers are immutable, and a command keeps those that it does not change."""
    before = (*old.foregrounds, old.background, *old.detached)
    after = (*new.foregrounds, new.background, *new.detached)
    return (
        old.background_on == new.background_on
        and len(before) == len(after)
        and all(one is other for one, other in zip(before, after, strict=True))
    )


class DocumentEvents(SignalGroup):
    """Events of one document.

    Events:
        layer_removed(layer_id): a layer is gone; the background too, when switched off.
        prompt_changed(prompt): the new text.
        settings_changed(): steps, guidance, clean colours or picture seed.
        canvas_changed(): canvas size, or the grid that boxes stay on.
        layers_changed(): a layer, their order, the background or a detached result; also after a
            reset. Typing a prompt does not lead to it.
        next_seeds_changed(): other seeds for the next job alone; nothing of the picture changed.
        reset(): everything may be different (New, Open, their undo); comes instead of the others.
        changed(revision): once after each command that changed something, after all others.
    """

    layer_removed = Signal(int)
    prompt_changed = Signal(str)
    settings_changed = Signal()
    canvas_changed = Signal()
    layers_changed = Signal()
    next_seeds_changed = Signal()
    reset = Signal()
    changed = Signal(int)


def emit(signal: SignalInstance, *arguments: Any) -> None:
    """Emit an event; report a listener that fails like any unhandled error of the program.

    The change is done already: if the error went on to the command's caller, the command would
    never reach the undo stack.
    """
    try:
        signal.emit(*arguments)
    except EmitLoopError as error:
        cause = error.__cause__ or error
        logger.error("a listener to %s failed", signal.name, exc_info=cause)
        sys.excepthook(type(cause), cause, cause.__traceback__)
