import os
import stat
import struct
import zipfile
from io import BytesIO

import pytest

from gwsd.data import archives
from gwsd.data.archives import check_members, unpacked
from gwsd.errors import DataError


def make_zip(members, compression=zipfile.ZIP_STORED):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def path(tmp_path):
    members = {"G3P/readme.txt": b"text", "G3P/GWSA/gwsa.nc": b"groundwater", "G3P/tws.NC4": b"all water"}
    file = tmp_path / "product.zip"
    file.write_bytes(make_zip({**members, "__MACOSX/G3P/GWSA/._gwsa.nc": b"metadata of macOS"}))
    return file


def test_files_keep_their_folders_and_are_removed_afterwards(path, tmp_path):
    with unpacked(path) as files:
        assert [file.read_bytes() for file in files] == [b"groundwater", b"all water"]
        assert files[0].parts[-3:] == ("G3P", "GWSA", "gwsa.nc")
    assert list(tmp_path.iterdir()) == [path]
    with unpacked(path, wanted=lambda name: "/GWSA/" in name) as files:
        assert [file.name for file in files] == ["gwsa.nc"]


def test_errors_name_the_archive_and_the_member(path):
    with pytest.raises(DataError) as caught, unpacked(path) as files:
        raise DataError(f"{files[0]}: it is odd")
    assert str(caught.value) == f"{path}: G3P/GWSA/gwsa.nc: it is odd"
    with pytest.raises(DataError, match=r"no \.grib file of the expected kind; it contains G3P/GWSA/gwsa.nc"):
        unpacked(path, suffixes=(".grib",)).__enter__()


TRAVERSAL = ["../evil.nc", "a/../../evil.nc", "a\\..\\..\\evil.nc", "/etc/evil.nc", "\\\\host\\evil.nc", "c:evil.nc"]


@pytest.mark.parametrize("name", TRAVERSAL)
def test_path_traversal_is_refused(path, tmp_path, name):
    path.write_bytes(make_zip({"good.nc": b"x", name: b"y"}))
    with pytest.raises(
        DataError, match=r"its member .* (leaves the folder|has an absolute path).*nothing was unpacked"
    ):
        unpacked(path).__enter__()
    assert list(tmp_path.iterdir()) == [path]


def test_links_are_refused(path):
    info = zipfile.ZipInfo("link.nc")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o644) << 16
    path.write_bytes(make_zip({info: "/etc/passwd"}))
    with pytest.raises(DataError, match=r"member 'link\.nc' is a link or a device"):
        check_members(path)


def test_zip_bombs_are_refused_by_ratio_and_by_size(path, monkeypatch):
    monkeypatch.setattr(archives, "HARMLESS_BYTES", 1_000_000)
    path.write_bytes(make_zip({"a.nc": bytes(5_000_000)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(DataError, match=r"the zip unpacks to 0\.005 GB, \d+ times its size"):
        check_members(path)
    path.write_bytes(make_zip({"a.nc": os.urandom(80_000)}))
    with pytest.raises(DataError, match=r"unpacks to 8e-05 GB, more than .* raise downloads\.max_file_gb"):
        check_members(path, max_bytes=70_000)
    assert [member.filename for member in check_members(path, max_bytes=80_000)] == ["a.nc"]


def test_a_bomb_that_declares_a_small_size_writes_no_more_than_that(path, tmp_path):
    content = bytearray(make_zip({"a.nc": bytes(5_000_000)}, zipfile.ZIP_DEFLATED))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature) + offset
        content[start : start + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    with pytest.raises(DataError, match="the zip is truncated or damaged"):
        unpacked(path).__enter__()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_damage_is_found(path, compression):
    content = bytearray(make_zip({"a.nc": os.urandom(500)}, compression))
    content[60] ^= 8
    path.write_bytes(content)
    for attempt in (lambda: check_members(path, contents=True), lambda: unpacked(path).__enter__()):
        with pytest.raises(
            DataError, match=r"product\.zip: the zip is truncated or damaged.*download or copy it again"
        ):
            attempt()
