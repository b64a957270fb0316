"""The recipe: how a picture came to be, as plain JSON values for exports and manifests.

Independent of files and windows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.storage.png import png_text

FORMAT = "layerloom-recipe"
VERSION = 1

_NAMESPACE = "https://layerloom.invalid/ns/1.0/"
_PACKET_ID = "W5M0MpCehiHzreSzNTczkc9d"  # the same in every XMP packet
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GENERATED = "trainedAlgorithmicMedia"
_WITH_OTHERS = "compositeWithTrainedAlgorithmicMedia"


def recipe_of(contents: Contents) -> dict[str, Any]:
    """Layout, prompt, settings and the record of every visible layer, bottom first."""
    settings = contents.settings.values()
    del settings["variations"]
    return {
        "format": FORMAT,
        "version": VERSION,
        "canvas": [contents.canvas.width, contents.canvas.height],
        "background": contents.background_on,
        "prompt": contents.prompt,
        "settings": settings,
        "layers": [_layer(contents, layer) for layer in contents.layers if layer.visible],
    }


def _layer(contents: Contents, layer: Layer) -> dict[str, Any]:
    return {
        "number": layer.number,
        "name": layer.name,
        "kind": layer.kind,
        "box": list(layer.region(1, contents.canvas).to_box()),
        "pinned_seed": layer.seed,
        **({"shows": layer.shows} if layer.shows else {}),
        "pixels": layer.pixel_hash,
        "record": layer.record,
    }


def recipe_text(contents: Contents, *, ascii_only: bool = False) -> str:
    """`recipe_of` as JSON in one line."""
    return json.dumps(recipe_of(contents), sort_keys=True, ensure_ascii=ascii_only)


def layout_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The layout in a recipe, in the layout format; values are not checked here.

    Each box gets the seed that its pixels were made with, so that the same picture comes again.
    """
    listed = recipe.get("layers")
    layers = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    boxes = []
    for layer in layers:
        if layer.get("number") == 0 or layer.get("kind") == "imported":
            continue
        record = layer.get("record")
        seed = record.get("seed") if isinstance(record, dict) else layer.get("pinned_seed")
        box = {key: layer.get(key) for key in ("box", "name", "shows")}
        boxes.append({**box, "seed": seed})
    layout = {key: recipe[key] for key in ("canvas", "background", "prompt") if key in recipe}
    return {**layout, "boxes": boxes}


def recipe_in(data: bytes) -> str:
    """The recipe in an exported PNG, as JSON text; "" when it has none. Raises PngError."""
    return png_text(data, "layerloom")


def png_texts(contents: Contents, *, with_recipe: bool) -> dict[str, str]:
    """Text chunks for an exported PNG; the kind of source always stands there."""
    texts = {"Software": "Layerloom"}
    if with_recipe:
        texts["Description"] = contents.prompt
        texts["layerloom"] = recipe_text(contents)
    xmp = xmp_of(contents, with_recipe=False)
    if xmp:
        texts["XML:com.adobe.xmp"] = xmp
    return texts


def xmp_of(contents: Contents, *, with_recipe: bool) -> str:
    """An XMP packet that says where the pixels come from; with the recipe, also how.

    Returns:
        the packet, to be written as UTF-8; "" when there is nothing to say.
    """
    kinds = {layer.kind for layer in contents.layers if layer.visible and layer.has_pixels}
    properties = ""
    if "generated" in kinds:
        source = _WITH_OTHERS if "imported" in kinds else _GENERATED
        properties += (
            'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
            'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
            f'{source}" '
        )
    body = ""
    if with_recipe:
        properties += f'xmlns:layerloom="{_NAMESPACE}" layerloom:Recipe='
        properties += quoteattr(_for_xml(recipe_text(contents, ascii_only=True)))
        body = (
            '<dc:description xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Alt>'
            f'<rdf:li xml:lang="x-default">{escape(_for_xml(contents.prompt))}</rdf:li>'
            "</rdf:Alt></dc:description>"
        )
    if not properties:
        return ""
    return (
        f'<?xpacket begin="\ufeff" id="{_PACKET_ID}"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {properties.rstrip()}'
        + (f">{body}</rdf:Description>" if body else "/>")
        + '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def _for_xml(text: str) -> str:
    """Without control characters and lone surrogates, which XML has no way to write."""
    return _NOT_IN_XML.sub("", text)
