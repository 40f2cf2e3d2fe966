"""Reading videos: real ones of many formats, made ones whose frames are known, damaged ones."""

import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from helpers.assets import fetch
from helpers.errors import BadItem
from helpers.scenarios.video import frames
from helpers.scenarios.video.frames import frame_at, read_frames, video_facts


def make_video(path, shades, rate=10, size=(64, 48)):
    """A video whose frames are plain grey, one per shade."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, size)
    assert writer.isOpened()
    for shade in shades:
        writer.write(np.full((size[1], size[0], 3), shade, np.uint8))
    writer.release()
    return path


def test_frames_come_in_order_with_their_times(tmp_path):
    frames = list(read_frames(make_video(tmp_path / "a.mp4", [0, 80, 160, 240])))
    assert [frame.number for frame in frames] == [0, 1, 2, 3]
    assert [round(frame.seconds, 3) for frame in frames] == [0, 0.1, 0.2, 0.3]
    assert [round(frame.image.mean(), -1) for frame in frames] == [0, 80, 160, 240]
    assert frames[0].image.shape == (48, 64, 3) and frames[0].image.dtype == np.uint8


def test_every_nth_frame_keeps_its_own_number_and_time(tmp_path):
    path = make_video(tmp_path / "a.mp4", range(0, 250, 25))
    every, some = list(read_frames(path)), list(read_frames(path, every=4))
    assert [frame.number for frame in some] == [0, 4, 8]
    for frame in some:
        assert frame.seconds == every[frame.number].seconds
        assert (frame.image == every[frame.number].image).all()


def test_a_frame_at_a_time_or_the_last_one(tmp_path):
    path = make_video(tmp_path / "a.mp4", [0, 80, 160, 240])
    assert [frame_at(path, seconds).number for seconds in (0, 0.05, 0.2, 9)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="every=0 must be 1 or more"):
        next(read_frames(path, every=0))


def test_colours_are_red_green_blue(tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / "red.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48)
    )
    writer.write(np.full((48, 64, 3), (0, 0, 255), np.uint8))  # OpenCV's order
    writer.release()
    (frame,) = read_frames(tmp_path / "red.mp4")
    red, green, blue = frame.image.reshape(-1, 3).mean(0)
    assert red > 200 and max(green, blue) < 60


@pytest.mark.parametrize(
    ("asset", "name", "frames", "seconds"),
    [
        ("clips-imageio", "cockatoo.mp4", 280, 13.95),
        ("clips-imageio", "newtonscradle.gif", 36, 0.8),  # a rate that varies
        ("clips-perception", "v2s.mov", 79, 3.2),  # its header says 287
        ("clips-kivy", "", 190, 7.56),
    ],
)
def test_real_clips_are_read_to_their_end(asset, name, frames, seconds):
    path = fetch(asset) / name
    seen = [(frame.number, frame.seconds) for frame in read_frames(path, every=3)]
    assert seen[-1][0] == (frames - 1) // 3 * 3
    assert abs(seen[-1][1] - seconds) < 0.15
    assert all(early < late for (_, early), (_, late) in zip(seen, seen[1:], strict=False))


def test_facts_are_those_of_the_header():
    facts = video_facts(fetch("clips-pycsr") / "sample_car_video.mp4")
    assert (facts.width, facts.height, facts.frames, facts.rate) == (854, 480, 360, 30)


def test_what_is_no_video_is_refused_with_a_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a film")
    whole = (fetch("clips-imageio") / "cockatoo.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # without its table of frames
    reasons = {
        tmp_path / "empty.mp4": "an empty file",
        tmp_path / "text.mp4": "holds no video",
        tmp_path / "cut.mp4": "damaged from its beginning",
        tmp_path / "missing.mp4": "No such file",
        fetch("game_sounds") / "coin1.wav": "holds no video",
    }
    for path, reason in reasons.items():
        for read in (video_facts, lambda path: list(read_frames(path))):
            with pytest.raises(BadItem, match=reason):
                read(path)


def test_a_damaged_video_gives_the_frames_that_are_left(tmp_path, capfd):
    whole = bytearray(fetch("clips-kivy").read_bytes())
    (tmp_path / "cut.mpg").write_bytes(whole[: len(whole) // 2])
    assert 70 < len(list(read_frames(tmp_path / "cut.mpg"))) < 110
    for place in np.random.default_rng(0).integers(2_000, len(whole), 3_000):
        whole[place] = 0
    (tmp_path / "holes.mpg").write_bytes(whole)
    times = [frame.seconds for frame in read_frames(tmp_path / "holes.mpg")]
    assert len(times) > 100 and times == sorted(times)
    assert capfd.readouterr() == ("", ""), "the reader sees no messages of FFmpeg's"


def test_a_reader_may_stop_early_and_a_single_frame_is_a_video(tmp_path):
    path = make_video(tmp_path / "one.mp4", [100])
    assert len(list(read_frames(path))) == 1
    frames = read_frames(make_video(tmp_path / "many.mp4", [0] * 50))
    next(frames)
    frames.close()


def test_memory_does_not_grow_with_length(tmp_path):
    path = make_video(tmp_path / "long.mp4", [i % 250 for i in range(1_500)], size=(320, 240))
    tracemalloc.start()
    for _ in read_frames(path):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 320 * 240 * 3, "about one frame is held at a time"


def test_a_file_that_crashes_the_decoder_costs_that_file_alone(tmp_path, monkeypatch):
    path = make_video(tmp_path / "a.mp4", range(0, 250, 5))
    decoder = tmp_path / "decoder.py"
    lines = Path(frames.__file__).with_name("decoder.py").read_text().splitlines()
    place = lines.index("        readable, image = video.retrieve()")
    lines.insert(place, "        if number == 7: os.abort()")
    decoder.write_text("\n".join(lines))
    monkeypatch.setattr(frames, "__file__", str(tmp_path / "frames.py"))
    monkeypatch.setattr(frames, "_idle", [])
    seen = []
    with pytest.raises(BadItem, match="ends the decoder"):
        seen.extend(frame.number for frame in read_frames(path))
    assert seen == list(range(7)) and not frames._idle, "a crashed decoder is not used again"
    monkeypatch.undo()
    assert len(list(read_frames(path))) == 50


def test_a_decoder_that_hangs_is_ended(tmp_path, monkeypatch):
    (tmp_path / "decoder.py").write_text("import sys\nsys.stdin.read()")
    monkeypatch.setattr(frames, "__file__", str(tmp_path / "frames.py"))
    monkeypatch.setattr(frames, "_idle", [])
    monkeypatch.setattr(frames, "_PATIENCE", 0.5)
    with pytest.raises(BadItem, match="ends the decoder"):
        next(read_frames(make_video(tmp_path / "a.mp4", [90])))


def test_two_videos_at_once_and_one_left_early_do_not_mix(tmp_path):
    dark = make_video(tmp_path / "dark.mp4", [20] * 9)
    light = make_video(tmp_path / "light.mp4", [200] * 9, size=(32, 24))
    pairs = list(zip(read_frames(dark), read_frames(light), strict=True))
    assert len(pairs) == 9
    assert all(one.image.mean() < 60 < 150 < other.image.mean() for one, other in pairs)
    for path, shade in ((dark, 20), (light, 200), (dark, 20)):
        assert abs(next(read_frames(path)).image.mean() - shade) < 8


def test_a_decoder_ends_with_its_user():
    code = "from helpers.scenarios.video import frames; d = frames._Decoder(); "
    code += "print(d._process.pid, flush=True); import os; os._exit(1)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    pid = int(child.stdout)
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("the decoder outlived its user by ten seconds")
