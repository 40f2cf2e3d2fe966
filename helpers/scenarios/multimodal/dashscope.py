"""DashScope, a service of Alibaba Cloud: vectors of photos and sentences, and words for photos.

The key is read from the environment variable DASHSCOPE_API_KEY at each call and kept nowhere.
DASHSCOPE_BASE_URL names another region's host, such as https://dashscope-intl.aliyuncs.com.

Source: https://www.alibabacloud.com/help/en/model-studio/multimodal-embedding-api-reference and
https://www.alibabacloud.com/help/en/model-studio/qwen-vl-compatible-with-openai
"""

import base64
import io
import json
import os
import random
import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests

from helpers.encoders.text import check_text
from helpers.errors import BadItem, HelpfulError
from helpers.pictures import open_image
from helpers.scenarios.multimodal.object_photos import Photo

_HOST = "https://dashscope.aliyuncs.com"
_EMBEDDING = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
_CHAT = "/compatible-mode/v1/chat/completions"
_LONGEST = 1024  # pixels of a picture's longer side as it is sent, far below the service's 3 MB
_HOPELESS = ("Arrearage", "ModelNotFound", "model_not_found", "invalid_api_key", "InvalidApiKey")
_ASK = (
    "Describe this photo for a search index. Answer with JSON only, with the keys: label (what it "
    "shows, at most four words), description (what can be seen, at most 50 words, in English), "
    "keywords (a list of five)."
)


class DashScope:
    """Calls the service: not too often, again after a passing failure, with clear errors.

    One object may be used by several threads.
    """

    def __init__(
        self,
        calls_per_minute: float = 100,
        attempts: int = 5,
        timeout: float = 60,
        pause: float = 1,
    ) -> None:
        """Prepare calls; none is made yet.

        Args:
            calls_per_minute: at most so many are made; the service allows 120 for its embeddings.
            attempts: how often a call is made before it is given up.
            timeout: seconds to wait for an answer.
            pause: seconds before the second attempt; doubled before each further one.
        """
        self._host = _base_url()
        self._gap = 60 / calls_per_minute
        self._attempts, self._timeout, self._pause = attempts, timeout, pause
        self._lock, self._next = threading.Lock(), 0.0
        self._answered = False

    def embed(self, model: str, content: dict[str, str]) -> np.ndarray:
        """The vector of one text or picture: float32, (dim,).

        Args:
            model: such as ``"multimodal-embedding-v1"``.
            content: ``{"text": ...}`` or ``{"image": data URI}``.

        Raises:
            BadItem: the service does not take this content, or kept failing.
            HelpfulError: no call can succeed: no key, a wrong one, no network.
        """
        reply = self._post(_EMBEDDING, {"model": model, "input": {"contents": [content]}})
        try:
            vector = np.array(reply["output"]["embeddings"][0]["embedding"], np.float32)
        except (KeyError, IndexError, TypeError, ValueError):
            vector = np.empty(0, np.float32)
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise BadItem("the service's answer holds no vector")
        return vector

    def describe(self, photo: Any, model: str = "qwen3-vl-plus") -> dict[str, Any]:
        """What Qwen-VL sees in a photo: ``label``, ``description`` and ``keywords``.

        Args:
            photo: a path, the bytes of a file, or a Pillow image.
            model: any Qwen-VL model, such as ``"qwen-vl-plus"``.

        Raises:
            BadItem: the photo cannot be read, or no description came back.
            HelpfulError: no call can succeed.
        """
        picture = {"type": "image_url", "image_url": {"url": data_uri(photo)}}
        words = {"type": "text", "text": _ASK}
        message = {"role": "user", "content": [picture, words]}
        reply = self._post(_CHAT, {"model": model, "messages": [message]})
        try:
            answer = reply["choices"][0]["message"]["content"]
            found = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
            label, description = check_text(found["label"]), check_text(found["description"])
            return {
                "label": label,
                "description": description,
                "keywords": [check_text(word) for word in found["keywords"]][:5],
            }
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise BadItem("the service's answer holds no description") from None

    def _post(self, path: str, body: dict) -> Any:
        problem = ""
        for attempt in range(self._attempts):
            self._wait_for_turn()
            answer, problem = self._call(path, body)
            if answer is not None:
                return answer
            if attempt + 1 < self._attempts:
                # Not all threads at once: each waits a little longer or shorter.
                time.sleep(self._pause * 2**attempt * random.uniform(0.8, 1.2))
        raise BadItem(f"given up after {self._attempts} attempts: {problem}")

    def _call(self, path: str, body: dict) -> tuple[Any, str]:
        """One call: (answer, "") or, when another may succeed, (None, what went wrong)."""
        key = _key()

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = f"Bearer {key}"
            return request

        try:
            reply = requests.post(
                self._host + path,
                json=body,
                auth=sign,
                timeout=(min(10, self._timeout), self._timeout),
                allow_redirects=False,
            )
        except requests.ReadTimeout:
            return None, f"no answer within {self._timeout:g} s"
        except requests.RequestException as error:
            kind = type(error).__name__
        else:
            self._answered = True
            return self._read(reply, key)
        # Raised out here, so that no error of requests hangs on it: those hold the key.
        if self._answered:  # A connection that breaks once may hold the next time.
            return None, kind
        raise HelpfulError(
            f"{self._host} cannot be reached ({kind}); check the network, a proxy, and "
            "DASHSCOPE_BASE_URL, or use ENCODER 'conse', which needs no service."
        )

    def _read(self, reply: requests.Response, key: str) -> tuple[Any, str]:
        try:
            content = reply.json()
        except ValueError:
            content = None
        if reply.status_code == 200:
            return (content, "") if isinstance(content, dict) else (None, "an answer cut short")
        code, message = _complaint(content)
        said = f"{reply.status_code} {code} {message}".replace(key, "***").strip()
        if reply.status_code == 429 or reply.status_code >= 500:
            return None, said
        if reply.status_code == 401:
            raise HelpfulError(
                f"{self._host} does not know the key in DASHSCOPE_API_KEY; check it, and that it "
                "belongs to this region (DASHSCOPE_BASE_URL)."
            )
        if reply.status_code not in (400, 413) or code in _HOPELESS:
            raise HelpfulError(f"{self._host} refuses all calls: {said}.")
        raise BadItem(f"refused by the service: {said}")

    def _wait_for_turn(self) -> None:
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        time.sleep(max(0, turn - time.monotonic()))


def describe_photos(photos: Sequence[Photo], service: DashScope | None = None) -> list[Photo]:
    """Let Qwen-VL write label, description and keywords of photos; failures are named and left out.

    Raises:
        HelpfulError: no call can succeed: no key, a wrong one, no network.
    """
    service = service or DashScope()

    def one(photo: Photo) -> Photo | BadItem:
        try:
            return photo._replace(**service.describe(photo.path))
        except BadItem as error:
            return error

    pool = ThreadPoolExecutor(8)
    try:
        done = list(pool.map(one, photos))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    failed = [(p.path.name, d) for p, d in zip(photos, done, strict=True) if isinstance(d, BadItem)]
    if failed:
        named = "; ".join(f"{name}: {reason}" for name, reason in failed[:10])
        print(f"{len(failed)} photos left out, not described: {named}")
    return [photo for photo in done if isinstance(photo, Photo)]


def _key() -> str:
    key = os.environ.get("DASHSCOPE_API_KEY", "").strip()
    if not key:
        raise HelpfulError(
            "DashScope wants a key: get one from Alibaba Cloud Model Studio and set the "
            "environment variable DASHSCOPE_API_KEY, or use ENCODER 'conse', which needs none."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise HelpfulError(
            "DASHSCOPE_API_KEY holds a blank or a letter that no key has; copy the key again."
        )
    return key


def _base_url() -> str:
    address = os.environ.get("DASHSCOPE_BASE_URL", "").strip() or _HOST
    # Other tools' settings name one of the service's two halves.
    address = re.sub(r"(/api/v1|/compatible-mode/v1)?/*$", "", address)
    parts = urlsplit(address)
    at_home = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if (
        not parts.hostname
        or "@" in parts.netloc
        or parts.scheme not in (("http", "https") if at_home else ("https",))
    ):
        raise HelpfulError(
            "DASHSCOPE_BASE_URL is no address that begins with https://, so the key would not be "
            f"safe; leave it unset for {_HOST}."
        )
    return address


def _complaint(content: Any) -> tuple[str, str]:
    """Code and message of an error reply; the two halves of the service write them differently."""
    content = content if isinstance(content, dict) else {}
    error = content.get("error", content)
    error = error if isinstance(error, dict) else {}
    return str(error.get("code") or ""), str(error.get("message") or "")[:200]


def data_uri(photo: Any) -> str:
    """A picture as the service takes it: a JPEG without EXIF data, as base64.

    Raises:
        BadItem: it cannot be read.
    """
    picture = open_image(photo, at_least=(_LONGEST, _LONGEST))
    picture.thumbnail((_LONGEST, _LONGEST))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
