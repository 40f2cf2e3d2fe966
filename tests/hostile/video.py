"""Videos of every kind that people have, whole and broken."""

import io
import os
import struct
import tempfile
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from helpers.scenarios.video.clips import query_pictures
from helpers.scenarios.video.frames import read_frames
from tests.hostile.form import Case, LeftOut, Read, each
from tests.notebooks.subject import subject

SHADES = range(20, 220, 20)  # of the ten frames of an ordinary video


class Seen(NamedTuple):
    """What a video was read as."""

    frames: int
    last: float  # seconds
    size: tuple[int, int]
    shade: int  # of its first frame, rounded to tens


def written(
    ending: str = ".avi", codec: str = "MJPG", shades=SHADES, rate: float = 25, size=(64, 48)
) -> bytes:
    """A video of plain grey frames that are a little brighter at the left, one per shade."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"film{ending}")
        fourcc = cv2.VideoWriter_fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, rate, size)
        assert writer.isOpened()
        for shade in shades:
            image = np.full((size[1], size[0], 3), shade, np.uint8)
            image[:, : size[0] // 8] += 30
            writer.write(image)
        writer.release()
        return path.read_bytes()


def file(content: Callable[[], bytes], name: str = "film.mp4") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content())
        return path

    return make


def plain(text: bytes, name: str = "film.mp4") -> Callable[[Path], Path]:
    return file(lambda: text, name)


def half(ending: str, codec: str) -> bytes:
    whole = written(ending, codec, range(0, 200, 2), size=(320, 240))
    return whole[: len(whole) // 2]


def holes() -> bytes:
    """An AVI in which every 700th byte is gone, but not of its header."""
    whole = bytearray(written(".avi", "mp4v", range(0, 200, 2), size=(320, 240)))
    whole[8_000::700] = bytes(len(whole[8_000::700]))
    return bytes(whole)


def recorded_by_a_browser() -> bytes:
    """A webm of 25 frames a second whose header says 60, as MediaRecorder writes them."""
    content = written(".webm", "VP80", range(20, 220, 2))
    duration = b"\x23\xe3\x83\x84" + struct.pack(">I", 40_000_000)  # nanoseconds of a frame
    assert content.count(duration) == 1
    return content.replace(duration, duration[:4] + struct.pack(">I", 16_666_667))


def turned() -> bytes:
    """A mov that asks to be shown turned by 90 degrees, as phones write them."""
    content = written(".mov", "mp4v")
    one, minus = struct.pack(">i", 1 << 16), struct.pack(">i", -1 << 16)
    rest = struct.pack(">i", 1 << 30)
    straight = one + bytes(12) + one + bytes(12) + rest
    place = content.index(straight, content.index(b"tkhd"))
    quarter = bytes(4) + one + bytes(4) + minus + bytes(16) + bytes(4) + rest
    return content[:place] + quarter[: len(straight)] + content[place + len(straight) :]


def moving_gif(durations: list[int], size: tuple[int, int] = (64, 48), **options) -> bytes:
    """An animated GIF whose frames last so many milliseconds."""
    shades = np.linspace(20, 200, len(durations)).astype(int)
    first, *others = [Image.new("L", size, int(shade)) for shade in shades]
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=durations, **options)
    return out.getvalue()


def claims(side: int) -> bytes:
    """A GIF whose header says it is so many pixels wide and high."""
    content = bytearray(moving_gif([100, 100]))
    content[6:10] = struct.pack("<HH", side, side)
    return bytes(content)


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (20, 20, 20)).save(out, kind)
    return out.getvalue()


def moving_picture(kind: str, mode: str) -> bytes:
    first, *others = [Image.new(mode, (64, 48), (shade,) * len(mode)) for shade in SHADES]
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=others, duration=40)
    return out.getvalue()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams((1, 2, 8_000, 0, "NONE", ""))
        writer.writeframes(bytes(16_000))
    return out.getvalue()


def without_stamps() -> bytes:
    """JPEGs one after the other, which is all that some cameras send."""
    return picture("JPEG") * 10


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def a_folder(folder: Path) -> Path:
    (folder / "folder.mp4").mkdir()
    return folder / "folder.mp4"


def link_to_nothing(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(folder / "gone.mp4")
    return folder / "link.mp4"


def link(folder: Path) -> Path:
    (folder / "film").write_bytes(written())
    (folder / "link.avi").symlink_to(folder / "film")
    return folder / "link.avi"


def list_of_files(folder: Path) -> Path:
    """A text in which FFmpeg would read what else to open."""
    (folder / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{os.devnull}'\n")
    return folder / "list.mp4"


def watched(path: Path) -> Seen:
    frames, first = 0, None
    for frame in read_frames(path):
        first = frame if first is None else first
        frames += 1
    height, width = first.image.shape[:2]
    shade = first.image[height // 2, width // 2].mean()
    return Seen(frames, round(frame.seconds, 2), (width, height), int(round(shade, -1)))


def asked(path: Path) -> tuple[int, int]:
    """As ``Try your own`` takes it: the size of the first picture to search with."""
    return query_pictures(path, _method()["key_frames"])[0].size


@cache
def _method() -> dict[str, Any]:
    return subject("02_video_search", COLLECTION="films")


def seen(frames: int = 10, last: float = 0.36, size=(64, 48), shade: int = 20) -> Read:
    def is_right(value) -> bool:
        if isinstance(value, Seen):
            near = abs(value.last - last) < 0.05 and abs(value.shade - shade) <= 10
            return near and (value.frames, value.size) == (frames, size)
        return True

    return Read(is_right)


def some(frames: int) -> Read:
    return Read(lambda value: not isinstance(value, Seen) or value.frames >= frames)


GOOD = [file(written), file(lambda: written(shades=[150] * 30))]
READERS = {"read_frames": each(watched), "query": each(asked)}
NAMES = {  # what a file can be called
    "name is no UTF-8": os.fsdecode(b"caf\xe9 \xff.avi"),
    "name in other scripts": "\N{CLAPPER BOARD} \u05e9 \u89c6\u9891.avi",
    "name with quotes and a line end": "a'b\"c\nd.avi",
    "name like a protocol": "concat:a|b.avi",
    "name like a pattern": "film%03d.avi",
    "name of 255 bytes": "n" * 251 + ".avi",
}
OTHERS = {".mov": "mp4v", ".mkv": "mp4v", ".webm": "VP90", ".wmv": "WMV2", ".ts": "mp4v"}
CASES = [
    *[Case(what, file(written, name), seen()) for what, name in NAMES.items()],
    Case("no ending", file(written, "film"), seen(), readers=("read_frames",)),
    *[
        Case(ending, file(lambda e=ending, c=codec: written(e, c), f"film{ending}"), seen())
        for ending, codec in OTHERS.items()
    ],
    Case("one frame", file(lambda: written(shades=[20])), seen(1, 0)),
    Case("no frame, avi", file(lambda: written(shades=[])), LeftOut("")),
    Case("no frame, mp4", file(lambda: written(".mp4", "mp4v", [])), LeftOut("")),
    Case("header says 60 a second", file(recorded_by_a_browser, "r.webm"), seen(100, 3.96)),
    Case(
        "rate that varies",
        file(lambda: moving_gif([40, 1000, 40, 500, 40]), "film.gif"),
        seen(5, 1.58),
    ),
    Case("turned", file(turned, "film.mov"), seen(size=(48, 64))),
    Case("odd sides", file(lambda: moving_gif([100] * 3, (63, 47))), seen(3, 0.2, (63, 47))),
    Case("one pixel", file(lambda: moving_gif([100] * 3, (1, 1))), seen(3, 0.2, (1, 1))),
    Case("very wide", file(lambda: moving_gif([100] * 2, (5000, 2))), some(2)),
    Case(
        "huge",
        file(lambda: moving_gif([100] * 2, (6_000, 6_000))),
        seen(2, 0.1, (3_000, 3_000)),
    ),
    Case("says it is larger than memory", file(lambda: claims(65_535)), LeftOut("")),
    Case("with an alpha channel", file(lambda: moving_picture("PNG", "RGBA")), some(10)),
    Case("grey", file(lambda: moving_picture("PNG", "L")), seen()),
    Case("a photo", file(lambda: picture("JPEG")), some(1)),
    Case("frames without stamps", file(without_stamps), some(10)),
    Case("empty", plain(b""), LeftOut("an empty file")),
    Case("text", plain(b"not a film"), LeftOut("holds no video")),
    Case("zeros", plain(bytes(50_000)), LeftOut("holds no video")),
    Case("noise", plain(np.random.default_rng(0).bytes(50_000)), LeftOut("")),
    Case("a list of other files", list_of_files, LeftOut("")),
    Case(
        "a list of addresses",
        plain(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n", "list.m3u8"),
        LeftOut(""),
    ),
    Case("sound only", file(sound, "sound.mp4"), LeftOut("holds no video")),
    Case("half of an mp4", file(lambda: half(".mp4", "mp4v")), LeftOut("damaged")),
    Case("half of an mpg", file(lambda: half(".mpg", "MPG1"), "film.mpg"), some(20)),
    Case("half of an avi", file(lambda: half(".avi", "MJPG")), some(20)),
    Case("half of a mkv", file(lambda: half(".mkv", "mp4v"), "film.mkv"), some(20)),
    Case("holes", file(holes), some(20)),
    Case("a named pipe", pipe, LeftOut("a pipe or a device")),
    Case("a folder", a_folder, LeftOut("not a file")),
    Case("a link to nothing", link_to_nothing, LeftOut("No such file")),
    Case("a link", link, seen()),
    Case("not there", lambda folder: folder / "gone.mp4", LeftOut("No such file")),
    Case("a NUL in the name", lambda folder: folder / "a\0b.mp4", LeftOut("no name of a file")),
]
