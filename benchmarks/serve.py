"""The service under load: requests per second and waiting times at 1 to 128 clients, batching, pictures, cold start."""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from posts import training_posts
from record import Table, arguments, timed, write

ABOUT = """The service is a process of its own, and the clients are another one, on the same machine and the loopback
address, so both share its cores. Each client sends its next request when it has the answer to the last. Without
batching the service runs with `--batch-words 1 --wait-ms 0`, and takes turns with the batching one. Known pictures are
in the store; new ones are read, each by detector, captioner and text recognition. `tagger.pipe` tags the same posts in
a process of its own, without HTTP; so does the tagger alone, whose gain from batches of 32 is what batching can gain
where nothing but the model takes time."""

CLIENTS = (1, 8, 32, 128)
TEXTS = 256
SIZE = 64
"""Posts of one request, where service and tagger are compared."""

PIPE = """
import json, sys, time
import mner
tagger = mner.load(sys.argv[1] or None, threads=int(sys.argv[2]))
posts = json.load(sys.stdin)
list(tagger.pipe(posts[:64]))
began = time.perf_counter()
for _ in tagger.pipe(posts):
    pass
print(time.perf_counter() - began)
"""

ALONE = """
import json, sys, time
import mner
tagger = mner.load(sys.argv[1] or None, threads=int(sys.argv[2]))
posts = json.load(sys.stdin)
for size in (1, 32):
    for measured in (False, True):
        began = time.perf_counter()
        for at in range(0, len(posts) if measured else 32, size):
            tagger.batch(posts[at : at + size])
    print(time.perf_counter() - began)
"""


@dataclass(slots=True)
class Load:
    """What clients saw: seconds of each answered request, the seconds of the whole, and what was not answered."""

    seconds: list[float] = field(default_factory=list)
    whole: float = 0.0
    refused: int = 0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.whole if self.whole else 0.0

    def at(self, share: float) -> float:
        """Milliseconds within which that share of the requests was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def row(self) -> list[float]:
        return [self.rate, self.at(0.5), self.at(0.95), self.at(0.99)]


@contextmanager
def service(options: argparse.Namespace, folder: Path, *words: object) -> Iterator[tuple[int, float]]:
    """A service in its own process: its port, and the seconds until it took requests."""
    model = [] if options.model is None else [str(options.model)]
    command = [sys.executable, "-m", "mner", "serve", *model, "--port", "0", "--threads", str(options.threads)]
    command += ["--store", str(folder / "store.sqlite"), "--picture-ms", "600000", *map(str, words)]
    log = folder / f"{len(list(folder.glob('*.log')))}.log"
    began = time.perf_counter()
    with log.open("w") as stream:
        process = subprocess.Popen(command, stderr=stream, env=dict(os.environ))
    try:
        yield _port(process, log), time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    while process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("serving "):
                port = int(line.rpartition(":")[2])
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
                    return port
                except urllib.error.URLError:
                    pass
        time.sleep(0.005)
    raise SystemExit(f"the service did not start:\n{log.read_text()[-2000:]}")


def request(post: dict[str, object]) -> bytes:
    """A request as it goes over the wire."""
    body = json.dumps(post).encode()
    head = "POST /v1/entities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


async def client(port: int, requests: Iterator[bytes], until: float, load: Load) -> None:
    """One client: a request, its answer, the next request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(next(requests))
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
            if head.split()[1] == "200":
                load.seconds.append(time.perf_counter() - began)
            else:
                load.refused += 1
                await asyncio.sleep(0.05)
    except StopIteration:
        pass
    finally:
        writer.close()


def press(port: int, clients: int, requests: Iterator[bytes], seconds: float, load: Load | None = None) -> Load:
    """What so many clients see in so many seconds."""
    load = load or Load()
    began = time.perf_counter()

    async def run() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(client(port, requests, until, load) for _ in range(clients)))

    asyncio.run(run())
    load.whole += time.perf_counter() - began
    return load


def picture(number: int) -> str:
    """A picture with a sign on it, unlike any other, in base64."""
    from PIL import Image, ImageDraw

    drawn = Image.new("RGB", (480, 360), (120, number % 256, number // 256 % 256))
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((40, 90, 440, 270), fill=(250, 250, 240), outline=(20, 20, 20), width=4)
    pen.text((70, 150), f"ARENA {number}", fill=(20, 20, 20), font_size=40)
    stream = io.BytesIO()
    drawn.save(stream, "JPEG")
    return base64.b64encode(stream.getvalue()).decode()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model with ONNX files; by default that of the package")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, help="clients at a time")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds of each measurement")
    parser.add_argument("--posts", type=int, default=2048, help="posts that service and tagger are compared on")
    options = arguments(parser, argv)
    posts, data = training_posts(TEXTS)
    texts = [post.text for post in posts]
    options.data = data
    seconds: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        batched, single, known, new, mixed, bulk = measure(options, folder, texts)
        posts = list(itertools.islice(itertools.cycle(texts), options.posts))
        pipe = [tagged(options, PIPE, posts)[0] for _ in range(options.repetitions)]
        each, by_32 = zip(*(tagged(options, ALONE, texts) for _ in range(options.repetitions)), strict=True)
        starts = cold(options, folder, texts[0])
    tables = [
        _table("Words alone, batches shared by all requests", batched),
        _table("Words alone, every request by itself", single),
        _table("With pictures that are known", known),
        _table("With new pictures, each read", new),
    ]
    tables.append(Table("Words alone at 8 clients while 2 clients send new pictures", HEADS))
    tables[-1].rows.append([8, *mixed.row])
    tables.append(Table("The tagger alone, without HTTP", ["posts of a call", "posts a second"]))
    for size, times in ((1, each), (32, by_32)):
        tables[-1].rows.append([size, len(texts) / statistics.median(times)])
    tables.append(Table("Seconds of a fresh process until its first answer", ["start", "median", "least", "most"]))
    for what, times in starts.items():
        tables[-1].rows.append([what, statistics.median(times), min(times), max(times)])
    top = max(count for count in options.clients if count <= 32)
    ratios = {
        f"batched / unbatched requests a second, {top} clients": batched[top].rate / single[top].rate,
        "tagger alone, calls of 32 posts / of one, posts a second": statistics.median(each) / statistics.median(by_32),
        "service / tagger.pipe, posts a second": statistics.median(pipe) / statistics.median(bulk),
        "p99 / p50 of words alone while pictures are read": mixed.at(0.99) / mixed.at(0.5),
    }
    for count, load in batched.items():
        seconds[f"words alone, {count} clients"] = load.whole / max(1, len(load.seconds))
    seconds |= {"service, all posts": bulk, "tagger.pipe, all posts": pipe, **starts}
    seconds |= {"tagger alone, one post a call": each, "tagger alone, 32 posts a call": by_32}
    write("serve", ABOUT, tables, settings=options, seconds=seconds, ratios=ratios)
    return 0


HEADS = ["clients", "requests a second", "p50, ms", "p95, ms", "p99, ms"]


def measure(
    options: argparse.Namespace, folder: Path, texts: Sequence[str]
) -> tuple[dict[int, Load], dict[int, Load], dict[int, Load], dict[int, Load], Load, list[float]]:
    """The loads of a service with its defaults, those without batching, and the seconds of the first for all posts."""
    numbers = itertools.count(1000)
    fresh = (request({"text": texts[n % len(texts)], "image": picture(n)}) for n in numbers)
    shown = [request({"text": texts[n % len(texts)], "image": picture(n)}) for n in range(8)]
    alone = [request({"text": text}) for text in texts]
    with service(options, folder) as (port, _):
        press(port, 1, iter(shown), 600.0)  # until each has been read
        with service(options, folder, "--batch-words", 1, "--wait-ms", 0, "--no-images") as (other, _):
            batched, single = loads(options, (port, alone), (other, alone))
        (known,) = loads(options, (port, shown))
        new = {count: press(port, count, fresh, options.seconds) for count in options.clients if count <= 8}
        mixed = Load()

        async def both() -> None:
            until = time.perf_counter() + options.seconds * options.repetitions
            words, rest = itertools.cycle(alone), Load()
            await asyncio.gather(
                *(client(port, words, until, mixed) for _ in range(8)),
                *(client(port, fresh, until, rest) for _ in range(2)),
            )

        mixed.whole = timed(lambda: asyncio.run(both()))
        posts = list(itertools.islice(itertools.cycle(texts), options.posts))
        parts = [
            request({"posts": [{"text": text} for text in posts[at : at + SIZE]]}) for at in range(0, len(posts), SIZE)
        ]
        bulk = [timed(lambda: press(port, 4, iter(parts), 600.0)) for _ in range(options.repetitions)]
    return batched, single, known, new, mixed, bulk


def loads(options: argparse.Namespace, *sides: tuple[int, Sequence[bytes]]) -> list[dict[int, Load]]:
    """What each number of clients sees of each side, which is a port and its requests; all take turns."""
    for port, requests in sides:
        press(port, 4, itertools.cycle(requests), min(1.0, options.seconds))
    measured = [{count: Load() for count in options.clients} for _ in sides]
    for _ in range(options.repetitions):
        for count in options.clients:
            print(f"  {count} clients", file=sys.stderr, flush=True)
            for (port, requests), seen in zip(sides, measured, strict=True):
                press(port, count, itertools.cycle(requests), options.seconds, seen[count])
    return measured


def tagged(options: argparse.Namespace, program: str, posts: Sequence[str]) -> list[float]:
    """The seconds that a program prints, which tags these posts in a fresh process."""
    model = "" if options.model is None else str(options.model)
    done = subprocess.run(
        [sys.executable, "-c", program, model, str(options.threads)],
        input=json.dumps(posts),
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in done.stdout.split()]


def cold(options: argparse.Namespace, folder: Path, text: str) -> dict[str, list[float]]:
    """Seconds from the start of a process to readiness, to its first answer, and to that for a new picture."""
    seconds: dict[str, list[float]] = {"ready": [], "first answer": [], "first answer with a picture": []}
    for number in range(options.repetitions + 1):
        began = time.perf_counter()
        with service(options, folder) as (port, ready):
            press(port, 1, iter([request({"text": text})]), 60.0)
            answered = time.perf_counter() - began
            press(port, 1, iter([request({"text": text, "image": picture(500 + number)})]), 60.0)
            pictured = time.perf_counter() - began
        if number:
            seconds["first answer with a picture"].append(pictured)
            seconds["ready"].append(ready)
            seconds["first answer"].append(answered)
    return seconds


def _table(title: str, loads: dict[int, Load]) -> Table:
    refused = sum(load.refused for load in loads.values())
    table = Table(title, HEADS, note=f"{refused} requests were refused." if refused else "")
    table.rows.extend([count, *load.row] for count, load in loads.items())
    return table


if __name__ == "__main__":
    sys.exit(main())
