"""The arguments of the `layerloom` command: subcommands, options, their limits, short spellings.

Only argparse: importing it costs nothing, and nothing is opened or computed here.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

# What Python takes for a number besides: underscores, blanks, signs, digits of other scripts.
_COLOUR = re.compile("#?[0-9A-Fa-f]{6}")
_SIZE = re.compile("([0-9]{1,5})[x×X]([0-9]{1,5})")
_NUMBER = re.compile("[0-9]{1,20}(?:[.][0-9]{0,20})?|[.][0-9]{1,20}")
_WHOLE = re.compile("-?[0-9]{1,20}")
MAX_SEED = 2**32 - 1
# What the engine accepts; checked here, so that a bad value is reported before the model loads.
MAX_STEPS, MAX_GUIDANCE = 200, 30
CLEAN_COLOURS = ("automatic", "on", "off")
ARRANGEMENTS = ("scene", "centre", "depth", "corner", "rows")  # of `engine.composition`
# Named here, so that the help does not load what writes them; a test compares.
FORMAT_KEYS = ("png", "psd", "svg", "pdf", "ora", "zip", "folder", "webp", "tiff", "jpeg", "html")

ENGINE_NAMES = (
    "builtin, comfyui=ADDRESS or openai=ADDRESS, with #MODEL after it for one of the server's; "
    "a token comes from LAYERLOOM_TOKEN"
)
# What of a job goes into a ComfyUI graph of one's own.
GRAPH_NODES = ("prompt", "negative", "seed", "width", "height", "steps", "output")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="layerloom",
        description="Draw boxes, type one prompt, get a picture in layers.",
        epilog="Without arguments, or with one project file, the window opens. "
        "In a checkout of the repository also: "
        "layerloom train sprites|words|autoencoder|transformer|recogniser|refiner|judge|ship|"
        "evaluate …, "
        "layerloom bench engine|ui|reliability …; each takes --help.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_generate(commands)
    _add_regenerate(commands)
    _add_layout(commands)
    _add_export(commands)
    _add_info(commands)
    _add_models(commands)
    _add_verify(commands)
    _add_engines(commands)
    _add_batch(commands)
    return parser


Commands = argparse._SubParsersAction  # argparse gives the type no public name


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, *, help: str
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=help, allow_abbrev=False)


def _add_generate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "generate", help="make a picture")
    add = parser.add_argument
    add("--prompt", default=None, help="what to paint, in English")
    add(
        "--layout",
        "--boxes",
        type=_path,
        required=True,
        metavar="FILE",
        help="a layout, an example, or a plain ART list, - for standard input; its prompt is used "
        "if none is given",
    )
    add("--size", type=_size, metavar="WxH", help="canvas, if not the layout's")
    add("--seed", type=_seed, default=0, help="picture seed, 0 to 2^32 - 1 [0]")
    _add_sampling(parser)
    _add_spare_boxes(parser, "empty")
    _add_shows(parser)
    add("--no-background", action="store_true", help="a transparent picture")
    add(
        "--variations",
        type=WholeNumber(1, 8),
        default=1,
        metavar="N",
        help="1 to 8 pictures with the seeds S, S+1…, written to OUT/1, OUT/2… or OUT-1.png…",
    )
    _add_out(parser)
    _add_engine_choice(parser)
    _add_engine(parser)


def _add_regenerate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "regenerate", help="repaint layers of a file")
    add = parser.add_argument
    add("file", type=_path, metavar="FILE.ora", help="- for standard input")
    add(
        "--layer",
        action="append",
        required=True,
        metavar="NUMBER|NAME",
        help="which layer; may be given several times (0 = background)",
    )
    add("--seed", type=_seed, help="as for a picture [the file's picture seed plus one]")
    add("--prompt", help="[the file's]")
    _add_sampling(parser)
    _add_spare_boxes(parser, "empty; repeat for layers that have pixels")
    _add_shows(parser)
    _add_out(parser)
    _add_engine_choice(parser)
    _add_engine(parser)


def _add_layout(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "layout", help="boxes for the things of a prompt, as a layout on standard output"
    )
    add = parser.add_argument
    add("--prompt", required=True, help="what to paint, in English")
    add("--size", type=_size, metavar="WxH", help="canvas [512x512]")
    add("--seed", type=_seed, default=0, help="another seed, other boxes [0]")
    add("--arrangement", choices=ARRANGEMENTS, help="[the one that suits the things best]")
    _add_verbose(parser)


def _add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "export", help="export a file to another format")
    add = parser.add_argument
    add("file", type=_path, metavar="FILE.ora", help="- for standard input")
    _add_out(parser)
    add("--format", choices=FORMAT_KEYS, help="[by the ending of OUT; a folder without one]")
    add("--layer", metavar="NUMBER|NAME", help="this layer alone")
    add("--scale", type=int, choices=(1, 2, 4), default=1, help="[1]")
    add("--over", type=_colour, metavar="#RRGGBB", help="put it over a colour")
    add("--no-background", action="store_true", help="leave out the background layer")
    add("--quality", type=WholeNumber(1, 100), help="JPEG [92]; WebP [lossless]")
    add("--no-recipe", action="store_true", help="leave out prompt, seeds and records")
    add("--no-hidden", action="store_true", help="leave out hidden layers")
    add("--canvas-sized", action="store_true", help="ZIP, folder: layers as large as the canvas")
    add("--pages", action="store_true", help="TIFF: one page per layer")
    add("--parallax", action="store_true", help="HTML: layers follow the pointer")
    add(
        "--vector-background",
        action="store_true",
        help="SVG, PDF: the background as shapes even if it has gradients",
    )
    add("--quiet", action="store_true", help="do not list what the format cannot store")
    _add_verbose(parser)


def _add_info(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "info", help="versions, device and model, or what is in a file")
    parser.add_argument("file", type=_path, nargs="?", metavar="FILE", help="- for standard input")
    _add_engine(parser)


def _add_models(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "models", help="the model files of a folder: name, hash, words, licences"
    )
    parser.add_argument("folder", type=_path, nargs="?", metavar="FOLDER", help="[the shipped one]")
    _add_verbose(parser)


def _add_verify(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "verify", help="check a file, and its pixels against their records")
    add = parser.add_argument
    add(
        "file",
        type=_path,
        metavar="FILE",
        help="a project, a recipe, or an exported PNG with its recipe",
    )
    add(
        "--regenerate",
        action="store_true",
        help="generate the pixels again and compare their hashes",
    )
    _add_engine(parser)


def _add_engines(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "engines",
        help="test NAME: what a picture server has, with licences and what is missing",
    )
    parser.add_argument("what", choices=("test",), help="connect, and print its models")
    parser.add_argument("name", type=_engine, metavar="NAME", help=ENGINE_NAMES)
    _add_server(parser)
    _add_verbose(parser)


def _add_batch(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands,
        "batch",
        help="make many pictures, on several engines at once; run again, it goes on",
    )
    add = parser.add_argument
    add(
        "jobs",
        type=_path,
        metavar="JOBS.jsonl",
        help="one JSON object a line: prompt, and if wanted id, layout or boxes, canvas, seed, "
        "shows, background, steps; - for standard input",
    )
    add(
        "--out",
        type=_path,
        required=True,
        metavar="DIR",
        help="a folder for the pictures and results.jsonl; what is done there is not made again",
    )
    add("--format", choices=FORMAT_KEYS, default="ora", help="of the pictures [ora]")
    add(
        "--engine",
        action="append",
        default=[],
        type=_engine,
        metavar="NAME",
        help=f"may be given several times: {ENGINE_NAMES} [builtin]",
    )
    _add_server(parser)
    _add_engine(parser)


def _add_engine_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        type=_engine,
        default="builtin",
        metavar="NAME",
        help=f"{ENGINE_NAMES} [builtin]",
    )
    _add_server(parser)


def _add_server(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--allow-plain", action="store_true", help="http to other machines, without encryption")
    add("--graph", type=_path, metavar="FILE.json", help="ComfyUI: a graph of your own")
    add(
        "--graph-node",
        action="append",
        default=[],
        type=_graph_node,
        metavar="NAME=NODE",
        help="where it takes prompt, negative, seed, width, height, steps, such as prompt=6.text, "
        "and its output=9",
    )
    add("--graph-makes-alpha", action="store_true", help="its pictures are cut-outs")


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--steps", type=WholeNumber(1, MAX_STEPS), help="[the model's]")
    add("--guidance", type=_guidance, help="1 = none [the model's]")
    add(
        "--clean-colours",
        choices=CLEAN_COLOURS,
        help="flat fills: automatic = in looks that benefit from it [automatic, or the file's]",
    )


def _add_spare_boxes(parser: argparse.ArgumentParser, usual: str) -> None:
    parser.add_argument(
        "--spare-boxes",
        choices=("empty", "repeat"),
        help="boxes for which the prompt names no thing: leave them empty, or show one more of "
        f"the named things [{usual}]",
    )


def _add_shows(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shows",
        action="append",
        default=[],
        type=_pinned,
        metavar="NUMBER=WORD",
        help="what a box shows, such as 2=sunflower; may be given several times",
    )


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=_out,
        required=True,
        metavar="OUT",
        help="an empty or new folder, or a file that ends in .png, .ora, .psd, .svg, .pdf, .zip, "
        ".webp, .tif, .jpg or .html",
    )


def _add_engine(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    add("--threads", type=WholeNumber(1, 1024), help="torch threads [cores - 1]")
    add("--model", type=_path, metavar="FILE", help="a model file other than the shipped one")
    add("--quiet", action="store_true", help="no progress, errors only")
    _add_verbose(parser)


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--verbose", action="store_true", help="show the log, with tracebacks")


def _engine(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError("the name of an engine is missing")
    return text.strip()


def _graph_node(text: str) -> tuple[str, str]:
    name, equals, node = text.partition("=")
    if not equals or name not in GRAPH_NODES or not node.strip():
        raise argparse.ArgumentTypeError(
            f"{text!r} is not one of {', '.join(GRAPH_NODES)} with its node, such as prompt=6.text"
        )
    return name, node.strip()


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("the name of a file is missing")
    return Path(text)


def _out(text: str) -> Path:
    if text == "-":
        raise argparse.ArgumentTypeError(
            "pictures are not written to standard output; give a name, or ./- for a file called '-'"
        )
    return _path(text)


def _colour(text: str) -> tuple[int, int, int]:
    if not _COLOUR.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a colour such as #FF8800")
    value = int(text.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def _pinned(text: str) -> tuple[int, str]:
    number, equals, word = text.partition("=")
    if not equals or not number.strip().isdecimal() or len(number) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a box and its word, such as 2=sunflower")
    return int(number), " ".join(word.split())


def _size(text: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 512x512")
    width, height = int(match[1]), int(match[2])
    if not (1 <= width <= 8192 and 1 <= height <= 8192):
        raise argparse.ArgumentTypeError(f"{text}: sides must be 1 to 8192")
    return width, height


def _seed(text: str) -> int:
    return WholeNumber(0, MAX_SEED)(text)


def _guidance(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 2.5")
    value = float(text)
    if not 0.0 <= value <= MAX_GUIDANCE:
        raise argparse.ArgumentTypeError(f"{text} is not in 0 to {MAX_GUIDANCE}")
    return value


class WholeNumber:
    """Reads a whole number within limits; argparse shows its message."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
        value = int(text)
        if not self._low <= value <= self._high:
            raise argparse.ArgumentTypeError(f"{text} is not in {self._low} to {self._high}")
        return value


def translate_aliases(arguments: list[str]) -> list[str]:
    """Spell `--headless …`, `--open FILE --regenerate …` and `--verify FILE` as subcommands.

    `--verify` means the thorough one: pixels are made again from their records and compared.
    """
    if not arguments or arguments[0].split("=")[0] not in ("--headless", "--open", "--verify"):
        return arguments
    parser = argparse.ArgumentParser(prog="layerloom", allow_abbrev=False, add_help=False)
    parser.add_argument("--headless", action="store_true")
    parser.add_argument("--open", metavar="FILE")
    parser.add_argument("--regenerate", action="append", default=[], metavar="NUMBER|NAME")
    parser.add_argument("--verify", metavar="FILE")
    try:
        known, others = parser.parse_known_args(arguments)
    except SystemExit:
        from app.cli.source import ArgumentProblem

        raise ArgumentProblem(
            "The arguments could not be read.", "Nothing was done.", "See layerloom --help."
        ) from None
    if known.verify is not None:
        return ["verify", known.verify, "--regenerate", *others]
    if known.open is None:
        return ["generate", *others]
    if not known.regenerate:
        return ["export", known.open, *others]
    layers = [f"--layer={layer}" for layer in known.regenerate]
    return ["regenerate", known.open, *layers, *others]
