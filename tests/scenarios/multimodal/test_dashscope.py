"""DashScope against a small server on this computer that answers as its documentation says."""

import base64
import io
import logging
import os
import threading
import time
import traceback

import numpy as np
import pytest
from PIL import Image

from helpers.errors import BadItem, HelpfulError
from helpers.ingest import encode_batches
from helpers.scenarios.multimodal.dashscope import DashScope, data_uri
from helpers.scenarios.multimodal.joint import load_joint
from helpers.scenarios.multimodal.object_photos import Photo, describe_photos
from tests.scenarios.multimodal.dashscope_world import CHAT, EMBEDDING, KEY, vector_of

pytest_plugins = ["tests.scenarios.multimodal.dashscope_world"]


def client(**options):
    return DashScope(**{"calls_per_minute": 60_000, "pause": 0.01} | options)


@pytest.fixture
def quick(monkeypatch):
    """Encoders that do not wait between calls."""
    monkeypatch.setattr("helpers.scenarios.multimodal.dashscope.DashScope", client)


def colours(folder, *names):
    paths = [folder / f"{name}.png" for name in names]
    for path in paths:
        Image.new("RGB", (40, 30), path.stem).save(path)
    return paths


def test_photos_and_texts_become_unit_vectors_of_one_space(service, quick, tmp_path):
    images, texts = load_joint("dashscope")
    assert (images.dim, texts.dim, images.name) == (4, 4, "multimodal-embedding-v1")
    (red,) = images.encode(colours(tmp_path, "red"))
    assert red == pytest.approx([0, 1, 0, 0], abs=0.02)
    assert np.linalg.norm(texts.encode(["one", "two"]), axis=1) == pytest.approx([1, 1])
    assert service.calls[-1] == (
        EMBEDDING,
        {"model": "multimodal-embedding-v1", "input": {"contents": [{"text": "two"}]}},
    )


def test_another_model_by_name(service, quick):
    assert load_joint("dashscope:tongyi-embedding-vision-plus").texts.dim == 4
    assert service.calls[0][1]["model"] == "tongyi-embedding-vision-plus"


def test_single_failures_are_skipped_and_named(service, quick, tmp_path):
    images, texts = load_joint("dashscope")
    service.refuses = lambda content: vector_of(content)[1] > 200
    batches = encode_batches(colours(tmp_path, "red", "green", "blue"), images, unit="photo")
    names = [path.stem for batch in batches for path in batch.items]
    assert names == ["green", "blue"]
    assert "red.png: refused by the service: 400 DataInspectionFailed" in batches.report()
    service.refuses = lambda content: content["text"] == "bad"
    batches = encode_batches(["good", "bad", "", "fine"], texts)
    assert [text for batch in batches for text in batch.items] == ["good", "fine"]
    assert [item for item, _ in batches.skipped] == ["bad", ""]


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded."}),
        (500, {"code": "InternalError", "message": "An internal error has occured."}),
        (503, b"<html>Service Unavailable</html>"),
        (200, b'{"output": {"embeddings": [{"ind'),
    ],
)
def test_a_passing_failure_is_tried_again(service, trouble):
    service.answers = [trouble, trouble]
    assert client().embed("m", {"text": "four"}).tolist() == [1, 4, 0, 0]
    assert len(service.calls) == 3


def test_each_wait_is_longer_than_the_one_before(service):
    service.answers = [(429, {})] * 3
    client(pause=0.1).embed("m", {"text": "four"})
    first, second, third = np.diff(service.times)
    assert 0.08 <= first < second < third


def test_the_service_may_say_how_long_to_wait(service):
    service.answers, service.headers = [(429, {})], {"Retry-After": "1"}
    client(pause=60).embed("m", {"text": "four"})
    first, second = service.times
    assert 1 <= second - first < 10


def test_what_keeps_failing_is_given_up(service):
    service.answers = [(500, {"code": "InternalError", "message": "no luck"})] * 3
    with pytest.raises(BadItem, match="given up after 3 attempts: 500 InternalError no luck"):
        client(attempts=3).embed("m", {"text": "four"})
    assert len(service.calls) == 3


def test_a_slow_answer_is_given_up(service):
    service.slow = 0.5
    with pytest.raises(BadItem, match=r"after 2 attempts: no answer within 0\.1 s"):
        client(attempts=2, timeout=0.1).embed("m", {"text": "four"})


def test_an_answer_that_breaks_off_is_given_up(service):
    service.held_back = 3
    with pytest.raises(BadItem, match="after 2 attempts: an answer cut short"):
        client(attempts=2).embed("m", {"text": "four"})
    assert len(service.calls) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"output": None},
        {"output": {"embeddings": []}},
        {"output": {"embeddings": [{"embedding": []}]}},
        {"output": {"embeddings": [{"embedding": ["a", "b"]}]}},
        {"output": {"embeddings": [{"embedding": [[1, 2], [3, 4]]}]}},
        {"output": {"embeddings": [{"embedding": [1, None]}]}},
    ],
)
def test_an_answer_without_a_vector_is_a_bad_item(service, answer):
    service.answers = [(200, answer)]
    with pytest.raises(BadItem, match="holds no vector"):
        client().embed("m", {"text": "four"})


def test_a_vector_of_another_length_is_a_bad_item(service, quick):
    texts = load_joint("dashscope").texts
    service.answers = [(200, {"output": {"embeddings": [{"embedding": [1, 2]}]}})]
    with pytest.raises(BadItem, match="2 numbers instead of 4"):
        texts.encode(["four"])


def test_no_key_is_said_before_any_call(service, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", " ")
    with pytest.raises(HelpfulError, match="set the environment variable DASHSCOPE_API_KEY"):
        load_joint("dashscope")
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-one\nsk-two")
    with pytest.raises(HelpfulError, match="copy the key again") as caught:
        load_joint("dashscope")
    assert "sk-" not in str(caught.value)
    assert not service.calls


def said_about(error):
    """Everything a traceback or a debugger could show of an error and what hangs on it."""
    text, seen = "", [error]
    while seen:
        one = seen.pop()
        text += "".join(traceback.format_exception(one)) + repr(vars(one))
        seen += [e for e in (one.__cause__, one.__context__) if e]
        if request := getattr(one, "request", None):
            text += repr(request.headers)
    return text


def test_a_wrong_key_stops_everything_and_is_not_shown(service, monkeypatch, capsys):
    wrong = "sk-ffffffffffffffffffffffffffffffff"
    monkeypatch.setenv("DASHSCOPE_API_KEY", wrong)
    with pytest.raises(HelpfulError, match="does not know the key") as caught:
        load_joint("dashscope")
    assert len(service.calls) == 1
    assert wrong not in said_about(caught.value) + "".join(capsys.readouterr())


def test_a_key_that_the_service_repeats_is_blotted_out(service):
    echo = {"code": "InvalidParameter", "message": f"bad request by Bearer {KEY}"}
    service.answers = [(400, echo)]
    with pytest.raises(BadItem, match=r"by Bearer \*\*\*") as caught:
        client().embed("m", {"text": "four"})
    assert KEY not in said_about(caught.value)


def test_the_key_is_in_no_log(service, monkeypatch, caplog, closed_port):
    caplog.set_level(logging.DEBUG)
    one = client(attempts=2)
    service.answers = [(500, {}), (200, b"{")]
    one.embed("m", {"text": "four"})
    monkeypatch.setattr(one, "_host", f"http://127.0.0.1:{closed_port}")
    with pytest.raises(BadItem):
        one.embed("m", {"text": "four"})
    assert "Retry" in caplog.text
    assert KEY not in caplog.text


def test_the_key_is_in_no_representation(service, quick):
    pair = load_joint("dashscope")
    things = [client(), *pair, pair]
    shown = "".join(repr(thing) + str(getattr(thing, "__dict__", "")) for thing in things)
    assert KEY not in shown + str(vars(pair.images._service))


def test_a_host_out_of_reach_is_named(monkeypatch, closed_port):
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("DASHSCOPE_BASE_URL", f"http://127.0.0.1:{closed_port}")
    started = time.monotonic()
    with pytest.raises(HelpfulError, match=f"127.0.0.1:{closed_port} cannot be reached") as caught:
        load_joint("dashscope")
    assert time.monotonic() - started < 5
    assert KEY not in said_about(caught.value)
    assert caught.value.__context__ is None, "an error of requests holds the request and its key"


def test_a_connection_that_breaks_later_is_tried_again(service, monkeypatch, closed_port):
    one = client(attempts=2)
    one.embed("m", {"text": "four"})
    monkeypatch.setattr(one, "_host", f"http://127.0.0.1:{closed_port}")
    with pytest.raises(BadItem, match="after 2 attempts: ConnectionError"):
        one.embed("m", {"text": "four"})


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "Arrearage"), (403, "AccessDenied"), (404, "ModelNotFound"), (302, "")],
)
def test_what_no_call_can_mend_stops_everything(service, status, code):
    service.headers = {"Location": "http://127.0.0.1:9/elsewhere"}
    service.answers = [(status, {"code": code, "message": "no"})]
    with pytest.raises(HelpfulError, match=f"refuses all calls: {status} {code}"):
        client().embed("m", {"text": "four"})
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    "address",
    ["http://dashscope.aliyuncs.com", "dashscope.aliyuncs.com", "ftp://x.org", "https://a:b@x.org"],
)
def test_the_key_travels_only_where_it_is_safe(monkeypatch, address):
    monkeypatch.setenv("DASHSCOPE_BASE_URL", address)
    with pytest.raises(HelpfulError, match="begins with https"):
        DashScope()


@pytest.mark.parametrize("tail", ["/", "/api/v1", "/compatible-mode/v1/"])
def test_addresses_as_other_tools_write_them(service, monkeypatch, tail):
    monkeypatch.setenv("DASHSCOPE_BASE_URL", os.environ["DASHSCOPE_BASE_URL"] + tail)
    assert len(client().embed("m", {"text": "four"})) == 4


def test_calls_keep_to_the_rate_in_threads_too(service):
    one = client(calls_per_minute=1200)  # one each 50 ms
    threads = [threading.Thread(target=one.embed, args=("m", {"text": "x"})) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(service.times) == 8
    # The first call may be late on a busy computer, the last one never early.
    assert max(service.times) - started >= 7 * 0.05


def test_pictures_are_sent_small_and_without_their_exif():
    exif = Image.Exif()
    exif[0x010F] = "the camera's maker"
    file = io.BytesIO()
    Image.new("RGB", (3000, 1500), "red").save(file, "JPEG", exif=exif)
    sent = base64.b64decode(data_uri(file.getvalue()).partition(",")[2])
    assert b"maker" in file.getvalue()
    assert b"maker" not in sent
    assert Image.open(io.BytesIO(sent)).size == (1024, 512)
    with pytest.raises(BadItem, match="not a picture"):
        data_uri(b"a text")


def test_qwen_describes_photos(service, tmp_path):
    found = client().describe(colours(tmp_path, "red")[0])
    assert found == {"label": "a dog", "description": "A dog.", "keywords": list("abcde")}
    path, body = service.calls[0]
    assert (path, body["model"]) == (CHAT, "qwen3-vl-plus")
    picture, words = body["messages"][0]["content"]
    assert picture["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert "at most 50 words" in words["text"]


@pytest.mark.parametrize(
    "content", ["I cannot see it.", '{"label": "dog"}', '{"label": 1, "description": "x"', None]
)
def test_an_answer_without_a_description_is_a_bad_item(service, tmp_path, content):
    service.answers = [(200, {"choices": [{"message": {"content": content}}]})]
    with pytest.raises(BadItem, match="holds no description"):
        client().describe(colours(tmp_path, "red")[0])


def test_photos_that_are_not_described_are_named(service, tmp_path, capsys):
    paths = [*colours(tmp_path, "red", "blue"), tmp_path / "text.jpg"]
    paths[2].write_text("no picture")
    photos = [Photo(path, path.stem, "", []) for path in paths]
    done = describe_photos(photos, client())
    assert [(photo.path, photo.label) for photo in done] == [(p, "a dog") for p in paths[:2]]
    assert capsys.readouterr().out == (
        "1 photos left out, not described: text.jpg: not a picture that Pillow can read\n"
    )


def test_describing_stops_at_a_wrong_key(service, monkeypatch, tmp_path):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-wrong")
    photos = [Photo(path, "", "", []) for path in colours(tmp_path, "red", "blue")]
    with pytest.raises(HelpfulError, match="does not know the key"):
        describe_photos(photos, client())
