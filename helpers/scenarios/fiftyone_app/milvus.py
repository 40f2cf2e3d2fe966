"""How FiftyOne's Milvus back end and this project's Milvus come together."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers.errors import ServiceError
from helpers.paths import shown, store_folder


def milvus_settings(name: str) -> dict[str, str]:
    """How FiftyOne's own connections, in this process or another, reach the notebook's Milvus.

    Args:
        name: what the notebook gave to ``connect_milvus``, which has to come first.

    Returns:
        ``uri`` and, with ``MILVUS_TOKEN`` set, ``token``: arguments of
        ``compute_similarity(backend="milvus", ...)`` and ``load_brain_results``. For Milvus Lite
        the ``uri`` is the address at which this process serves its store on this computer, as long
        as it lives; a second process could not open the store itself.

    Raises:
        ServiceError: Milvus Lite could not serve the store.
    """
    uri, token = os.environ.get("MILVUS_URI", ""), os.environ.get("MILVUS_TOKEN", "")
    if "://" in uri:
        return {"uri": uri, "token": token} if token else {"uri": uri}
    from milvus_lite.server_manager import server_manager_instance

    store = Path(uri).expanduser().absolute() if uri else store_folder(name) / "milvus.db"
    address = server_manager_instance.start_and_get_uri(str(store))
    if address is None:
        raise ServiceError(f"Milvus Lite does not serve {shown(store)}: run connect_milvus first.")
    return {"uri": address}


def suit_milvus() -> None:
    """Make FiftyOne's connections fit; ``prepare_fiftyone`` does it, before Milvus Lite is opened.

    Its back end uses a part of pymilvus that will go, and a warning says so at each call. A reader
    of the notebook cannot help that, so those calls, and no others, are silenced.
    """
    warnings.filterwarnings(
        "ignore", message=".*ORM-style", module=r"fiftyone\.brain\.internal\.core\.milvus"
    )
    _bear_pings()


def _bear_pings() -> None:
    """Let Milvus Lite, where it is not open yet, bear clients that keep asking whether it is there.

    FiftyOne's connections do so every ten seconds. Milvus Lite would close them after the third
    time ("too many pings"), and the next call that opens a connection would fail with that. Our own
    client does not ask (helpers/engines/lite_store.py), but FiftyOne's cannot be told not to.
    """
    import grpc
    from milvus_lite.adapter.grpc import server
    from pymilvus.grpc_gen import milvus_pb2_grpc

    def build(database: server.MilvusLite, workers: int) -> grpc.Server:
        options = {
            "grpc.max_receive_message_length": -1,
            "grpc.max_send_message_length": -1,
            "grpc.http2.max_ping_strikes": 0,  # 0 stands for any number
        }
        built = grpc.server(ThreadPoolExecutor(workers), options=list(options.items()))
        milvus_pb2_grpc.add_MilvusServiceServicer_to_server(server.MilvusServicer(database), built)
        return built

    server._build_server = build
