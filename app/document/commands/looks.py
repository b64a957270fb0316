"""Commands on single properties: name, eye, lock, opacity, blend, pinned seed, Mark as Current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.document.commands.base import Command, named, unlocked
from app.document.contents import Contents, default_name
from app.document.errors import DocumentError
from app.document.layer import MAX_SEED, clean_name
from app.document.outdated import kept_as_is, outdated


@dataclass(eq=False)
class Rename(Command):
    """Another name, up to 200 characters; blank = the default name."""

    layer_id: int
    name: str

    def _apply(self, contents: Contents) -> Contents:
        layer = contents.layer(self.layer_id)
        name = clean_name(self.name) or default_name(layer.number)
        return contents.with_layers([replace(layer, name=name)])

    def _describe(self, contents: Contents) -> str:
        return f"Rename {named(contents, [self.layer_id])}"


@dataclass(eq=False)
class SetVisible(Command):
    """The eye, for one or more layers."""

    layer_ids: Sequence[int]
    visible: bool

    def _apply(self, contents: Contents) -> Contents:
        layers = [contents.layer(layer_id) for layer_id in self.layer_ids]
        return contents.with_layers([replace(layer, visible=self.visible) for layer in layers])

    def _describe(self, contents: Contents) -> str:
        return f"{'Show' if self.visible else 'Hide'} {named(contents, self.layer_ids)}"


@dataclass(eq=False)
class SetLocked(Command):
    """The lock, for one or more layers: protects pixels, place, opacity, blend and existence."""

    layer_ids: Sequence[int]
    locked: bool

    def _apply(self, contents: Contents) -> Contents:
        layers = [contents.layer(layer_id) for layer_id in self.layer_ids]
        return contents.with_layers([replace(layer, locked=self.locked) for layer in layers])

    def _describe(self, contents: Contents) -> str:
        return f"{'Lock' if self.locked else 'Unlock'} {named(contents, self.layer_ids)}"


@dataclass(eq=False)
class SetOpacity(Command):
    """Opacity 0 to 1 for one or more layers; a drag of the slider is one gesture."""

    layer_ids: Sequence[int]
    opacity: float
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        if not 0.0 <= self.opacity <= 1.0:
            raise DocumentError(f"The opacity must be 0 to 100 %, not {self.opacity * 100:g} %.")
        # Four decimals are what the file keeps; more would change by saving.
        opacity = round(self.opacity, 4)
        layers = unlocked(contents, self.layer_ids)
        return contents.with_layers([replace(layer, opacity=opacity) for layer in layers])

    def _describe(self, contents: Contents) -> str:
        return f"Opacity of {named(contents, self.layer_ids)}"

    def _targets(self) -> object:
        return tuple(self.layer_ids)


@dataclass(eq=False)
class SetBlend(Command):
    """Blend mode for one or more layers; any string is kept, unknown ones show as normal."""

    layer_ids: Sequence[int]
    blend: str

    def _apply(self, contents: Contents) -> Contents:
        blend = clean_name(self.blend)[:100] or "normal"
        layers = unlocked(contents, self.layer_ids)
        return contents.with_layers([replace(layer, blend=blend) for layer in layers])

    def _describe(self, contents: Contents) -> str:
        return f"Blend Mode of {named(contents, self.layer_ids)}"


@dataclass(eq=False)
class KeepAsIs(Command):
    """Clear the badge "outdated" until prompt or size change again."""

    layer_ids: Sequence[int]

    def _apply(self, contents: Contents) -> Contents:
        layers = [contents.layer(layer_id) for layer_id in self.layer_ids]
        stale = [layer for layer in layers if outdated(layer, contents)]
        return contents.with_layers(
            [replace(layer, record=kept_as_is(layer, contents)) for layer in stale]
        )

    def _describe(self, contents: Contents) -> str:
        return f"Mark {named(contents, self.layer_ids)} as Current"


@dataclass(eq=False)
class SetSeed(Command):
    """Pin a seed on one layer, or (None) let it follow the picture seed again."""

    layer_id: int
    seed: int | None

    def _apply(self, contents: Contents) -> Contents:
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise DocumentError(f"A seed must be 0 to {MAX_SEED}, not {self.seed}.")
        layer = contents.layer(self.layer_id)
        return contents.with_layers([replace(layer, seed=self.seed)])

    def _describe(self, contents: Contents) -> str:
        verb = "Unpin" if self.seed is None else "Pin"
        return f"{verb} Seed of {named(contents, [self.layer_id])}"
