import os
import zipfile
from io import BytesIO

import pytest

from gwsd.data.archives import list_members, unpacked
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
    with pytest.raises(DataError, match=r"no \.nc file of the expected kind; it contains G3P/GWSA/gwsa.nc"):
        unpacked(path, wanted=lambda name: "TWSA" in name).__enter__()


def test_members_outside_the_folder_are_unpacked_within_it_and_the_size_is_bounded(path, tmp_path):
    path.write_bytes(make_zip({"good.nc": b"x", "../../evil.nc": b"y", "/etc/evil2.nc": b"z"}))
    with unpacked(path) as files:
        assert all(file.resolve().is_relative_to(tmp_path) for file in files)
        assert [file.read_bytes() for file in files] == [b"x", b"y", b"z"]
    with pytest.raises(DataError, match=r"unpacks to 3e-09 GB, more than .* raise downloads\.max_file_gb"):
        list_members(path, max_bytes=2)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_damage_is_found(path, compression):
    content = bytearray(make_zip({"a.nc": os.urandom(500)}, compression))
    content[60] ^= 8
    path.write_bytes(content)
    for attempt in (lambda: list_members(path, contents=True), lambda: unpacked(path).__enter__()):
        with pytest.raises(
            DataError, match=r"product\.zip: the zip is truncated or damaged.*download or copy it again"
        ):
            attempt()
