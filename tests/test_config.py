from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from gwsd.config import derive_seed, read_config, settings_reference
from gwsd.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def document() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(document: dict, path: str, value: object) -> dict:
    """Return the document with one key set, such as `settings.model.history_months`."""
    copy = deepcopy(document)
    here, (*parents, key) = copy, path.split(".")
    for part in parents:
        here = here[part]
    here[key] = value
    return copy


def test_settings_survive_a_round_trip(document: dict) -> None:
    settings = read_config(document).settings("demo")
    again = changed(document, "scenarios.copy", yaml.safe_load(yaml.safe_dump(settings.model_dump())))
    assert read_config(again).settings("copy") == settings


def test_a_scenario_overrides_only_the_keys_that_it_states(document: dict) -> None:
    demo, paper = (read_config(document).settings(name) for name in ("demo", "paper"))
    assert demo.patches.train == document["scenarios"]["demo"]["patches"]["train"]
    assert demo.patches.size == paper.patches.size == document["settings"]["patches"]["size"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("scenario", "dmeo", "scenario 'dmeo': not in config.yaml; did you mean 'demo'?"),
        ("storage_pth", "x", "storage_pth: unknown setting; did you mean 'storage_path'?"),
        ("raw_dir", 3, "raw_dir: 3 is not a string"),
        ("settings.trainin", {}, "settings.trainin: unknown setting; did you mean 'training'?"),
        ("settings.model.histry_months", 6, "settings.model.histry_months: unknown setting; did you mean 'history_"),
        ("settings.training.clip_norm", 0, "settings.training.clip_norm: 0 is not allowed, expected greater than 0"),
        ("settings.training.epochs", "30", 'settings.training.epochs: "30" is not allowed, expected a valid int'),
        ("scenarios.demo.training.batch_size", -1, "scenarios.demo.training.batch_size: -1 is not allowed, expected"),
        ("settings.evapotranspiration.formula", "oudn", "did you mean 'oudin'?"),
        ("settings.patches.size", 33, "settings.patches.size: 33 is not allowed, expected a multiple of 8"),
        ("settings.period.end", "2023-13", "settings.period.end"),
        (
            "scenarios.demo.region",
            [1.0, 2.0, 3.0, "x"],
            'scenarios.demo.region.3: "x" is not allowed, expected',
        ),
        ("scenarios.demo.patches", None, "scenarios.demo.patches: null is not allowed, expected settings by key"),
        ("settings.sources.climate", "era5_lnad", "did you mean 'era5_land'?"),
        ("settings.sources.storage", "era5", "expected one of twin, g3p, local"),
        ("settings.climate_variables", ["tp", "precipitation"], "expected each value once"),
        ("settings.downloads.g3p_urls", ["https://a:b@c.org/G3P.zip"], "put those in ~/.netrc"),
        ("settings.product.method", "ful", "no such method; did you mean 'full'?"),
        ("settings.variants.wide", {"model": {"lstm_channels": 9}}, "settings.variants.wide.group: None is not"),
        (
            "settings.variants.wide",
            {"group": "ours", "model": {"lstm_chanels": 9}},
            "settings.variants.wide.model.lstm_chanels: unknown setting; did you mean 'lstm_channels'?",
        ),
        (
            "settings.variants.small",
            {"group": "ours", "patches": {"size": 16}},
            "settings.variants.small.patches: unknown section of a variant",
        ),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_what_is_allowed(
    document: dict, path: str, value: object, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(changed(document, path, value))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_variant_differs_only_in_what_it_states(document: dict) -> None:
    settings = read_config(document).settings("demo")
    full, short = settings.variant("full"), settings.variant("memory_1")
    assert (full["model"].pop("history_months"), short["model"].pop("history_months")) == (6, 1)
    assert short == full
    weight = read_config(changed(document, "settings.loss.physics_weight", 0.1)).settings("demo")
    assert weight.variant("no_physics") == settings.variant("no_physics")
    assert weight.variant("full") != settings.variant("full")


def test_groups_select_the_methods_of_a_table(document: dict) -> None:
    wide = {"group": "component", "model": {"lstm_channels": 9}}
    settings = read_config(changed(document, "settings.variants.wide", wide)).settings("demo")
    components = ["no_convlstm", "no_physics", "no_uncertainty", "wide"]
    assert settings.variants_of("component") == components
    assert settings.select_methods("full", "component") == ["full", *components]
    assert settings.select_methods("interpolations", "ours") == ["nearest", "bilinear", "bicubic", "residual"]


def test_climate_variables_have_short_names(document: dict) -> None:
    settings = read_config(changed(document, "settings.climate_variables", ["tp", "temperature"])).settings("demo")
    assert settings.climate_variables == ["precipitation", "temperature"]


def test_seeds_differ_by_stage_and_replicate() -> None:
    seeds = {derive_seed(1, stage, replicate) for stage in ("twin", "patches", "training") for replicate in range(3)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_reference_in_the_docs_is_current() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert page.endswith(settings_reference()), "update it: gwsd settings prints the table"
