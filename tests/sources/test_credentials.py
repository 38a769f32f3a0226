"""Where the key of the Climate Data Store is found, and that it never shows."""

import json
import logging
import pickle
import traceback
from dataclasses import asdict
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.sources.credentials import Credentials, Key, find_credentials

SECRET = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def write(home: Path, name: str, text: str) -> Path:
    (home / name).write_text(text)
    return home / name


def refused(environ: dict[str, str], home: Path) -> str:
    with pytest.raises(DataError) as caught:
        find_credentials(environ, home)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_the_new_client_s_file(tmp_path: Path) -> None:
    file = write(tmp_path, ".ecmwfdatastoresrc", f"url: https://example.org/api/\nkey: {SECRET}\n")
    found = find_credentials({}, tmp_path)
    assert (found.url, found.key.reveal(), found.file) == ("https://example.org/api", SECRET, file)
    assert found.origin == str(file)


def test_cdsapi_s_file_with_what_else_people_write_there(tmp_path: Path) -> None:
    write(
        tmp_path, ".cdsapirc", f"# my key:\nurl: https://cds.climate.copernicus.eu/api\n\nkey: '{SECRET}'\nverify: 1\n"
    )
    found = find_credentials({}, tmp_path)
    assert (found.url, found.key.reveal()) == ("https://cds.climate.copernicus.eu/api", SECRET)


def test_a_key_alone_is_of_the_climate_data_store(tmp_path: Path) -> None:
    assert find_credentials({"CDSAPI_KEY": SECRET}, tmp_path).url == "https://cds.climate.copernicus.eu/api"


def test_variables_go_before_files_and_the_new_client_before_cdsapi(tmp_path: Path) -> None:
    write(tmp_path, ".ecmwfdatastoresrc", "url: https://one.org\nkey: one\n")
    write(tmp_path, ".cdsapirc", "url: https://two.org\nkey: two\n")
    environ = {"CDSAPI_KEY": "three", "CDSAPI_URL": "https://three.org"}
    assert find_credentials(environ, tmp_path).key.reveal() == "one"
    found = find_credentials({**environ, "ECMWF_DATASTORES_KEY": "four"}, tmp_path)
    assert (found.key.reveal(), found.url) == ("four", "https://one.org")
    assert found.origin == "the environment variable ECMWF_DATASTORES_KEY"
    assert found.file is None
    (tmp_path / ".ecmwfdatastoresrc").unlink()
    assert find_credentials(environ, tmp_path).url == "https://three.org"
    assert find_credentials({}, tmp_path).key.reveal() == "two"


def test_files_elsewhere_are_found_as_the_clients_do(tmp_path: Path) -> None:
    elsewhere = write(tmp_path, "keys.txt", f"url: https://one.org\nkey: {SECRET}\n")
    assert find_credentials({"ECMWF_DATASTORES_RC_FILE": str(elsewhere)}, tmp_path).file == elsewhere
    assert find_credentials({"CDSAPI_RC": "~/keys.txt"}, tmp_path).file == elsewhere


def test_no_key_tells_where_it_was_looked_for_and_what_to_write(tmp_path: Path) -> None:
    write(tmp_path, ".cdsapirc", "url: https://cds.climate.copernicus.eu/api\n")
    message = refused({"ECMWF_DATASTORES_KEY": ""}, tmp_path)
    assert "https://cds.climate.copernicus.eu/how-to-api" in message
    assert f"ECMWF_DATASTORES_KEY, {tmp_path}/.ecmwfdatastoresrc (no such file)" in message
    assert f"CDSAPI_KEY, {tmp_path}/.cdsapirc (it has no line key:)" in message
    assert "'url: https://cds.climate.copernicus.eu/api' and 'key: YOUR-TOKEN'" in message


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (f"12345:{SECRET}", "the form uid:key of the Climate Data Store that was retired.*new personal access token"),
        (f"{SECRET} {SECRET}", "holds a blank or a character that no key has"),
        (f"{SECRET}ü", "holds a blank or a character that no key has"),
        ("<PERSONAL-ACCESS-TOKEN>", "still is the placeholder"),
        ("YOUR-TOKEN", "still is the placeholder"),
    ],
)
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(tmp_path: Path, key: str, words: str) -> None:
    file = write(tmp_path, ".cdsapirc", f"url: https://cds.climate.copernicus.eu/api\nkey: {key}\n")
    with pytest.raises(DataError, match=words):
        find_credentials({}, tmp_path)
    assert refused({}, tmp_path).startswith(str(file))
    assert refused({"CDSAPI_KEY": key}, tmp_path).startswith("the environment variable CDSAPI_KEY: ")


@pytest.mark.parametrize(
    "url", ["https://cds.climate.copernicus.eu/api/v2", "https://cds-beta.climate.copernicus.eu/api", "cds"]
)
def test_an_address_of_the_retired_store_is_refused(tmp_path: Path, url: str) -> None:
    write(tmp_path, ".cdsapirc", f"url: {url}\nkey: {SECRET}\n")
    message = refused({}, tmp_path)
    assert f"{url} is no address of today's Climate Data Store" in message
    assert "Expected https://cds.climate.copernicus.eu/api" in message


def test_others_that_can_read_the_file_are_noticed(tmp_path: Path) -> None:
    file = write(tmp_path, ".cdsapirc", f"key: {SECRET}\n")
    file.chmod(0o640)
    assert find_credentials({}, tmp_path).readable_by_others
    file.chmod(0o600)
    assert not find_credentials({}, tmp_path).readable_by_others
    assert not find_credentials({"CDSAPI_KEY": SECRET}, tmp_path).readable_by_others


def test_the_key_never_shows(caplog: pytest.LogCaptureFixture) -> None:
    credentials = Credentials("https://one.org", Key(SECRET), "here")
    logging.getLogger("gwsd").warning("%s %r", credentials, credentials.key)
    ways = [
        repr(credentials),
        str(credentials.key),
        f"{credentials.key}",
        json.dumps(asdict(credentials), default=str),
        credentials.key.hide(f"PRIVATE-TOKEN: {SECRET}"),
        caplog.text,
    ]
    for text in ways:
        assert SECRET not in text
        assert "(key)" in text
    assert pickle.loads(pickle.dumps(credentials)).key.reveal() == SECRET
