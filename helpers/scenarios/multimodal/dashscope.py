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
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import ReadTimeoutError

from helpers.encoders.base import PictureEncoder
from helpers.encoders.text import TextEncoder, check_text
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.pictures import open_image

_HOST = "https://dashscope.aliyuncs.com"
_EMBEDDING = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
_CHAT = "/compatible-mode/v1/chat/completions"
_EMBEDDER, _DESCRIBER = "multimodal-embedding-v1", "qwen3-vl-plus"
_LONGEST = 1024  # pixels of a picture's longer side as it is sent, far below the service's 3 MB
_PASSING = (429, *range(500, 600))  # statuses after which another attempt may succeed
_HOPELESS = ("Arrearage", "ModelNotFound", "model_not_found", "invalid_api_key", "InvalidApiKey")
_ASK = (
    "Describe this photo for a search index. Answer with JSON only, with the keys: label (what it "
    "shows, at most four words), description (what can be seen, at most 50 words, in English), "
    "keywords (a list of five)."
)


class _Patient(Retry):
    """Waits before the second attempt, too, and lets not all threads wait equally long."""

    def get_backoff_time(self) -> float:
        return self.backoff_factor * 2 ** (len(self.history) - 1) * random.uniform(0.8, 1.2)


@dataclass(eq=False)
class DashScope:
    """Calls the service: not too often, again after a passing failure, with clear errors.

    One object may be used by several threads.

    Attributes:
        calls_per_minute: at most so many are begun; the service allows 120 for its embeddings.
        attempts: how often a call is made before it is given up.
        timeout: seconds to wait for an answer.
        pause: seconds before the second attempt; doubled before each further one. Where the
            service says how long to wait, that counts, up to a minute.
    """

    calls_per_minute: float = 100
    attempts: int = 5
    timeout: float = 60
    pause: float = 1

    def __post_init__(self) -> None:
        self._host = _base_url()
        self._lock, self._next_turn = threading.Lock(), 0.0
        self._answered = False
        self._retries = _Patient(
            self.attempts - 1, allowed_methods=None, status_forcelist=_PASSING,
            backoff_factor=self.pause, retry_after_max=60, raise_on_status=False,
        )  # fmt: skip
        # A host that has never answered may be the wrong one, so that is said at once.
        self._adapter = HTTPAdapter(max_retries=self._retries.new(connect=0, other=0))
        self._session = requests.Session()
        self._session.auth = _sign
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

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
        with suppress(KeyError, IndexError, TypeError, ValueError):
            vector = np.array(reply["output"]["embeddings"][0]["embedding"], np.float32)
            if vector.ndim == 1 and vector.size and np.isfinite(vector).all():
                return vector
        raise BadItem("the service's answer holds no vector")

    def describe(self, photo: Any) -> dict[str, Any]:
        """What Qwen-VL sees in a photo: ``label``, ``description`` and ``keywords``.

        Args:
            photo: a path, the bytes of a file, or a Pillow image.

        Raises:
            BadItem: the photo cannot be read, or no description came back.
            HelpfulError: no call can succeed.
        """
        picture = {"type": "image_url", "image_url": {"url": data_uri(photo)}}
        words = {"type": "text", "text": _ASK}
        message = {"role": "user", "content": [picture, words]}
        reply = self._post(_CHAT, {"model": _DESCRIBER, "messages": [message]})
        try:
            answer = reply["choices"][0]["message"]["content"]
            found = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
            return {
                "label": check_text(found["label"]),
                "description": check_text(found["description"]),
                "keywords": [check_text(word) for word in found["keywords"]][:5],
            }
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise BadItem("the service's answer holds no description") from None

    def _post(self, path: str, body: dict) -> Any:
        for _ in range(self.attempts):
            self._wait_for_turn()
            reply = self._reply(path, body)
            try:
                content = reply.json()
            except requests.RequestException:  # cut short, or not from the service itself
                content = None
            if reply.status_code != 200:
                raise self._refusal(reply.status_code, content)
            if content is not None:
                return content
        raise BadItem(f"given up after {self.attempts} attempts: an answer cut short")

    def _wait_for_turn(self) -> None:
        with self._lock:
            turn = max(self._next_turn, time.monotonic())
            self._next_turn = turn + 60 / self.calls_per_minute
        time.sleep(max(0, turn - time.monotonic()))

    def _reply(self, path: str, body: dict) -> requests.Response:
        """The head of the service's answer, of the last attempt if all failed."""
        try:
            reply = self._session.post(
                self._host + path,
                json=body,
                timeout=(min(10, self.timeout), self.timeout),  # to connect, to answer
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            reason = getattr(error.args[0], "reason", None) if error.args else None
            slow = isinstance(reason, ReadTimeoutError)
            problem = f"no answer within {self.timeout:g} s" if slow else type(error).__name__
        else:
            self._answered, self._adapter.max_retries = True, self._retries
            return reply
        # Raised out here, so that no error of requests hangs on it: those hold the key.
        if slow or self._answered:
            raise BadItem(f"given up after {self.attempts} attempts: {problem}")
        raise HelpfulError(
            f"{self._host} cannot be reached ({problem}); check the network, a proxy, and "
            "DASHSCOPE_BASE_URL, or use ENCODER 'conse', which needs no service."
        )

    def _refusal(self, status: int, content: Any) -> Exception:
        # The two halves of the service write their complaints differently.
        content = content if isinstance(content, dict) else {}
        error = content.get("error", content)
        error = error if isinstance(error, dict) else {}
        code, message = str(error.get("code") or ""), str(error.get("message") or "")[:200]
        said = f"{status} {code} {message}".replace(_key(), "***").strip()
        if status in _PASSING:
            return BadItem(f"given up after {self.attempts} attempts: {said}")
        if status == 401:
            return HelpfulError(
                f"{self._host} does not know the key in DASHSCOPE_API_KEY; check it, and that it "
                "belongs to this region (DASHSCOPE_BASE_URL)."
            )
        if status not in (400, 413) or code in _HOPELESS:
            return HelpfulError(f"{self._host} refuses all calls: {said}.")
        return BadItem(f"refused by the service: {said}")


def _sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["Authorization"] = f"Bearer {_key()}"
    return request


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
    schemes = ("http", "https") if at_home else ("https",)
    if not parts.hostname or "@" in parts.netloc or parts.scheme not in schemes:
        raise HelpfulError(
            "DASHSCOPE_BASE_URL is no address that begins with https://, so the key would not be "
            f"safe; leave it unset for {_HOST}."
        )
    return address


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


class _Remote:
    """What both encoders share: the service makes their vectors as items are read."""

    def __init__(self, service: DashScope, model: str, dim: int) -> None:
        self.name, self.dim = model, dim
        self._service = service

    def _vector(self, content: dict[str, str]) -> np.ndarray:
        vector = self._service.embed(self.name, content)
        if len(vector) != self.dim:
            raise BadItem(f"the service sent {len(vector)} numbers instead of {self.dim}")
        return vector

    def embed(self, prepared: Sequence[np.ndarray]) -> np.ndarray:
        """Stack the vectors: (n, dim) float32."""
        return np.stack(prepared)


class DashScopeImages(_Remote, PictureEncoder):
    """Photos as vectors, computed by the service."""

    def prepare(self, item: Any) -> np.ndarray:
        """Send a picture, as a JPEG without its EXIF data, and get its vector."""
        return self._vector({"image": data_uri(item)})


class DashScopeTexts(_Remote, TextEncoder):
    """Sentences as vectors, computed by the service, which cuts long ones."""

    batch_size = 8

    def prepare(self, item: str) -> np.ndarray:
        """Send a text and get its vector."""
        return self._vector({"text": check_text(item)})


def load(name: str) -> tuple[DashScopeImages, DashScopeTexts]:
    """Build the pair; ``helpers.scenarios.multimodal.joint.load_joint`` calls this.

    One call is made, to see that the key is right and how long the vectors are.

    Raises:
        HelpfulError: no call can succeed: no key, a wrong one, no network.
    """
    model = name.partition(":")[2] or _EMBEDDER
    service = DashScope()
    try:
        dim = len(service.embed(model, {"text": "a photo"}))
    except BadItem as error:
        raise HelpfulError(f"DashScope's model {model} cannot be used: {error}.") from None
    return DashScopeImages(service, model, dim), DashScopeTexts(service, model, dim)
