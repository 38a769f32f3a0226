"""The settings: one typed document, `config.yaml`.

`settings` holds the paper's values in full; `scenarios` holds, by name, the few keys in which each departs.
Everything is validated before a job starts. A mistake is one line: the key's path, its value, what is
allowed and the nearest key or value that exists.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from gwsd.errors import ConfigError
from gwsd.sources.products import CLIMATE, STORAGE, labels

Positive = Annotated[int, Field(ge=1)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
SHORT_NAMES = {"tp": "precipitation", "swvl1": "soil_moisture", "t2m": "temperature", "sp": "surface_pressure"}
"""ERA5-Land's short names of the climate variables, which the settings take too."""


def _full_name(name: Any) -> Any:
    return SHORT_NAMES.get(name, name) if isinstance(name, str) else name


ClimateVariable = Annotated[
    Literal["precipitation", "soil_moisture", "temperature", "surface_pressure"], BeforeValidator(_full_name)
]
NAME_PATTERN = r"[a-z][a-z0-9_]*"
PATHS = ("storage_path", "climate_path", "raw_dir", "dask_scheduler")
SHARED_SECTIONS_OF_VARIANTS = ("model", "loss", "training")


class Section(BaseModel):
    """A section of the settings: unknown keys are errors, types are not coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Sources(Section):
    """Where the raw files come from."""

    storage: str = Field(description="origin of the coarse storage: twin, or a product's module in `gwsd/sources`")
    climate: str = Field(description="origin of the climate: twin, or a product's module in `gwsd/sources`")
    storage_variable: str | None = Field(description="name of the storage in its files; null: one of the usual ones")
    storage_units: Literal["mm", "cm", "m"] | None = Field(description="unit of storage whose files state none")

    @field_validator("storage", "climate")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        known = ["twin", *labels(STORAGE if info.field_name == "storage" else CLIMATE)]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"expected one of {', '.join(known)}{hint}")
        return name


class Downloads(Section):
    """How raw files are fetched; nothing here changes a result."""

    g3p_urls: list[str] = Field(min_length=1, description="where the zip of G3P lies; tried in this order")
    requests_at_once: int = Field(ge=1, le=32, description="years of ERA5-Land that are requested at the same time")
    attempts: Positive = Field(description="tries of a transfer that breaks off")
    wait_seconds: float = Field(ge=0, le=3600, description="wait before the second try, s; doubled before each further")
    largest_gb: float = Field(gt=0, description="a larger file, or a zip that unpacks to more, is refused, GB")

    @field_validator("g3p_urls")
    @classmethod
    def _without_secrets(cls, urls: list[str]) -> list[str]:
        # Settings are written into records and logs.
        if any("@" in url.partition("://")[2].partition("/")[0] for url in urls):
            raise ValueError("expected addresses without user name and password: put those in ~/.netrc")
        return urls


class Period(Section):
    """The calendar, months as YYYY-MM."""

    climate_start: Month = Field(description="first month of climate; early enough for the longest memory")
    start: Month = Field(description="first month of storage")
    end: Month = Field(description="last month of storage and climate")

    @model_validator(mode="after")
    def _in_order(self) -> "Period":
        if not self.climate_start <= self.start < self.end:
            raise ValueError("expected climate_start <= start < end")
        return self


class Faults(Section):
    """How many half-degree cells of the twin are damaged on purpose, by kind."""

    constant: int = Field(ge=0, description="cells that never change")
    spike: int = Field(ge=0, description="cells with an implausible month")
    hole: int = Field(ge=0, description="cells with missing months")
    filled: int = Field(ge=0, description="land cells that hold the fill value throughout")


class Twin(Section):
    """The twin Earth."""

    climate_step: float = Field(gt=0, le=2, description="spacing of the ERA5-Land-like node grid, degrees")
    valid_cells: Positive | None = Field(description="coarse cells that survive quality control; null: as they fall")
    same_formulas_as_losses: bool = Field(description="use the losses' own formulas (unit tests only)")
    noise_mm: float = Field(ge=0, description="standard deviation of the storage's noise, mm")
    smoothing_km: float = Field(ge=0, description="half-width of the Gaussian filter on the storage, km")
    faults: Faults
    truth_climate_blocks: int = Field(ge=0, description="blocks of 16° whose 0.125° climate is kept")


class Quality(Section):
    """When a coarse cell is left out."""

    largest_anomaly_mm: float = Field(gt=0, description="a larger |storage| is implausible, mm")
    largest_jump_in_sd: float = Field(gt=0, description="a month further from both neighbours is a spike, robust sd")
    smallest_sd_mm: float = Field(gt=0, description="a smaller standard deviation is a constant series, mm")
    expected_cells: Positive | None = Field(description="valid cells to compare with; null: none")
    expected_months: Positive | None = Field(description="months to compare with; null: none")


class Evapotranspiration(Section):
    """How evapotranspiration is estimated from temperature."""

    formula: Literal["thornthwaite", "oudin", "hamon"] = Field(description="potential evapotranspiration")
    limit: Literal["budyko", "water", "none"] = Field(description="how available water bounds it")
    soil_water_mm: float = Field(ge=0, description="soil water that roots can draw on, mm")


class Blocks(Section):
    """Blocks of space and time that the split `blocked` holds out whole."""

    sides: float = Field(ge=1, description="side of a block, in sides of a patch")
    months: Positive = Field(description="length of a block, months")
    buffer_cells: int = Field(ge=0, description="coarse cells around a block that no other split touches")
    buffer_months: int = Field(ge=0, description="months around a block that no other split is of")
    held_out: float = Field(gt=0, lt=0.5, description="share of the blocks for validation, and as many for test")


class Patches(Section):
    """The samples."""

    size: int = Field(ge=8, multiple_of=8, description="side of a patch, coarse cells")
    train: Positive = Field(description="training patches")
    validation: Positive = Field(description="validation patches")
    test: Positive = Field(description="test patches")
    split: Literal["random", "blocked"] = Field(description="independent draws, or time and space blocks with buffers")
    min_valid_share: float = Field(gt=0, le=1, description="least share of valid coarse cells in a patch")
    blocks: Blocks


class Model(Section):
    """The network."""

    temporal_encoder: Literal["conv_lstm", "none"] = Field(description="what reads the months of climate")
    memory: int = Field(ge=1, le=12, description="months of climate, the target month last")
    lstm_channels: Positive = Field(description="hidden channels of each ConvLSTM layer")
    lstm_layers: Positive = Field(description="ConvLSTM layers")
    unet_channels: list[Positive] = Field(min_length=1, max_length=3, description="channels of each U-Net level")
    bottleneck_channels: Positive = Field(description="channels at the bottom of the U-Net")
    normalisation: Literal["batch", "group", "none"] = Field(description="after each U-Net convolution")
    residual: bool = Field(description="the mean is a correction to bilinear interpolation")
    variance_head: bool = Field(description="predict a variance; false: train on the mean squared error")
    variance_floor: float = Field(gt=0, description="smallest variance, of the standardised storage")


class Loss(Section):
    """The loss, equations (10) to (15)."""

    physics_weight: float = Field(ge=0, description="lambda_phys of equation (10)")
    smoothness_weight: float = Field(ge=0, description="lambda_smooth of equation (10)")
    regional_pool: int = Field(ge=4, description="side of a region in equation (14), fine cells")
    regional_unit_mm: float = Field(gt=0, description="unit of equation (14), mm")
    sign_sharpness_mm: float = Field(gt=0, description="width of the smooth sign in equation (12), mm/month")
    infiltration: Annotated[list[float], Field(min_length=2, max_length=2)] = Field(
        description="intercept and slope of the infiltration efficiency on soil moisture"
    )


class CpuEngine(Section):
    """How a network is computed on the CPU."""

    precision: Literal["float32", "bfloat16"] = Field(description="of convolutions; heads and losses are in float32")
    channels_last: bool = Field(description="keep the channels of a pixel together in memory")
    compile: bool = Field(
        description="compile the network, where a C++ compiler is there; a minute or two at the start"
    )


class CudaEngine(CpuEngine):
    """How a network is computed on a GPU."""

    compile: bool = Field(description="compile the network; a minute or two at the start")

    graphs: bool = Field(description="replay the compiled network as CUDA graphs")
    trainings_at_once: int = Field(ge=1, le=16, description="trainings that share one GPU")


class EngineByDevice(Section):
    """How a network is computed, by kind of device."""

    cpu: CpuEngine
    cuda: CudaEngine


class Training(Section):
    """The optimisation."""

    batch_size: Positive = Field(description="patches a step")
    epochs: Positive = Field(description="most epochs")
    learning_rate: float = Field(gt=0, lt=1, description="initial (plateau) or largest (one_cycle) learning rate")
    weight_decay: float = Field(ge=0, lt=1, description="of AdamW")
    schedule: Literal["plateau", "one_cycle"] = Field(description="learning-rate schedule")
    plateau_factor: float = Field(gt=0, lt=1, description="reduction on a plateau")
    plateau_patience: int = Field(ge=0, description="epochs without improvement before a reduction")
    early_stopping_patience: Positive = Field(description="epochs without improvement before the end")
    clip_norm: float = Field(gt=0, description="largest gradient norm")
    validation_patches: Positive | None = Field(description="validation patches scored an epoch; null: all")
    device: Literal["auto", "cuda", "cpu"] = Field(description="where to compute; auto: a GPU if there is one")
    cpu_threads: Positive = Field(description="threads of torch on the CPU; changes the last bits of results")
    engine: EngineByDevice


class Evaluation(Section):
    """The scoring of the test patches."""

    batch_size: Positive = Field(description="patches at a time")
    figure_patches: int = Field(ge=1, le=6, description="examples in Figure 3")
    pixel_sample: Positive = Field(description="pixels kept for Figure 7")


class Product(Section):
    """The global 0.125° fields."""

    method: str = Field(min_length=1, description="a trained variant, nearest, bilinear or bicubic")
    way: Literal["auto", "tiles", "field"] = Field(
        description="blended patches, or the network on the whole grid; auto: tiles where a network normalises by group"
    )
    stride: float = Field(gt=0, le=1, description="from one tile to the next, in sides of a patch")
    batch_size: Positive = Field(description="tiles at a time; changes speed and memory only")
    correction: bool = Field(description="make every half-degree mean equal the input")
    error_correlation: float = Field(ge=0, le=1, description="assumed within a half-degree cell, for the variance")
    precision: Literal["float32", "bfloat16"] = Field(description="of the network's convolutions")
    check_months: Positive = Field(description="months on which the product is checked")


class Trend(Section):
    """The trend map."""

    significance: float = Field(gt=0, lt=1, description="level at which a trend is marked")


class Plot(Section):
    """How figures look."""

    width_mm: float = Field(ge=60, le=400, description="width of a figure, mm")
    font: str = Field(min_length=1, description="font family")
    font_size: float = Field(ge=7, le=14, description="text size at final width, pt")
    map: str = Field(min_length=1, description="cmocean map of anomalies and trends")
    error_map: str = Field(min_length=1, description="cmocean map of errors")
    dpi: int = Field(ge=50, le=1200, description="resolution of the PNG")


class Settings(Section):
    """All settings of one scenario."""

    title: str = Field(default="", description="what the scenario is, in a few words")
    seed: int = Field(ge=0, description="every other seed derives from it")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="replicates of each training")
    sources: Sources
    downloads: Downloads
    climate_variables: list[ClimateVariable] = Field(
        min_length=1, description="climate that is read and that the network sees; also tp, swvl1, t2m, sp"
    )
    period: Period
    region: Annotated[list[float], Field(min_length=4, max_length=4)] = Field(description="W, S, E, N, degrees")
    twin: Twin
    quality: Quality
    evapotranspiration: Evapotranspiration
    patches: Patches
    model: Model
    loss: Loss
    training: Training
    variants: dict[str, dict[str, Any]] = Field(description="what is trained, as departures from the above")
    evaluation: Evaluation
    product: Product
    trend: Trend
    plot: Plot

    @field_validator("climate_variables")
    @classmethod
    def _once_each(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("expected each variable once")
        return names

    @property
    def is_synthetic(self) -> bool:
        """Whether anything in the scenario comes from the twin Earth."""
        return "twin" in (self.sources.storage, self.sources.climate)

    @property
    def data_label(self) -> str:
        """What every artifact says of the data it was made from."""
        if self.sources.storage == "twin" and self.sources.climate != "twin":
            return "storage synthetic (twin Earth), climate observed"
        if self.sources.storage == "twin":
            return "synthetic: twin Earth, not observations"
        if self.sources.climate == "twin":
            return "storage observed, climate synthetic (twin Earth)"
        storage, climate = labels(STORAGE)[self.sources.storage], labels(CLIMATE)[self.sources.climate]
        return f"observed: {storage} and {climate}"

    def for_jobs(self) -> dict[str, Any]:
        """Return all settings as plain JSON types; the model's section says which climate the network sees."""
        whole = self.model_dump()
        whole["model"]["climate_variables"] = list(self.climate_variables)
        return whole

    def variant(self, name: str) -> dict[str, Any]:
        """Return the model, loss and training settings of a variant, as plain JSON types."""
        whole = self.for_jobs()
        return {
            section: _merged(whole[section], self.variants[name].get(section, {}))
            for section in SHARED_SECTIONS_OF_VARIANTS
        }


class Config(Section):
    """The whole document."""

    scenario: str
    storage_path: str | None
    climate_path: str | None
    raw_dir: str
    dask_scheduler: str | None
    scenarios: dict[str, Settings]

    def settings(self, scenario: str) -> Settings:
        """Return the settings of a scenario.

        Raises
        ------
        ConfigError
            Where there is no such scenario; names the nearest.
        """
        if scenario not in self.scenarios:
            raise ConfigError(_unknown(f"scenario {scenario!r}", scenario, list(self.scenarios)))
        return self.scenarios[scenario]


def read_config(document: Mapping[str, Any]) -> Config:
    """Validate the whole document.

    Parameters
    ----------
    document : mapping
        The content of `config.yaml`, with a person's own keys laid over it.

    Returns
    -------
    Config
        The settings of every scenario, merged and validated.

    Raises
    ------
    ConfigError
        One line for each mistake.
    """
    document = deepcopy(dict(document))
    known = ["scenario", *PATHS, "settings", "scenarios"]
    problems = [_unknown(f"{key}: unknown setting", key, known) for key in document if key not in known]
    base = document.get("settings")
    departures = document.get("scenarios")
    if not isinstance(base, dict) or not isinstance(departures, dict) or not departures:
        raise ConfigError("settings, scenarios: expected two sections, as in config.yaml at the project's root")
    merged: dict[str, Settings] = {}
    for name, departure in departures.items():
        if not re.fullmatch(NAME_PATTERN, str(name)):
            problems.append(f"scenarios.{name}: expected a name of lower-case letters, digits and underscores")
            continue
        if not isinstance(departure or {}, dict):
            problems.append(f"scenarios.{name}: expected the settings in which it departs, got {departure!r}")
            continue
        try:
            merged[name] = _validated_settings(base, departure or {}, f"scenarios.{name}")
        except ConfigError as error:
            problems.extend(line for line in str(error).splitlines() if line not in problems)
    problems.extend(
        f"{key}: {document[key]!r} is not a text (a path, or an address)"
        for key in PATHS
        if not isinstance(document.get(key), str | None)
    )
    if problems:
        raise ConfigError("\n".join(problems))
    config = Config(
        scenario=str(document.get("scenario")),
        storage_path=document.get("storage_path"),
        climate_path=document.get("climate_path"),
        raw_dir=document.get("raw_dir") or "raw",
        dask_scheduler=document.get("dask_scheduler"),
        scenarios=merged,
    )
    config.settings(config.scenario)
    return config


SectionType = TypeVar("SectionType", bound=Section)


def validate_section(section: type[SectionType], values: Mapping[str, Any], where: str) -> SectionType:
    """Validate one section alone.

    Raises
    ------
    ConfigError
        One line for each mistake, its path beginning with `where`.
    """
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        lines = [_line(detail, values, where, root=section, always=True) for detail in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def derive_seed(seed: int, stage: str, replicate: int = 0) -> int:
    """Derive a job's seed from the scenario's seed, the stage and the replicate; never from the variant."""
    digest = hashlib.sha256(f"{seed}/{stage}/{replicate}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def settings_reference() -> str:
    """Render the reference of all settings as a Markdown table."""
    lines = ["| key | type | allowed | meaning |", "| --- | --- | --- | --- |"]
    for path, schema in _leaves(Settings, ()):
        allowed = _choices(schema) or _bounds(schema)
        if isinstance(allowed, list):
            allowed = ", ".join(f"`{value}`" for value in allowed)
        lines.append(f"| `{'.'.join(path)}` | {_type_name(schema)} | {allowed} | {schema.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _validated_settings(base: dict[str, Any], departure: dict[str, Any], where: str) -> Settings:
    values = _merged(base, departure)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(detail, departure, where) for detail in error.errors())) from None
    problems: list[str] = []
    for name in settings.variants:
        path = f"{where if name in (departure.get('variants') or {}) else 'settings'}.variants.{name}"
        problems.extend(_variant_problems(settings, name, path))
    if "full" not in settings.variants:
        problems.append(f"{where}.variants: expected a variant named 'full', the one that the paper presents")
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def _variant_problems(settings: Settings, name: str, path: str) -> Iterator[str]:
    if not re.fullmatch(NAME_PATTERN, name):
        yield f"{path}: expected a name of lower-case letters, digits and underscores"
        return
    departure = settings.variants[name]
    sections: dict[str, type[Section]] = {"model": Model, "loss": Loss, "training": Training}
    for section, changes in departure.items():
        if section not in sections:
            yield _unknown(f"{path}.{section}: unknown section of a variant", section, list(sections))
        elif not isinstance(changes, dict):
            yield f"{path}.{section}: expected the settings that depart from {section!r}, got {changes!r}"
        else:
            merged = _merged(settings.model_dump()[section], changes)
            try:
                validate_section(sections[section], merged, f"{path}.{section}")
            except ConfigError as error:
                yield from str(error).splitlines()


def _merged(base: Mapping[str, Any], departure: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(deepcopy(base))
    for key, value in departure.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = deepcopy(value)
    return result


def _line(
    detail: ErrorDetails,
    departure: Mapping[str, Any],
    where: str,
    root: type[Section] = Settings,
    always: bool = False,
) -> str:
    location = [str(part) for part in detail["loc"]]
    prefix = where if always or _holds(departure, location) else "settings"
    path = ".".join([prefix, *location])
    if detail["type"] == "extra_forbidden":
        return _unknown(f"{path}: unknown setting", location[-1], _keys_at(root, location[:-1]))
    if detail["type"] == "missing":
        return f"{path}: missing; every setting has its value in config.yaml"
    value = json.dumps(detail["input"], default=str)
    message = detail["msg"].replace("Input should be", "expected").replace("Value error, ", "")
    hint = ""
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        near = difflib.get_close_matches(detail["input"], re.findall(r"'([^']+)'", detail["msg"]), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{path}: {value} is not allowed, {message}{hint}"


def _holds(departure: Mapping[str, Any], location: list[str]) -> bool:
    here: Any = departure
    for part in location:
        if not isinstance(here, Mapping) or part not in here:
            return False
        here = here[part]
    return True


def _keys_at(root: type[Section], location: list[str]) -> list[str]:
    here: Any = root
    for part in location:
        field = here.model_fields.get(part) if isinstance(here, type) and issubclass(here, Section) else None
        if field is None:
            return []
        here = field.annotation
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, Section) else []


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"{what}; did you mean {near[0]!r}? (known: {', '.join(known)})"
    return f"{what}; known: {', '.join(known)}"


def _leaves(section: type[Section], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    properties = section.model_json_schema()["properties"]
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _leaves(field.annotation, (*path, name))
        else:
            yield (*path, name), properties[name]


def _choices(schema: dict[str, Any]) -> list[Any]:
    """Values that a setting, or an item of its list, is chosen from."""
    options = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    return next((option["enum"] for option in options if "enum" in option), [])


def _type_name(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_name(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type_name(schema.get('items', {}))}"
    return {"string": "text", "object": "section"}.get(schema.get("type", ""), schema.get("type", "text"))


def _bounds(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "≥ {}",
        "exclusiveMinimum": "> {}",
        "maximum": "≤ {}",
        "exclusiveMaximum": "< {}",
        "multipleOf": "multiple of {}",
        "pattern": "matches `{}`",
    }
    parts = [text.format(schema[key]) for key, text in words.items() if key in schema]
    for option in schema.get("anyOf", []):
        parts += [text.format(option[key]) for key, text in words.items() if key in option]
    return ", ".join(parts).replace("|", "\\|")
