"""A server with the interfaces of ComfyUI and of OpenAI's images, on loopback, that can fail.

Pictures are drawn from the request, so that another seed gives another picture. Each fault of
`FakeServer.faults` holds for the paths that begin with its key; `picture` says what is wrong with
the pictures. Several servers can run side by side.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

from engine.remote import Connection, Limits, ServerKind

FIXTURES = Path(__file__).parents[2] / "fixtures" / "remote"
SCHEMA = FIXTURES / "object_info.json"
CERTIFICATE = FIXTURES / "loopback.pem"  # of 127.0.0.1, signed by itself
# For jobs that end by themselves; a busy machine may take its time.
QUICK = Limits(
    connect_s=5.0,
    idle_s=3.0,
    answer_s=5.0,
    picture_s=20.0,
    json_bytes=4 << 20,
    picture_bytes=4 << 20,
    poll_s=0.02,
    gone_s=1.0,
    lost_s=1.0,
    running_s=5.0,
    hint_s=0.1,
)
# For faults that end by a limit of time.
SHORT = replace(QUICK, idle_s=0.6, answer_s=1.2, gone_s=0.3, lost_s=0.3, running_s=0.4)
FILES = {
    "unet_name": [
        "ming/ming_image_0.1_design_int8_convrot.safetensors",
        "qwen_image_layered_fp8mixed.safetensors",
    ],
    "clip_name": [
        "ming_image_0.1_ling_mini_2.0_bf16.safetensors",
        "qwen_2.5_vl_7b_fp8_scaled.safetensors",
    ],
    "vae_name": ["ming_image_vae_bf16.safetensors", "qwen_image_layered_vae.safetensors"],
    "ckpt_name": ["plain.safetensors", "xl/other.safetensors"],
    "bg_removal_name": ["birefnet.safetensors"],
}
STATUSES = {"401": 401, "403": 403, "404": 404, "413": 413, "429": 429, "500": 500, "503": 503}
PAGE = b"<!DOCTYPE html><html><head><title>Log in &amp; wait</title></head><body></body></html>"


def schema(*, files: dict[str, list[str]] = FILES) -> dict[str, Any]:
    """`/object_info`: the recorded one with later nodes and with files."""
    data = json.loads(SCHEMA.read_text(encoding="utf-8"))
    nodes: dict[str, Any] = {**data["recorded"]["nodes"], **data["newer"]["nodes"]}
    for node in nodes.values():
        for name, spec in node["input"].get("required", {}).items():
            if name in files and isinstance(spec[0], list):
                spec[0] = files[name]
            elif name in files:
                spec[1]["options"] = files[name]
    return nodes


def drawn(width: int, height: int, seed: int, *, alpha: bool = True, fault: str = "") -> np.ndarray:
    """An ellipse with a colour of the seed, on nothing or on a gradient; or what a fault makes."""
    hues = np.frombuffer(hashlib.sha256(str(seed).encode()).digest()[:3], np.uint8)
    y, x = np.mgrid[:height, :width]
    inside = ((x - width / 2) / (width * 0.3)) ** 2 + ((y - height / 2) / (height * 0.35)) ** 2 < 1
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., :3] = np.where(inside[..., None], hues, (255 * y / height)[..., None]).astype(
        np.uint8
    )
    rgba[..., 3] = np.where(inside, 255, 0) if alpha else 255
    if fault == "opaque":
        rgba[..., 3] = 255
    elif fault == "inverted":
        rgba[..., 3] = np.where(inside, 0, 255)
    elif fault.startswith("checkerboard"):
        cell = int(fault.removeprefix("checkerboard"))
        grey = np.where((x // cell + y // cell) % 2, 204, 255)
        rgba[..., :3] = np.where(inside[..., None], hues, grey[..., None])
        rgba[..., 3] = 255
    elif fault == "empty":
        rgba[..., 3] = 0
    elif fault == "holes":
        rgba[..., 3] = np.where(inside, 0, 255)
    return rgba


def as_png(rgba: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(rgba).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


class FakeServer:
    """One server.

    Attributes:
        faults: beginning of a path -> what goes wrong there.
        picture: what is wrong with each picture, as `drawn` has it, or "bytes", "size", "short".
        steps: questions for the history until a job is done.
        hints: "" = the websocket works; "refused", "silent" or "broken" = it does not.
        asked: each request as method, path and body.
    """

    def __init__(self, *, token: str = "", steps: int = 2, tls: bool = False) -> None:
        self.token = token
        self.scheme = "https" if tls else "http"
        self.steps = steps
        self.version = "0.38.1"
        self.faults: dict[str, str] = {}
        self.picture = ""
        self.hints = ""
        self.schema = schema()
        self.models = ["Ming-Image-0.1-Design", "unknown-model"]
        self.refused_fields: set[str] = set()
        self.asked: list[tuple[str, str, Any]] = []
        self.waiting: dict[str, list[Any]] = {}  # jobs in the queue, by id
        self.questions: dict[str, int] = {}
        self.history: dict[str, Any] = {}
        self.pictures: dict[str, bytes] = {}
        self.interrupted: list[str] = []
        self.ended = threading.Event()
        self.released = threading.Event()  # lets requests go that are met with silence
        self.silence_ended = False  # whether one of them waited until the server gave up
        self.lock = threading.RLock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._http.server_address[1]}"

    def connection(self, kind: ServerKind = "comfyui", **more: Any) -> Connection:
        return Connection(kind=kind, address=self.address, **more)

    def __enter__(self) -> FakeServer:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it: its port refuses connections from now on."""
        self.ended.set()
        self.released.set()
        if self._thread is not None:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
            self._thread = None

    def restart(self) -> None:
        """As a ComfyUI that was started again: queue and history are empty."""
        with self.lock:
            self.waiting.clear()
            self.history.clear()
            self.questions.clear()
            self.pictures.clear()

    def fault_at(self, path: str) -> str:
        found = [key for key in self.faults if path.startswith(key)]
        return self.faults[max(found, key=len)] if found else ""

    def paths(self, method: str = "") -> list[str]:
        return [path for kind, path, _ in self.asked if method in ("", kind)]

    # ComfyUI

    def queue_prompt(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fault = self.fault_at("/prompt")
        if fault == "node_errors":
            return 400, {
                "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt failed"},
                "node_errors": {
                    "7": {
                        "class_type": "VAELoader",
                        "errors": [
                            {
                                "type": "value_not_in_list",
                                "message": "Value not in list",
                                "details": "vae_name: 'a.safetensors' not in []",
                            }
                        ],
                    }
                },
            }
        key = "its-own-id" if fault == "own id" else body["prompt_id"]
        with self.lock:
            self.waiting[key] = [len(self.waiting), key, body["prompt"], {}, []]
        return 200, {"prompt_id": key, "number": 1, "node_errors": {}}

    def advance(self, key: str) -> None:
        """One question for a job came; after `steps` of them it is done."""
        with self.lock:
            if key not in self.waiting or self.fault_at("/history") == "running for ever":
                return
            self.questions[key] = self.questions.get(key, 0) + 1
            if self.questions[key] < self.steps:
                return
            item = self.waiting.pop(key)
            if self.fault_at("/history") != "lost":
                self.history[key] = self._ended(key, item)

    def interrupt(self, key: str) -> None:
        """End a running job; ComfyUI keeps it in its history, as one with an error."""
        with self.lock:
            self.interrupted.append(key)
            if (item := self.waiting.pop(key, None)) is not None:
                message = ["execution_interrupted", {"prompt_id": key}]
                status = {"status_str": "error", "completed": False, "messages": [message]}
                self.history[key] = {"prompt": item, "outputs": {}, "status": status}

    def _ended(self, key: str, item: list[Any]) -> dict[str, Any]:
        errors = {
            "variant": "Error(s) in loading state_dict for UNet: size mismatch for conv_in.weight: "
            "copying a param with shape torch.Size([4, 4, 3, 3])",
            "memory": "CUDA out of memory. Tried to allocate 20.00 GiB",
            "node": "unexpected trouble",
        }
        fault = self.fault_at("/history")
        if fault in errors:
            data = {"node_id": "8", "node_type": "KSampler", "exception_message": errors[fault]}
            status = {"status_str": "error", "completed": False}
            return {
                "prompt": item,
                "outputs": {},
                "status": {**status, "messages": [["execution_error", data]]},
            }
        nodes = item[2]
        output = next(k for k, n in nodes.items() if n["class_type"] in OUTPUTS)
        names = []
        for number in range(self._count(nodes)):
            name = f"{key}-{number}.png"
            self.pictures[name] = self._png(nodes)
            names.append({"filename": name, "subfolder": "", "type": "temp"})
        status = {"status_str": "success", "completed": True, "messages": []}
        return {"prompt": item, "outputs": {output: {"images": names}}, "status": status}

    def _count(self, nodes: dict[str, Any]) -> int:
        layered = [n for n in nodes.values() if n["class_type"].startswith("EmptyQwen")]
        has_all = any(n["inputs"].get("amount") == 16384 for n in nodes.values())
        count = layered[0]["inputs"]["layers"] if layered and has_all else 1
        return count - 1 if self.picture == "short" else count

    def _png(self, nodes: dict[str, Any]) -> bytes:
        fields = {name: v for node in nodes.values() for name, v in node["inputs"].items()}
        kinds = {node["class_type"] for node in nodes.values()}
        texts = [n["inputs"]["text"] for n in nodes.values() if "text" in n["inputs"]]
        alpha = bool(kinds & {"JoinImageWithAlpha", "LatentCut"}) or "RGBA" in texts[0]
        alpha = alpha and not any(n["inputs"].get("amount") == 1 for n in nodes.values())
        seed = fields.get("seed", fields.get("noise_seed", 0))
        return self.made(fields["width"], fields["height"], seed, alpha=alpha)

    def made(self, width: int, height: int, seed: int, *, alpha: bool) -> bytes:
        if self.picture == "bytes":
            return b"\x89PNG\r\n\x1a\nthis is not a picture"
        if self.picture == "size":
            width, height = 2 * width, height
        return as_png(drawn(width, height, seed, alpha=alpha, fault=self.picture))

    # OpenAI

    def images(self, fields: dict[str, Any], *, is_edit: bool) -> tuple[int, dict[str, Any]]:
        for name in sorted(self.refused_fields):
            if name in fields:
                error = {"message": f"Unknown parameter: '{name}'.", "param": name}
                return 400, {"error": error}
        width, height = map(int, fields["size"].split("x"))
        count = int(fields.get("layers", fields.get("n", 1)))
        count = count - 1 if self.picture == "short" else count
        seed, rows = int(fields.get("seed", 0)), []
        for number in range(count):
            alpha = fields.get("background") == "transparent"
            data = self.made(width, height, seed + number, alpha=alpha)
            name = f"{seed}-{number}.png"
            self.pictures[name] = data
            if self.picture == "url":
                rows.append({"url": f"{self.address}/files/{name}"})
            elif self.picture == "url elsewhere":
                rows.append({"url": f"http://192.0.2.1/files/{name}"})
            else:
                rows.append({"b64_json": base64.b64encode(data).decode()})
        return 200, {"created": 1, "data": rows}


OUTPUTS = ("PreviewImage", "SaveImage")


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    fake: FakeServer


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._take({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get_content_type() == "application/json":
            self._take(json.loads(body))
        else:
            self._take(_form(body))

    def _take(self, body: dict[str, Any]) -> None:
        fake = self.server.fake
        self.close_connection = True
        path = urlsplit(self.path).path
        fake.asked.append((self.command, path, body))
        with contextlib.suppress(ConnectionError, TimeoutError):
            if fake.token and self.headers.get("Authorization") != f"Bearer {fake.token}":
                self._json(401, {"error": {"message": f"wrong token {self._sent_token()}"}})
            elif not self._fails(fake.fault_at(path)):
                self._answer(path, body)

    def _sent_token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _fails(self, fault: str) -> bool:
        """Play a fault of the transport; False = it is none."""
        if fault in STATUSES:
            self._json(STATUSES[fault], {"error": {"message": f"the server says {fault}"}})
        elif fault == "html":
            self._send(200, "text/html; charset=utf-8", PAGE)
        elif fault == "html 502":
            self._send(502, "text/html", PAGE)
        elif fault == "text":
            self._send(200, "text/plain", b"hello")
        elif fault == "broken json":
            self._send(200, "application/json", b'{"a": ')
        elif fault == "other json":
            self._json(200, ["something", "else"])
        elif fault == "closes":
            self.connection.close()
        elif fault == "cut":
            self._head(200, "application/json", 1000)
            self.wfile.write(b'{"a": ')
        elif fault == "redirect":
            self._redirect("http://192.0.2.1:8188/elsewhere")
        elif fault == "circle":
            self._redirect(self.path)
        elif fault == "trickle":
            self._trickle()
        elif fault == "slow head":
            self._slow_head()
        elif fault == "3 GB":
            self._head(200, "application/json", 3 << 30)
            self._endless(b" " * 65536, 100)
        elif fault == "endless":
            self._head(200, "application/json", None)
            self._endless(b" " * 65536, 1000)
        elif fault == "silent":
            fake = self.server.fake
            fake.silence_ended = not fake.released.wait(10) or fake.silence_ended
        else:
            return False
        return True

    def _trickle(self) -> None:
        """A byte now and then, always before the idle time is over."""
        self._head(200, "application/json", 1 << 20)
        self._endless(b" ", 200, 0.05)

    def _slow_head(self) -> None:
        for _ in range(200):
            self.wfile.write(b"H")
            self.wfile.flush()
            if self.server.fake.ended.wait(0.05):
                return

    def _endless(self, piece: bytes, times: int, pause: float = 0.0) -> None:
        for _ in range(times):
            self.wfile.write(piece)
            self.wfile.flush()
            if pause and self.server.fake.ended.wait(pause):
                return

    def _answer(self, path: str, body: dict[str, Any]) -> None:
        fake = self.server.fake
        if path == "/ws":
            self._hints()
        elif path == "/system_stats":
            device = {"name": "cuda:0 NVIDIA Test 24 : cudaMallocAsync", "vram_total": 24 << 30}
            self._json(200, {"system": {"comfyui_version": fake.version}, "devices": [device]})
        elif path == "/object_info":
            self._json(200, fake.schema)
        elif path == "/prompt":
            self._json(*fake.queue_prompt(body))
        elif path.startswith("/history/"):
            key = path.removeprefix("/history/")
            fake.advance(key)
            with fake.lock:
                found = fake.history.get(key)
            self._json(200, {} if found is None else {key: found})
        elif path == "/queue" and self.command == "GET":
            with fake.lock:
                items = list(fake.waiting.values())
            self._json(200, {"queue_running": items[:1], "queue_pending": items[1:]})
        elif path == "/queue":
            with fake.lock:
                for key in body["delete"]:
                    fake.waiting.pop(key, None)
            self._send(200, "text/plain", b"")
        elif path == "/history":
            with fake.lock:
                for key in body["delete"]:
                    fake.history.pop(key, None)
            self._send(200, "text/plain", b"")
        elif path == "/interrupt":
            fake.interrupt(body["prompt_id"])
            self._send(200, "text/plain", b"")
        elif path == "/view":
            name = parse_qs(urlsplit(self.path).query)["filename"][0]
            self._send(200, "image/png", fake.pictures[name])
        else:
            self._answer_openai(path, body)

    def _answer_openai(self, path: str, body: dict[str, Any]) -> None:
        fake = self.server.fake
        if path == "/v1/models":
            self._json(200, {"data": [{"id": name, "object": "model"} for name in fake.models]})
        elif path in ("/v1/images/generations", "/v1/images/edits"):
            self._json(*fake.images(body, is_edit=path.endswith("edits")))
        elif path.startswith("/files/"):
            self._send(200, "image/png", fake.pictures[path.removeprefix("/files/")])
        else:
            self._json(404, {"error": {"message": "no such path"}})

    def _hints(self) -> None:
        """The websocket: progress of three steps and a preview, then silence until the end."""
        fake = self.server.fake
        if fake.hints == "refused":
            self._json(500, {})
            return
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        if fake.hints == "broken":
            self.wfile.write(b"\xff\xff\xff\xff no frame")
            return
        job = parse_qs(urlsplit(self.path).query)["clientId"][0]
        for step in range(1, 4) if not fake.hints else ():
            data = {"prompt_id": job, "value": step, "max": 3, "node": "8"}
            self._frame(1, json.dumps({"type": "progress", "data": data}).encode())
        if not fake.hints:
            preview = as_png(drawn(16, 16, 1))
            self._frame(2, struct.pack(">II", 1, 2) + preview)
        self._wait_for_close()

    def _wait_for_close(self) -> None:
        self.connection.settimeout(0.05)
        while not self.server.fake.ended.is_set():
            try:
                data = self.connection.recv(1024)
            except TimeoutError:
                continue
            if data and data[0] & 0x0F == 8:
                self._frame(8, b"")
            return

    def _frame(self, kind: int, data: bytes) -> None:
        size = bytes([len(data)]) if len(data) < 126 else struct.pack(">BH", 126, len(data))
        self.wfile.write(bytes([0x80 | kind]) + size + data)
        self.wfile.flush()

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, data: object) -> None:
        self._send(status, "application/json; charset=utf-8", json.dumps(data).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self._head(status, kind, len(data))
        self.wfile.write(data)

    def _head(self, status: int, kind: str, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()


def _form(body: bytes) -> dict[str, Any]:
    """The fields of a form; files as bytes."""
    fields: dict[str, Any] = {}
    edge = body.split(b"\r\n", 1)[0]
    for part in body.split(edge)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.split(b'name="', 1)[1].split(b'"', 1)[0].decode()
        fields[name] = value if b"filename=" in head else value.decode()
    return fields


@contextlib.contextmanager
def fake_server(**more: Any) -> Iterator[FakeServer]:
    """A running server."""
    with FakeServer(**more) as server:
        yield server


def wait_until(is_true: Any, seconds: float = 10.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
