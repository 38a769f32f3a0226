"""Settings: what is accepted, what is refused, and in which words."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from gwsd.config import Config, derive_seed, read_config, settings_reference
from gwsd.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def document() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def refused(document: dict) -> str:
    with pytest.raises(ConfigError) as caught:
        read_config(document)
    return str(caught.value)


def test_the_paper_scenario_departs_in_its_title_alone(document: dict) -> None:
    assert set(document["scenarios"]["paper"]) == {"title"}


def test_settings_survive_a_round_trip(document: dict) -> None:
    config = read_config(document)
    again = yaml.safe_load(yaml.safe_dump(config.settings("demo").model_dump()))
    document["scenarios"]["copy"] = again
    assert read_config(document).settings("copy") == config.settings("demo")


def test_a_misspelt_scenario_names_the_nearest(document: dict) -> None:
    document["scenario"] = "dmeo"
    assert refused(document) == "scenario 'dmeo'; did you mean 'demo'? (known: demo, twin, observed, paper, own)"


def test_a_negative_batch_size_is_one_line(document: dict) -> None:
    document["scenarios"]["demo"]["training"]["batch_size"] = -1
    message = refused(document)
    assert message == "scenarios.demo.training.batch_size: -1 is not allowed, expected greater than or equal to 1"


def test_a_mistake_in_the_shared_settings_is_said_once(document: dict) -> None:
    document["settings"]["training"]["clip_norm"] = 0
    assert refused(document) == "settings.training.clip_norm: 0 is not allowed, expected greater than 0"


@pytest.mark.parametrize(
    ("path", "key", "value", "words"),
    [
        (("settings",), "trainin", {}, "settings.trainin: unknown setting; did you mean 'training'?"),
        (("settings", "model"), "memroy", 6, "settings.model.memroy: unknown setting; did you mean 'memory'?"),
        (
            ("settings", "training"),
            "epochs",
            "30",
            'settings.training.epochs: "30" is not allowed, expected a valid int',
        ),
        (("settings", "evapotranspiration"), "formula", "oudn", "did you mean 'oudin'?"),
        (("settings", "patches"), "size", 33, "settings.patches.size: 33 is not allowed, expected a multiple of 8"),
        (("settings", "period"), "end", "2023-13", "settings.period.end"),
        (("settings", "sources"), "climate", "era5_lnad", "era5, era5_land; did you mean 'era5_land'?"),
        (("settings", "sources"), "storage", "era5", "expected one of twin, g3p, local"),
        (("settings",), "climate_variables", ["tp", "precipitation"], "expected each variable once"),
        (("settings", "downloads"), "g3p_urls", ["https://a:b@c.org/G3P.zip"], "put those in ~/.netrc"),
        ((), "storage_pth", "x", "storage_pth: unknown setting; did you mean 'storage_path'?"),
        ((), "raw_dir", 3, "raw_dir: 3 is not a text"),
    ],
)
def test_mistakes_name_key_value_and_what_is_allowed(
    document: dict, path: tuple[str, ...], key: str, value: object, words: str
) -> None:
    here = document
    for part in path:
        here = here[part]
    here[key] = value
    message = refused(document)
    assert words in message
    assert len(message.splitlines()) == 1


def test_climate_variables_go_by_either_name_and_reach_every_variant(document: dict) -> None:
    document["scenarios"]["demo"]["climate_variables"] = ["tp", "temperature"]
    settings = read_config(document).settings("demo")
    assert settings.climate_variables == ["precipitation", "temperature"]
    assert settings.variant("memory_1")["model"]["climate_variables"] == ["precipitation", "temperature"]


def test_a_variant_that_overrides_an_unknown_key(document: dict) -> None:
    document["settings"]["variants"]["wide"] = {"model": {"lstm_chanels": 128}}
    message = refused(document)
    assert message.startswith(
        "settings.variants.wide.model.lstm_chanels: unknown setting; did you mean 'lstm_channels'?"
    )


def test_a_variant_may_not_depart_in_the_patches(document: dict) -> None:
    document["settings"]["variants"]["small"] = {"patches": {"size": 16}}
    assert "settings.variants.small.patches: unknown section of a variant" in refused(document)


def test_variants_depart_only_in_what_they_state(document: dict) -> None:
    settings = read_config(document).settings("demo")
    full, short = settings.variant("full"), settings.variant("memory_1")
    assert short["model"].pop("memory") == 1
    assert full["model"].pop("memory") == 6
    assert short == full


def test_an_unused_loss_weight_does_not_reach_no_physics(document: dict) -> None:
    before = read_config(document).settings("demo").variant("no_physics")
    changed = deepcopy(document)
    changed["settings"]["loss"]["physics_weight"] = 0.1
    assert read_config(changed).settings("demo").variant("no_physics") == before
    assert read_config(changed).settings("demo").variant("full") != read_config(document).settings("demo").variant(
        "full"
    )


def test_seeds_differ_by_stage_and_replicate() -> None:
    seeds = {derive_seed(1, stage, replicate) for stage in ("twin", "patches", "training") for replicate in range(3)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_synthetic_data_are_labelled(document: dict) -> None:
    config: Config = read_config(document)
    assert "synthetic" in config.settings("demo").data_label
    assert "climate synthetic" in config.settings("observed").data_label
    assert config.settings("paper").data_label == "observed: G3P v1.12 and ERA5-Land"


def test_the_settings_page_is_the_models_own() -> None:
    assert settings_reference() in (ROOT / "docs" / "settings.md").read_text()
