"""How fast images become rows in Milvus and Redis, against the way tutorials usually write it.

Everything is measured in one run on the 720 photos, several rounds taken in turn, medians
compared: machines differ and are noisy, ratios hold. Run it on an otherwise idle machine:
``make bench``.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import helpers  # noqa: F401  says how OpenMP's threads wait, before torch loads it

# isort: split
import numpy as np
import torch
from PIL import Image
from pymilvus import DataType
from safetensors.torch import load_file

from helpers.assets import fetch
from helpers.connect import connect_milvus, connect_redis, remove_store
from helpers.encoders import load_encoder
from helpers.encoders.torchvision_compat import torchvision
from helpers.ingest import content_id, encode_batches
from helpers.metadata import delete_metadata, save_metadata
from helpers.photos import load_photos

CLASSIC_BATCH = 128  # as in the image search tutorials of PyTorch with Milvus
NAME = "benchmark_images"


class ClassicPhotos(torch.utils.data.Dataset):
    """Photos as a tutorial's Dataset reads them: open, resize, crop, normalise."""

    def __init__(self, paths: list) -> None:
        transforms = torchvision.transforms
        self.paths = paths
        self.transform = transforms.Compose(
            [
                transforms.Resize(256),
                transforms.CenterCrop(224),
                transforms.ToTensor(),
                transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


def classic_model() -> torch.nn.Module:
    """ResNet-18 without its last layer, as torchvision builds it."""
    model = torchvision.models.resnet18()
    model.load_state_dict(load_file(fetch("resnet18")))
    model.fc = torch.nn.Identity()
    return model.eval()


@torch.no_grad()
def classic_encode(model: torch.nn.Module, pixels: torch.Tensor, batch: int) -> np.ndarray:
    """The network alone over ready float tensors, (n, 3, 224, 224) to (n, 512)."""
    return torch.cat([model(part) for part in pixels.split(batch)]).numpy()


def create(milvus) -> None:
    """An empty collection, as both loops fill it."""
    milvus.drop_collection(NAME)
    schema = milvus.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=512)
    milvus.create_collection(NAME, schema=schema)


@torch.no_grad()
def classic_ingest(model: torch.nn.Module, paths: list, milvus, redis) -> None:
    """DataLoader without workers, one insert a batch, one Redis SET an id."""
    loader = torch.utils.data.DataLoader(ClassicPhotos(paths), batch_size=CLASSIC_BATCH)
    done = 0
    for pixels in loader:
        vectors = torch.nn.functional.normalize(model(pixels)).tolist()
        names = [str(path) for path in paths[done : done + len(vectors)]]
        ids = [content_id(name) for name in names]
        milvus.insert(NAME, [{"id": i, "vector": v} for i, v in zip(ids, vectors, strict=True)])
        for id_, name in zip(ids, names, strict=True):
            redis.set(f"{NAME}:{id_}", json.dumps({"path": name}))
        done += len(vectors)
    milvus.flush(NAME)


def our_ingest(encoder, paths: list, milvus, redis) -> None:
    """The loop of ``01_image_search``."""
    for ids, items, vectors in encode_batches(paths, encoder, unit="photo"):
        save_metadata(redis, NAME, ids, [{"path": str(path)} for path in items])
        rows = [{"id": i, "vector": v} for i, v in zip(ids, vectors, strict=True)]
        milvus.upsert(NAME, rows)
    milvus.flush(NAME)


def rate(call: Callable[[], object], count: int) -> float:
    """Photos a second of one call."""
    started = time.perf_counter()
    call()
    return count / (time.perf_counter() - started)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds

    paths = list(load_photos())
    classic, encoder = classic_model(), load_encoder("resnet18")
    pixels = torch.stack(list(ClassicPhotos(paths)))
    prepared = [encoder.prepare(path) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BOOTCAMP_STORES"] = folder
        milvus, redis = connect_milvus(NAME), connect_redis(NAME)
        steps = {
            "classic encode": lambda: classic_encode(classic, pixels, CLASSIC_BATCH),
            "classic encode, batch 8": lambda: classic_encode(classic, pixels, 8),
            "our encode": lambda: encoder.encode_prepared(prepared),
            "classic ingest": lambda: classic_ingest(classic, paths, milvus, redis),
            "our ingest": lambda: our_ingest(encoder, paths, milvus, redis),
        }
        rates: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                create(milvus)
                rates[name].append(rate(step, len(paths)))
        milvus.drop_collection(NAME)
        delete_metadata(redis, NAME)
        remove_store(NAME)

    middle = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        spread = f"{min(values):.0f} to {max(values):.0f}"
        print(f"{name:24s} {middle[name]:6.1f} photos/s  ({spread})")
    ours = encoder.encode_prepared(prepared)
    theirs = classic_encode(classic, pixels, 8)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    print(f"{torch.get_num_threads()} threads, {rounds} rounds, {len(paths)} photos")
    for first, second in [
        ("our encode", "classic encode"),
        ("our encode", "classic encode, batch 8"),
        ("our ingest", "our encode"),
        ("our ingest", "classic ingest"),
    ]:
        print(f"{first} / {second}: {middle[first] / middle[second]:.2f}")
    print(f"cosine between the two encoders' vectors: at least {(ours * theirs).sum(1).min():.6f}")


if __name__ == "__main__":
    main()
