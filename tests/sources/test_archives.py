import os
import stat
import struct
import time
import zipfile

import pytest

from gwsd.errors import DataError
from gwsd.sources import archives
from gwsd.sources.archives import check_members, unpacked


def make_zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def product(tmp_path):
    members = {
        "G3P_v1.12/readme.txt": b"text",
        "G3P_v1.12/GWSA/gwsa.nc": b"groundwater",
        "G3P_v1.12/TWS/tws.NC4": b"all water",
        "__MACOSX/G3P_v1.12/GWSA/._gwsa.nc": b"shadow",
    }
    return make_zip(tmp_path / "product.zip", members)


def test_files_come_with_their_folders_and_go_afterwards(product, tmp_path):
    with unpacked(product) as files:
        assert [file.read_bytes() for file in files] == [b"groundwater", b"all water"]
        assert files[0].parts[-3:] == ("G3P_v1.12", "GWSA", "gwsa.nc")
        assert files[0].is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == [product]
    with unpacked(product, wanted=lambda name: "/GWSA/" in name) as files:
        assert [file.name for file in files] == ["gwsa.nc"]
    with unpacked(product, suffixes=(".txt",)) as files:
        assert [file.name for file in files] == ["readme.txt"]


def test_a_folder_that_cannot_be_written_to_is_left_alone(product, tmp_path, monkeypatch):
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.setattr(archives.tempfile, "gettempdir", lambda: str(other))
    monkeypatch.setattr(archives.os, "access", lambda path, mode: False)
    with unpacked(product) as files:
        assert files[0].is_relative_to(other)


def test_an_error_in_a_member_names_the_archive(product):
    with pytest.raises(DataError) as caught, unpacked(product) as files:
        raise DataError(f"{files[0]}: it is odd")
    assert str(caught.value) == f"{product}: G3P_v1.12/GWSA/gwsa.nc: it is odd"


def test_an_archive_without_what_is_wanted_says_what_it_holds(tmp_path):
    path = make_zip(tmp_path / "photos.zip", {"a/one.jpg": b"x", "two.jpg": b"y"})
    with pytest.raises(DataError, match=r"photos\.zip: the zip holds no \.nc or \.nc4 .*holds a/one\.jpg, two\.jpg"):
        unpacked(path).__enter__()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("../evil.nc", "leads out"),
        ("a/../../evil.nc", "leads out"),
        ("a\\..\\..\\evil.nc", "leads out"),
        ("/etc/evil.nc", "absolute"),
        ("\\\\host\\evil.nc", "absolute"),
        ("C:\\evil.nc", "absolute"),
        ("c:evil.nc", "absolute"),
    ],
)
def test_members_that_leave_the_folder_are_refused(tmp_path, name, fault):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = make_zip(inner / "evil.zip", {"good.nc": b"x", name: b"y"})
    for attempt in (check_members, lambda given: unpacked(given).__enter__()):
        with pytest.raises(DataError, match=rf"evil\.zip: its member .*{fault}.*nothing was unpacked"):
            attempt(path)
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("link.nc")
    info.create_system, info.external_attr = 3, (kind | 0o644) << 16
    path = make_zip(tmp_path / "link.zip", {})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match=r"member 'link\.nc' is a link or a device"):
        check_members(path)


def test_a_member_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.nc", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.nc", b"two")
    with pytest.raises(DataError, match=r"'a\.nc' comes twice"):
        check_members(path)


def test_encrypted_members_are_refused(product):
    content = bytearray(product.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    product.write_bytes(content)
    with pytest.raises(DataError, match=r"readme\.txt' is encrypted"):
        check_members(product)


def test_a_zip_bomb_is_refused_by_its_ratio_and_by_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "HARMLESS_BYTES", 1_000_000)
    path = make_zip(tmp_path / "bomb.zip", {"a.nc": bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"bomb\.zip: the zip unpacks to 0\.005 GB, \d+ times its size"):
        check_members(path)
    path = make_zip(tmp_path / "large.zip", {"a.nc": os.urandom(40_000), "b.nc": os.urandom(40_000)})
    with pytest.raises(DataError, match=r"large\.zip.*unpacks to 8e-05 GB, more than .* raise downloads\.largest_gb"):
        check_members(path, largest_bytes=70_000)
    assert [member.filename for member in check_members(path, largest_bytes=80_000)] == ["a.nc", "b.nc"]


def test_a_bomb_that_declares_little_is_stopped_while_it_is_written(tmp_path):
    path = make_zip(tmp_path / "liar.zip", {"a.nc": bytes(5_000_000)}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature) + offset
        content[start : start + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"liar\.zip: the zip is truncated or damaged"):
        unpacked(path).__enter__()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_truncated_archives(product, share):
    whole = product.read_bytes()
    product.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"product\.zip: the zip is truncated or damaged.*download or copy it again"):
        check_members(product)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_flipped_bit_is_found_by_reading(tmp_path, compression):
    path = make_zip(tmp_path / "flipped.zip", {"a.nc": os.urandom(500)}, compression=compression)
    content = bytearray(path.read_bytes())
    content[60] ^= 8
    path.write_bytes(content)
    check_members(path)
    for attempt in (lambda given: check_members(given, contents=True), lambda given: unpacked(given).__enter__()):
        with pytest.raises(DataError, match=r"flipped\.zip: the zip is truncated or damaged"):
            attempt(path)


def test_a_disk_that_is_too_small_is_said_before_anything_is_written(product, monkeypatch):
    usage = archives.shutil.disk_usage(product.parent)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: usage._replace(free=10))
    with pytest.raises(DataError, match=r"product\.zip: unpacking it takes .* GB in .*, which has 1e-08 GB free"):
        unpacked(product).__enter__()


def test_what_a_killed_process_left_goes_after_a_day(product):
    old, new = product.with_name(".unpacked-old"), product.with_name(".unpacked-new")
    for folder in (old, new):
        folder.mkdir()
        (folder / "data.nc").write_bytes(b"x")
    os.utime(old, (time.time() - 2 * archives.LEFT_OVER_SECONDS,) * 2)
    with unpacked(product):
        assert not old.exists()
        assert new.exists()
