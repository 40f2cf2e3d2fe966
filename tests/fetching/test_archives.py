"""Archives made by hand to break out, to blow up or to be broken, against the real unpacker."""

import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from helpers.errors import HelpfulError
from helpers.fetching.archives import ArchiveError, safe_path, unpack

KINDS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:" + path.suffix.removeprefix(".").replace("tar", "")) as archive:
        for name, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


def make(path: Path, members: dict[str, bytes]) -> Path:
    return (make_zip if path.suffix == ".zip" else make_tar)(path, members)


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def refuse(archive: Path, **limits: int) -> str:
    """Unpack, expect a refusal that leaves nothing behind, and return its message."""
    room = archive.parent / "room"
    room.mkdir()
    before = set(archive.parent.rglob("*"))
    with pytest.raises(ArchiveError) as caught:
        unpack(archive, room / "out", **limits)
    assert set(archive.parent.rglob("*")) == before, "something was left behind"
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    assert archive.name in message
    return message


@pytest.mark.parametrize("kind", KINDS)
def test_unpacks_every_kind_and_leaves_out_what_is_hidden(tmp_path, kind):
    archive = make(
        tmp_path / f"photos.{kind}",
        {
            "cats/one.jpg": b"1" * 100_000,
            "./dogs/two.jpg": b"2",
            "empty.txt": b"",
            "__MACOSX/cats/._one.jpg": b"junk",
            ".DS_Store": b"junk",
            ".git/config": b"junk",
        },
    )
    out = unpack(archive, tmp_path / "deep" / "out")
    assert out == tmp_path / "deep" / "out"
    found = {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert found == {"cats/one.jpg": b"1" * 100_000, "dogs/two.jpg": b"2", "empty.txt": b""}
    assert list(out.parent.iterdir()) == [out], "temporary folders were left"


def test_the_name_of_the_archive_does_not_matter(tmp_path):
    archive = make_zip(tmp_path / "photos.zip", {"a.txt": b"a"}).rename(tmp_path / "photos.tar.gz")
    assert (unpack(archive, tmp_path / "out") / "a.txt").read_bytes() == b"a"


def test_backslashes_of_windows_are_folders(tmp_path):
    archive = make_zip(tmp_path / "windows.zip", {"cats\\one.jpg": b"1"})
    assert (unpack(archive, tmp_path / "out") / "cats" / "one.jpg").read_bytes() == b"1"


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", "C:/evil", "\\\\x\\y"]
)
def test_paths_that_lead_out_are_refused(tmp_path, kind, name):
    archive = make(tmp_path / f"evil.{kind}", {"good.jpg": b"good", name: b"evil"})
    assert "leads out" in refuse(archive)


@pytest.mark.parametrize("name", ["a/b.jpg", "./a.jpg", "a..b.jpg", "...", "photo 10:30.jpg"])
def test_ordinary_paths_are_kept(name):
    assert safe_path(name).name == name.rpartition("/")[2]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("deep", [[101], [1500], [400, 800, 1200]])
def test_folders_too_deep_to_be_removed_again_are_refused(tmp_path, kind, deep):
    archive = make(tmp_path / f"deep.{kind}", {"d/" * depth + "a.jpg": b"a" for depth in deep})
    assert "more than 100 folders" in refuse(archive)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_too_long_for_the_disk_is_refused(tmp_path, kind):
    archive = make(tmp_path / f"long.{kind}", {"a.jpg": b"a", "n" * 300: b"b"})
    assert "could not be unpacked" in refuse(archive)


def test_links_in_a_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    archive = tmp_path / "link.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(link, "/etc/passwd")
        opened.writestr("link/evil", "evil")
    assert "a link or a device" in refuse(archive)


@pytest.mark.parametrize(
    "member",
    [
        special("x", tarfile.SYMTYPE, "/etc"),
        special("x", tarfile.SYMTYPE, "good.jpg"),
        special("x", tarfile.LNKTYPE, "/etc/passwd"),
        special("x", tarfile.CHRTYPE),
        special("x", tarfile.BLKTYPE),
        special("x", tarfile.FIFOTYPE),
        special(".hidden", tarfile.SYMTYPE, "/etc"),
    ],
    ids=lambda member: f"{member.name}-{member.type.decode()}-{member.linkname}",
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, member):
    archive = make_tar(tmp_path / "evil.tar", {"good.jpg": b"good", "x": member})
    assert "a link or a device" in refuse(archive)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_stop_at_the_limit(tmp_path, kind):
    archive = make(tmp_path / f"bomb.{kind}", {"zeros": bytes(50_000_000)})
    assert archive.stat().st_size < 100_000
    assert "1,000,000 bytes" in refuse(archive, max_bytes=1_000_000)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_limit_holds_for_the_sum_and_is_exact(tmp_path, kind):
    archive = make(tmp_path / f"sum.{kind}", {f"{n}.bin": bytes(400) for n in range(3)})
    assert "1,199 bytes" in refuse(archive, max_bytes=1_199)
    assert unpack(archive, tmp_path / "fits", max_bytes=1_200).is_dir()


def test_a_zip_that_lies_about_a_size_writes_no_more_than_the_limit(tmp_path):
    archive = make_zip(tmp_path / "liar.zip", {"zeros": bytes(5_000_000)})
    real, lie = struct.pack("<L", 5_000_000), struct.pack("<L", 10)
    data = archive.read_bytes()
    assert data.count(real) == 2, "the size stands in the local and in the central header"
    archive.write_bytes(data.replace(real, lie))
    assert "damaged" in refuse(archive, max_bytes=1_000)


def test_a_tar_with_an_enormous_header_is_refused_before_it_fills_the_memory(tmp_path):
    header = special("x", tarfile.XHDTYPE)
    header.size = 100_000_000
    archive = tmp_path / "header.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as out:
        out.write(header.tobuf() + bytes(header.size))
    tracemalloc.start()
    refuse(archive)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_what_is_left_out_of_a_tar_cannot_keep_it_busy_for_ever(tmp_path):
    archive = make_tar(tmp_path / "hidden.tar.gz", {".zeros": bytes(10_000_000), "a.jpg": b"a"})
    assert "bytes allowed" in refuse(archive, max_bytes=1_000, max_files=10)
    assert unpack(archive, tmp_path / "fits", max_bytes=10_000_000).is_dir()


def test_a_negative_size_makes_no_room_for_more(tmp_path):
    less = tarfile.TarInfo("less.bin")
    less.pax_headers = {"size": "-500"}
    archive = make_tar(tmp_path / "negative.tar", {"x": less, "more.bin": bytes(1_200)})
    assert "1,000 bytes" in refuse(archive, max_bytes=1_000)


def test_a_sparse_file_writes_no_more_than_its_size(tmp_path):
    """GNU's old form: the header maps 1,000,000 bytes, and says that the file has 10."""
    header = bytearray(special("holes.bin", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = header[386 + 12 : 386 + 24] = b"%011o\0" % 1_000_000
    header[386 : 386 + 12], header[483 : 483 + 12] = b"%011o\0" % 0, b"%011o\0" % 10
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * ord(" "))
    archive = tmp_path / "sparse.tar"
    archive.write_bytes(header + bytes(1_000_448) + bytes(1024))
    out = unpack(archive, tmp_path / "out", max_bytes=1_000_000)
    assert (out / "holes.bin").stat().st_size == 10


def test_an_endless_chain_of_headers_is_refused(tmp_path):
    header = special("x", tarfile.XHDTYPE)
    archive = tmp_path / "chain.tar.gz"
    with gzip.open(archive, "wb") as out:
        out.write(header.tobuf() * 5_000)
    refuse(archive)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_too_many_files_are_refused(tmp_path, kind):
    archive = make(tmp_path / f"many.{kind}", {f"{n}.txt": b"" for n in range(11)})
    assert "more than 10 files" in refuse(archive, max_files=10)
    assert unpack(archive, tmp_path / "fits", max_files=11).is_dir()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_truncated_archives_are_refused(tmp_path, kind, part):
    noise = bytes(range(256)) * 400
    archive = make(tmp_path / f"cut.{kind}", {f"{n}.jpg": noise for n in range(4)})
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * part)])
    refuse(archive)


def test_a_tar_cut_between_two_files_is_refused(tmp_path):
    archive = make_tar(tmp_path / "cut.tar", {"a": b"a", "b": b"b"})
    archive.write_bytes(archive.read_bytes()[:1024])
    assert "damaged" in refuse(archive)


def test_damaged_bytes_are_noticed(tmp_path):
    archive = make_zip(tmp_path / "bad.zip", {"a.bin": bytes(range(256)) * 1000})
    data = bytearray(archive.read_bytes())
    data[100] ^= 0xFF
    archive.write_bytes(data)
    assert "damaged" in refuse(archive)


def test_a_damaged_header_in_mid_tar_is_not_taken_for_its_end(tmp_path):
    archive = make_tar(tmp_path / "bad.tar", {"a": b"a", "b": b"b"})
    data = bytearray(archive.read_bytes())
    data[1024:1030] = b"garbag"
    archive.write_bytes(data)
    assert "damaged" in refuse(archive)


@pytest.mark.parametrize("content", [b"", b"PK", b"hello, not an archive", b"\x1f\x8bgarbage"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    archive = tmp_path / "photo.zip"
    archive.write_bytes(content)
    refuse(archive)


def test_encrypted_zips_are_refused(tmp_path):
    archive = make_zip(tmp_path / "secret.zip", {"a.jpg": b"a"})
    data = bytearray(archive.read_bytes())
    data[6] |= 1  # the flags in the local header
    data[data.index(b"PK\1\2") + 8] |= 1  # and in the central one
    archive.write_bytes(data)
    assert "encrypted" in refuse(archive)


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("names", [("a", "./a"), ("a", "a/b"), ("a/b", "a")])
def test_two_members_in_one_place_are_refused(tmp_path, kind, names):
    archive = make(tmp_path / f"twice.{kind}", dict.fromkeys(names, b"x"))
    assert "twice" in refuse(archive)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_without_files_is_refused(tmp_path, kind):
    archive = make(tmp_path / f"empty.{kind}", {})
    assert "no files" in refuse(archive)


def test_nothing_is_written_over(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"a.txt": b"new"})
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="exists already"):
        unpack(archive, out)
    assert (out / "a.txt").read_text() == "mine"
    (out / "a.txt").unlink()
    assert (unpack(archive, out) / "a.txt").read_text() == "new", "an empty folder may be used"


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(HelpfulError, match=r"nowhere\.zip.*No such file"):
        unpack(tmp_path / "nowhere.zip", tmp_path / "out")
