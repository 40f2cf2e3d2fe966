"""One collection on its way from one Milvus to another, for tools/move.py."""

import json
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pymilvus import CollectionSchema, DataType, MilvusClient

from helpers.connect import capabilities, engine_name
from helpers.engines.lite import LiteClient, quiet
from helpers.errors import HelpfulError
from helpers.paths import shown
from helpers.progress import progress_bar

IDS, ROWS = 10_000, 500  # a request: of ids, and of whole rows, whose texts may be long
SEARCHES, AT_ONCE, LIMIT = 100, 10, 10  # a few at once, for the memory of Milvus Lite
EXACT = ("FLAT", "BIN_FLAT", "IVF_FLAT")
ALIKE = 0.95  # the share of hits that two graphs, or two quantisers, have in common at least
UNCERTAIN = {"IVF_PQ", "SCANN", "HNSW_SQ", "ANNOY"}  # of these `capabilities` tells
_PACKED = (DataType.BINARY_VECTOR, DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR)
_STATE = {"field_name", "index_name", "state", "total_rows", "indexed_rows", "pending_index_rows"}


class Collection:
    """A collection where it is copied from.

    Attributes:
        key: the name of its primary key.
        made: of each field that the engine fills by itself, the name of the one it is made of.
        vectors: the names of the fields to search in.
        indexes: of each indexed field what ``add_index`` takes.
    """

    def __init__(self, client: MilvusClient, name: str) -> None:
        self.client, self.name = client, name
        self.described = client.describe_collection(name)
        self.fields = self.described["fields"]
        self.key = next(field["name"] for field in self.fields if field.get("is_primary"))
        functions = self.described.get("functions") or ()
        self.made = {f["output_field_names"][0]: f["input_field_names"][0] for f in functions}
        self.vectors = [f["name"] for f in self.fields if "VECTOR" in DataType(f["type"]).name]
        self.indexes = read_indexes(client, name)
        if bare := set(self.vectors) - set(self.indexes):
            raise HelpfulError(
                f"Field '{bare.pop()}' of {name} has no index, and without one no server loads a "
                "collection: build one and run this again."
            )
        client.load_collection(name)

    def schema(self) -> CollectionSchema:
        """Its schema, for rows that bring their keys along."""
        schema = CollectionSchema.construct_from_dict(self.described)
        schema.auto_id = schema.primary_field.auto_id = False
        return schema

    def lacks(self, target: MilvusClient) -> list[str]:
        """What it needs and the target has not."""
        can = capabilities(target)
        of = {kind: [f["name"] for f in self.fields if f["type"] == kind] for kind in DataType}
        words = [f["name"] for f in self.fields if "enable_analyzer" in f.get("params", {})]
        types = {index["index_type"] for index in self.indexes.values()}
        missing = {
            "full-text search": not can.full_text and words,
            "sparse vectors": not can.sparse_vectors and of[DataType.SPARSE_FLOAT_VECTOR],
            "binary vectors": not can.binary_vectors and of[DataType.BINARY_VECTOR],
            "second vector field": not can.multiple_vectors and self.vectors[1:],
            "index": sorted(types & UNCERTAIN - {*can.index_types}),
        }
        return [f"no {what} ({', '.join(whose)})" for what, whose in missing.items() if whose]

    def partitions(self) -> list[str]:
        """Its partitions; one without a name where the engine distributes the rows by itself."""
        by_key = any(field.get("is_partition_key") for field in self.fields)
        return [""] if by_key else self.client.list_partitions(self.name)

    def ids(self, partition: str) -> Iterator[list]:
        """The keys of a partition's rows, some thousands at a time."""
        where = {"partition_names": [partition]} if partition else {}
        with quiet():  # pymilvus warns that Milvus Lite has no time stamps.
            pages = self.client.query_iterator(self.name, IDS, output_fields=[self.key], **where)
            while page := pages.next():
                yield [row[self.key] for row in page]
            pages.close()

    def rows(self, ids: list) -> Iterator[list[dict]]:
        """The rows behind keys as they can be inserted, some hundreds at a time."""
        fields = [field["name"] for field in self.fields if field["name"] not in self.made]
        packed = [field["name"] for field in self.fields if field["type"] in _PACKED]
        fields = ["*"] if self.described.get("enable_dynamic_field") else fields
        for first in range(0, len(ids), ROWS):
            found = self.client.query(
                self.name, ids=ids[first : first + ROWS], output_fields=fields
            )
            rows = [{k: v for k, v in row.items() if k not in self.made} for row in found]
            for row in rows:
                row |= {name: row[name][0] for name in packed if isinstance(row[name], list)}
            yield rows


def move_collection(
    collection: Collection,
    target: MilvusClient,
    files: Path | None = None,
    stored_at: str | None = None,
) -> None:
    """Copy a collection and compare it with the copy; print what was done.

    Args:
        collection: what is copied.
        target: the Milvus it is copied to.
        files: the folder of ``write_files``, to have the server import it.
        stored_at: what the server calls that folder, if not by its name.

    Raises:
        HelpfulError: the target does not keep what it is given, or the copy differs.
    """
    create(collection, target)
    is_lite = isinstance(target, LiteClient)
    if is_lite:
        target.load_collection(collection.name)
    else:  # A server loads no collection without indexes.
        build_indexes(collection, target)
    if files:
        new = import_files(collection, target, files, stored_at or files.name)
    else:
        new = copy_rows(collection, target)
    if is_lite:  # It builds indexes of rows that are stored.
        build_indexes(collection, target)
    print(f"{collection.name}: {new:,} rows copied")
    compare(collection, target)


def count_rows(client: MilvusClient, name: str) -> int:
    """How many rows a collection has."""
    counts = client.query(name, output_fields=["count(*)"], consistency_level="Strong")
    return counts[0]["count(*)"]


def read_indexes(client: MilvusClient, collection: str) -> dict[str, dict]:
    """Of each indexed field what ``add_index`` takes, on Milvus Lite as on a server."""
    found = {}
    for name in client.list_indexes(collection):
        index = dict(client.describe_index(collection, name))
        named = {key: index.pop(key) for key in ("index_type", "metric_type") if key in index}
        own = index.get("params") or {k: v for k, v in index.items() if k not in _STATE}
        own = {key: int(value) if str(value).isdecimal() else value for key, value in own.items()}
        found[index["field_name"]] = named | {"params": own}
    return found


def create(collection: Collection, target: MilvusClient) -> None:
    """Create a collection with its partitions, or go on with the one that is there."""
    name, described = collection.name, collection.described
    if is_new := not target.has_collection(name):
        kept = {key: described[key] for key in ("num_shards", "consistency_level")}
        if described.get("properties"):
            kept["properties"] = described["properties"]
        target.create_collection(name, schema=collection.schema(), **kept)
    here, there = _shape(described), _shape(target.describe_collection(name))
    if here != there:
        fields = ", ".join(sorted({field for field, *_ in here ^ there}))
        if is_new:
            target.drop_collection(name)
        raise HelpfulError(
            f"{engine_name(target)} does not keep the fields {fields} of {name} as they are: use a "
            "newer one."
            if is_new
            else f"On {engine_name(target)} there is a {name} with other fields ({fields}): drop "
            "or rename it there and run this again."
        )
    for partition in filter(None, collection.partitions()):
        if not target.has_partition(name, partition):
            target.create_partition(name, partition)


def build_indexes(collection: Collection, target: MilvusClient) -> None:
    """Build the indexes that are missing, and load the collection."""
    wanted, there = target.prepare_index_params(), read_indexes(target, collection.name)
    for field, index in collection.indexes.items():
        if field not in there:
            wanted.add_index(field, **index)
    if len(wanted):
        target.create_index(collection.name, wanted)
    target.load_collection(collection.name)


def copy_rows(collection: Collection, target: MilvusClient) -> int:
    """Insert the rows that the target has not; tells how many those were."""
    name, key, new = collection.name, collection.key, 0
    strong = {"output_fields": [key], "consistency_level": "Strong"}
    with progress_bar(count_rows(collection.client, name), name, "row") as bar:
        for partition in collection.partitions():
            where = {"partition_name": partition} if partition else {}
            for ids in collection.ids(partition):
                found = {row[key] for row in target.query(name, ids=ids, **strong)}
                missing = [one for one in ids if one not in found]
                bar.update(len(found))
                for rows in collection.rows(missing):
                    target.insert(name, rows, **where)
                    bar.update(len(rows))
                new += len(missing)
    target.flush(name)
    return new


def write_files(collection: Collection, folder: Path) -> None:
    """Write all rows as Parquet files into a folder of the collection's name, with their list."""
    try:
        from pymilvus.bulk_writer import LocalBulkWriter
    except ModuleNotFoundError:
        raise HelpfulError(
            "Files take more of pymilvus than is installed: pip install 'pymilvus[bulk_writer]', "
            "or leave --files out."
        ) from None
    logging.getLogger("pymilvus.bulk_writer").setLevel(logging.WARNING)
    part, files = folder / collection.name, {}
    if (part / "files.json").exists():
        return
    shutil.rmtree(part, ignore_errors=True)
    with progress_bar(count_rows(collection.client, part.name), part.name, "row") as bar:
        for partition in collection.partitions():
            (part / partition).mkdir(parents=True, exist_ok=True)
            where = str(part / partition)
            with LocalBulkWriter(collection.schema(), where) as writer:
                for ids in collection.ids(partition):
                    for row in (row for rows in collection.rows(ids) for row in rows):
                        writer.append_row(row)
                    bar.update(len(ids))
                writer.commit()
                written = [file for group in writer.batch_files for file in group]
            files[partition] = [Path(file).relative_to(folder).as_posix() for file in written]
    (part / "files.json").write_text(json.dumps(files), encoding="utf-8")


def import_files(collection: Collection, target: MilvusClient, folder: Path, there: str) -> int:
    """Have the server read the files of ``write_files``; tells how many rows it had not."""
    name = collection.name
    if count_rows(target, name):  # An import would store them twice.
        return copy_rows(collection, target)
    listed = folder / name / "files.json"
    if not listed.exists():
        raise HelpfulError(
            f"{shown(folder)} has no files of {name}: write them without --to first."
        )
    server = target._get_connection()  # MilvusClient itself has no call for it.
    total = count_rows(collection.client, name)
    with progress_bar(total, name, "row") as bar:
        for partition, files in json.loads(listed.read_text(encoding="utf-8")).items():
            for file in files:
                task = server.do_bulk_insert(name, partition, [f"{there}/{file}"])
                while (state := server.get_bulk_insert_state(task)).state_name != "Completed":
                    if "Failed" in state.state_name:
                        raise HelpfulError(
                            f"The server could not import {file} ({state.failed_reason}): look "
                            "whether it lies where --stored-at says."
                        )
                    time.sleep(1)
                bar.update(state.row_count)
    target.flush(name)
    target.refresh_load(name)
    return total


def compare(collection: Collection, target: MilvusClient) -> None:
    """Count the rows of both and compare searches for some of them; print what was found.

    Raises:
        HelpfulError: they differ.
    """
    name, ends = collection.name, (collection.client, target)
    total, there = (count_rows(client, name) for client in ends)
    if total != there:
        raise HelpfulError(
            f"{name} has {total:,} rows here and {there:,} at the target: drop it there and run "
            "this again."
        )
    ids = [one for p in collection.partitions() for page in collection.ids(p) for one in page]
    some = ids[:: max(1, total // SEARCHES)][:SEARCHES]
    queries = [row for rows in collection.rows(some) for row in rows]
    for field in collection.vectors if queries else ():
        index = collection.indexes[field]
        effort = {"HNSW": {"ef": 512}, "IVF_": {"nprobe": index["params"].get("nlist", 1)}}
        how = {
            **{"anns_field": field, "limit": LIMIT, "consistency_level": "Strong"},
            "search_params": {"params": effort.get(index["index_type"][:4], {})},
        }
        asked = [row[collection.made.get(field, field)] for row in queries]
        shares = []
        for first in range(0, len(asked), AT_ONCE):
            some = asked[first : first + AT_ONCE]
            found = (client.search(name, some, **how) for client in ends)
            shares += [_common(*pair) for pair in zip(*found, strict=True)]
        print(f"{name}: {len(shares)} searches of {field}, {np.mean(shares):.4f} of hits the same")
        least = 1 if index["index_type"] in EXACT else ALIKE
        # Engines split words each in its own way.
        if np.mean(shares) < least and field not in collection.made:
            raise HelpfulError(
                f"Searches of {field} in {name} find other rows there: drop it there and run this "
                "again."
            )


def _shape(described: dict) -> set[tuple]:
    """What has to be the same of a collection's fields."""
    sizes = ("dim", "max_length", "max_capacity")
    return {
        (
            *(field["name"], field["type"], field.get("element_type") or None),
            *(str(field.get("params", {}).get(size)) for size in sizes),
            *(bool(field.get(what)) for what in ("is_primary", "is_partition_key", "nullable")),
        )
        for field in described["fields"]
    }


def _common(here: list, there: list) -> float:
    """The share of hits that are there, too, or are as near as the last one there."""
    ids, last = {hit.id for hit in there}, there[-1]["distance"] if there else np.nan
    same = [hit.id in ids or np.isclose(hit["distance"], last, 1e-4, 1e-5) for hit in here]
    return float(np.mean(same)) if same else float(not there)
