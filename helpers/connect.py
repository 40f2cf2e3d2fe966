"""Milvus and Redis for the notebooks: embedded by default, a server by environment variable.

==================  ===============================================================
``MILVUS_URI``      a Milvus server, as in ``http://localhost:19530``, or the path
                    of a Milvus Lite store, which ends in ``.db``
``MILVUS_TOKEN``    its token, or ``user:password``
``REDIS_URL``       a Redis server, as in ``redis://:password@localhost:6379/0``
``BOOTCAMP_STORES`` where embedded data is kept, instead of ``.stores`` here
==================  ===============================================================

On a server all notebooks share one Milvus and one Redis; the names of their collections and the
prefixes of their keys keep them apart.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from helpers.engines import keeper
from helpers.errors import ServiceError
from helpers.paths import shown, store_folder

if TYPE_CHECKING:
    import redis
    from pymilvus import MilvusClient

    from helpers.engines.capabilities import Capabilities

CONNECT_SECONDS = 5
LITE = "milvus.db"  # in a store's folder
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"}


def connect_milvus(name: str) -> MilvusClient:
    """Connect to Milvus and print one line that says to which.

    Args:
        name: the notebook's name for its embedded store, as in ``"image_search"``. With
            ``MILVUS_URI`` set it is not used.

    Returns:
        For a server ``pymilvus.MilvusClient`` itself. For an embedded store a
        ``helpers.engines.lite.LiteClient``, which is one and refuses what a server would.
        Collections that were there before have to be loaded: ``client.load_collection(...)``.

    Raises:
        ServiceError: the server does not answer, refuses the token or has a certificate that is
            not trusted, or the embedded store is damaged or not writable. Nothing was changed.
    """
    uri = os.environ.get("MILVUS_URI", "")
    if "://" in uri or uri.startswith("unix:") or (uri and not uri.endswith(".db")):
        client = _connect_milvus_server(uri, os.environ.get("MILVUS_TOKEN", ""))
        print(f"{engine_name(client)} at {_address(uri, 19530)}")
        return client
    store = lite_store(name)
    client = _open_lite(store)
    print(f"{engine_name(client)}, embedded, in {shown(store if uri else store.parent)}")
    return client


def quoted(text: str) -> str:
    """A text as it stands in a Milvus filter: ``f"outlet == {quoted(name)}"``.

    Without it, a name with a quotation mark in it changes the filter, and a reader's own names
    could ask for any row.

    Args:
        text: anything, such as a name or the name of a file.
    """
    # Milvus Lite and the server agree on these escapes and take all other characters as they are.
    return '"' + text.translate(str.maketrans(_ESCAPES)) + '"'


def connect_redis(name: str) -> redis.Redis:
    """Connect to Redis and print one line that says to which.

    Args:
        name: the notebook's name for its embedded store, as in ``"image_search"``. With
            ``REDIS_URL`` set it is not used.

    Returns:
        A client that gives strings, not bytes.

    Raises:
        ServiceError: the server does not answer or refuses the password, or there is no
            redis-server to embed, or its data is damaged. Nothing was changed.
    """
    url = os.environ.get("REDIS_URL", "")
    if url:
        client = _connect_redis_server(url)
        where = f"at {_address(url, 6379)}"
    else:
        from helpers.engines.redis_server import find_redis_server

        folder, program = store_folder(name), find_redis_server()
        place = keeper.ask(folder / LITE, f"redis {program}")
        where = f"embedded, in {shown(folder)}"
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # A server next door is there at once or not at all.
        retry = Retry(NoBackoff(), 1)
        client = redis.Redis(unix_socket_path=place, decode_responses=True, retry=retry)
    version = client.info("server")["redis_version"]
    print(f"Redis {version}{' ' if url else ', '}{where}")
    return client


def remove_store(name: str) -> None:
    """Delete the embedded data of a notebook, and never anything on a server.

    Args:
        name: what the notebook gave to ``connect_milvus`` and ``connect_redis``.

    Raises:
        ServiceError: another process uses the data. Nothing was deleted.
    """
    folder = store_folder(name)
    if not folder.exists():
        print(f"Nothing to remove: there is no {shown(folder)}")
        return
    if not keeper.remove(folder / LITE):
        raise ServiceError(
            f"{shown(folder)} is in use by another process and was left as it is: shut down the "
            "other kernel of this notebook and run this cell again."
        )
    print(f"Removed {shown(folder)}")


def lite_store(name: str) -> Path:
    """The folder of Milvus Lite for a notebook: the one that ``MILVUS_URI`` names, or its own."""
    uri = os.environ.get("MILVUS_URI", "")
    return Path(uri).expanduser().absolute() if uri else store_folder(name) / LITE


def engine_name(client: MilvusClient) -> str:
    """Say which Milvus a client talks to: ``"Milvus Lite 3.2.2"``, ``"Milvus 2.6.1"``."""
    version = client.get_server_version()
    if version.startswith("milvus_lite-"):
        return f"Milvus Lite {version.removeprefix('milvus_lite-')}"
    return f"Milvus {version.removeprefix('v')}"


def capabilities(client: MilvusClient) -> Capabilities:
    """Find out what an engine can do, by trying it once; see ``helpers.engines.capabilities``."""
    from helpers.engines.capabilities import find_capabilities

    return find_capabilities(client)


def _open_lite(store: Path) -> MilvusClient:
    with ThreadPoolExecutor(1) as meanwhile:
        asked = meanwhile.submit(keeper.ask, store, "milvus") if keeper.POSSIBLE else None
        with _pymilvus():
            from helpers.engines.lite import LiteClient
            from helpers.engines.lite_store import open_here
        if asked is None:
            return open_here(store)
        return LiteClient(store, f"unix:{asked.result()}", timeout=CONNECT_SECONDS)


def _connect_milvus_server(uri: str, token: str) -> MilvusClient:
    if not _address(uri, 19530) or urlsplit(uri).scheme not in ("http", "https", "tcp", "unix"):
        raise ServiceError(
            "MILVUS_URI is not the address of a Milvus: write it as in http://localhost:19530, or "
            "give the path of a Milvus Lite store that ends in .db."
        )
    with _pymilvus():
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        from helpers.engines.lite import quiet
    try:
        with quiet():
            client = MilvusClient(uri, token=token, timeout=CONNECT_SECONDS, **_authority())
            client.list_collections(timeout=CONNECT_SECONDS)  # Shows a database that is not there.
    except MilvusException as error:
        fault = _tls_fault(uri)
        raise ServiceError(fault or _explain_milvus(_address(uri, 19530), token, error)) from None
    return client


def _authority() -> dict[str, str]:
    """What pymilvus is told of the authority whose certificates it should trust."""
    if not os.environ.get("MILVUS_CA"):
        return {}
    file = Path(os.environ["MILVUS_CA"]).expanduser().absolute()
    if not file.is_file():
        raise ServiceError(
            f"MILVUS_CA names no file ({shown(file)}): give the path of the certificate of the "
            "authority that signed Milvus' certificate, or unset it."
        )
    return {"server_pem_path": str(file)}


def _tls_fault(uri: str) -> str | None:
    """Say what is wrong with an encrypted connection; pymilvus says only that there is none."""
    parts, address = urlsplit(uri), _address(uri, 19530)
    if parts.scheme != "https":
        return None
    try:
        context = ssl.create_default_context(cafile=_authority().get("server_pem_path"))
        there = (parts.hostname or "localhost", parts.port or 19530)
        with socket.create_connection(there, CONNECT_SECONDS) as connection:
            context.wrap_socket(connection, server_hostname=there[0]).close()
    except ssl.SSLCertVerificationError as error:
        return (
            f"The certificate of Milvus at {address} is not trusted ({error.verify_message}): set "
            "MILVUS_CA to the file of the authority that signed it, and use a name that stands in "
            "it."
        )
    except ssl.SSLError as error:
        return (
            f"Milvus at {address} speaks no TLS, or MILVUS_CA is no certificate ({error.reason}): "
            "write http instead of https in MILVUS_URI, or mend MILVUS_CA."
        )
    except OSError:
        return None  # nobody answers, which is said elsewhere
    return None


@contextlib.contextmanager
def _pymilvus() -> Iterator[None]:
    """Import pymilvus where ``MILVUS_URI`` is nothing that it could read: a path or a socket.

    It reads the variable when it is imported, for connections that nobody here opens.
    """
    uri = os.environ.pop("MILVUS_URI", None)
    try:
        yield
    finally:
        if uri is not None:
            os.environ["MILVUS_URI"] = uri


def _explain_milvus(address: str, token: str, error: Exception) -> str:
    # pymilvus calls every failure to connect the same; gRPC's own error, its cause, tells more.
    cause = error.__cause__
    code = cause.code().name if hasattr(cause, "code") and callable(cause.code) else ""
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        what = "does not accept MILVUS_TOKEN" if token else "wants a token"
        return (
            f"Milvus at {address} {what}: set MILVUS_TOKEN to 'user:password' of a user it knows."
        )
    if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNIMPLEMENTED"):
        return (
            f"No Milvus answers at {address}: start it, correct MILVUS_URI, or unset MILVUS_URI to "
            "use the embedded Milvus Lite."
        )
    message = getattr(error, "message", str(error)).rstrip(".")
    return f"Milvus at {address} refuses ({message}): correct MILVUS_URI or MILVUS_TOKEN."


def _connect_redis_server(url: str) -> redis.Redis:
    import redis
    from redis.backoff import ExponentialBackoff
    from redis.retry import Retry

    address = _address(url, 6379)
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(ExponentialBackoff(), 1),
        )
        client.ping()
    except (ValueError, TypeError):  # The second for a parameter that there is not.
        raise ServiceError(
            "REDIS_URL is not the address of a Redis: write it as in "
            "redis://:password@localhost:6379/0."
        ) from None
    except redis.AuthenticationError:
        raise ServiceError(
            f"Redis at {address} wants another password than it was given: write the right one in "
            "REDIS_URL, as in redis://:password@localhost:6379/0."
        ) from None
    except (redis.ConnectionError, redis.TimeoutError, redis.InvalidResponse) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ServiceError(
                f"The certificate of Redis at {address} is not trusted: name the file of the "
                "authority that signed it in REDIS_URL, as in "
                "rediss://:password@localhost:6379/0?ssl_ca_certs=authority.pem, and use a name "
                "that stands in it."
            ) from None
        raise ServiceError(
            f"No Redis answers at {address}: start it, correct REDIS_URL, or unset REDIS_URL to "
            "use the embedded Redis."
        ) from None
    except redis.RedisError as error:
        raise ServiceError(f"Redis at {address} refuses ({error}): correct REDIS_URL.") from None
    return client


def _address(url: str, port: int) -> str:
    """Write an address without user, password and path; empty if host or port cannot be one."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return "a Unix socket"
        host = parts.hostname or "localhost"
        return f"{f'[{host}]' if ':' in host else host}:{parts.port or port}"
    return ""
