import traceback

import pytest

from gwsd.data.credentials import CDS_URL, find_credentials
from gwsd.errors import DataError

SECRET = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("URL", "KEY", "RC_FILE", "RC"):
        monkeypatch.delenv(f"ECMWF_DATASTORES_{name}", raising=False)
        monkeypatch.delenv(f"CDSAPI_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", [".ecmwfdatastoresrc", ".cdsapirc"])
def test_the_files_of_both_clients_are_read_and_the_key_is_not_printed(home, name):
    (home / name).write_text(f"# my key:\nurl: https://example.org/api/\n\nkey: '{SECRET}'\nverify: 1\n")
    found = find_credentials()
    assert (found.url, found.key.get_secret_value()) == ("https://example.org/api", SECRET)
    assert found.origin == str(home / name)
    assert SECRET not in repr(found) + str(found.key) + found.redact(f"token {SECRET}")


def test_variables_precede_files_and_the_new_client_precedes_cdsapi(home, monkeypatch):
    (home / ".cdsapirc").write_text("url: https://two.org\nkey: two\n")
    assert find_credentials().url == "https://two.org"
    monkeypatch.setenv("CDSAPI_KEY", "three")
    assert find_credentials().key.get_secret_value() == "three"
    (home / "elsewhere").write_text("key: one\n")
    monkeypatch.setenv("ECMWF_DATASTORES_RC_FILE", "~/elsewhere")
    assert (find_credentials().key.get_secret_value(), find_credentials().url) == ("one", CDS_URL)
    monkeypatch.setenv("ECMWF_DATASTORES_KEY", "four")
    assert find_credentials().origin == "the environment variable ECMWF_DATASTORES_KEY"


def test_without_a_key_the_message_says_where_it_was_searched_and_what_to_write(home):
    (home / ".cdsapirc").write_text("url: https://cds.climate.copernicus.eu/api\n")
    with pytest.raises(DataError, match=r"how-to-api .* 'url: https://.*/api' and 'key: YOUR-TOKEN'") as caught:
        find_credentials()
    assert f"{home}/.ecmwfdatastoresrc (no such file)" in str(caught.value)
    assert f"{home}/.cdsapirc (no line key:)" in str(caught.value)


@pytest.mark.parametrize("key", [f"12345:{SECRET}", f"{SECRET} {SECRET}", "<TOKEN>", "YOUR-TOKEN"])
def test_a_text_that_is_not_a_key_is_refused_and_not_shown(home, key):
    (home / ".cdsapirc").write_text(f"key: {key}\n")
    with pytest.raises(DataError, match=r"\.cdsapirc: the key is not a personal access token") as caught:
        find_credentials()
    assert key not in "".join(traceback.format_exception(caught.value))
