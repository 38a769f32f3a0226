"""Configuration: `config.yaml` as one typed document, assembled from the settings of each package.

`settings` holds the paper's values in full; `scenarios` holds, by name, the keys in which each differs. Everything is
validated before a job starts. A mistake is one line: the key's path, its value, what is allowed and the nearest key or
value that exists.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from gwsd.artifacts.registry import INTERPOLATIONS
from gwsd.artifacts.settings import Plot, Trend
from gwsd.data.settings import ClimateVariable, Downloads, Evapotranspiration, Period, Quality, Sources
from gwsd.errors import ConfigError
from gwsd.evaluation.settings import Evaluation
from gwsd.model.settings import Model
from gwsd.patches.settings import Patches
from gwsd.physics import Loss
from gwsd.product.settings import Product
from gwsd.settings import Section
from gwsd.training.settings import Training
from gwsd.twin.settings import Twin

PROJECT_FILE = Path(__file__).resolve().parents[1] / "config.yaml"
NAME_PATTERN = r"[a-z][a-z0-9_]*"
PATHS = ("storage_path", "climate_path", "raw_dir", "dask_scheduler")
GROUPS = ("component", "memory", "ours")
VARIANT_SECTIONS: dict[str, type[Section]] = {"model": Model, "loss": Loss, "training": Training}


class Settings(Section):
    """All settings of one scenario."""

    title: str = ""
    """Description of the scenario, in a few words."""

    seed: int = Field(ge=0)
    """Seed from which every other seed is derived."""

    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """Replicates of each training."""

    sources: Sources
    downloads: Downloads

    climate_variables: list[ClimateVariable] = Field(min_length=1)
    """Climate that is read and that the network receives; also tp, swvl1, t2m, sp."""

    period: Period

    region: Annotated[list[float], Field(min_length=4, max_length=4)]
    """West, south, east, north, degrees."""

    twin: Twin
    quality: Quality
    evapotranspiration: Evapotranspiration
    patches: Patches
    model: Model
    loss: Loss
    training: Training

    variants: dict[str, dict[str, Any]]
    """Trained networks, as differences from `model`, `loss` and `training`; `group` and `label` in the tables."""

    evaluation: Evaluation
    product: Product
    trend: Trend
    plot: Plot

    @field_validator("seeds", "climate_variables")
    @classmethod
    def _once_each(cls, values: list[Any]) -> list[Any]:
        if len(set(values)) < len(values):
            raise ValueError("expected each value once")
        return values

    @property
    def is_synthetic(self) -> bool:
        """True if anything in the scenario comes from the twin Earth."""
        return "twin" in (self.sources.storage, self.sources.climate)

    @property
    def data_label(self) -> str:
        """Origin of the data, as every artifact states it."""
        return self.sources.data_label

    @property
    def methods(self) -> list[str]:
        """Interpolations and variants."""
        return [*INTERPOLATIONS, *self.variants]

    def variants_of(self, group: str) -> list[str]:
        """Return the variants of a group of tables: component, memory or ours."""
        return [name for name, differences in self.variants.items() if differences.get("group") == group]

    def select_methods(self, *names: str) -> list[str]:
        """Expand names of methods and groups (`interpolations`, component, memory, ours) into methods."""
        found: list[str] = []
        for name in names:
            if name == "interpolations":
                found += INTERPOLATIONS
            elif name in GROUPS:
                found += self.variants_of(name)
            elif name in self.methods:
                found.append(name)
        return list(dict.fromkeys(found))

    def for_jobs(self) -> dict[str, Any]:
        """Return all settings as plain JSON types."""
        return self.model_dump(mode="json")

    def variant(self, name: str) -> dict[str, Any]:
        """Return the model, loss and training settings of a variant, as plain JSON types."""
        if name not in self.variants:
            raise ConfigError(_unknown(f"variant {name!r}: not in config.yaml", name, list(self.variants)))
        whole = self.for_jobs()
        return {section: _merged(whole[section], self.variants[name].get(section, {})) for section in VARIANT_SECTIONS}


class Config(Section):
    """The whole document."""

    scenario: str
    storage_path: str | None
    climate_path: str | None
    raw_dir: str
    dask_scheduler: str | None
    scenarios: dict[str, Settings]

    def settings(self, scenario: str) -> Settings:
        """Return the settings of a scenario; `ConfigError` if there is no such scenario."""
        if scenario not in self.scenarios:
            raise ConfigError(_unknown(f"scenario {scenario!r}: not in config.yaml", scenario, list(self.scenarios)))
        return self.scenarios[scenario]


def read_project_config() -> Config:
    """Read the project's `config.yaml`, for commands that run without Snakemake."""
    if not PROJECT_FILE.is_file():
        raise ConfigError(f"{PROJECT_FILE}: no such file; run gwsd from a clone of the project")
    return read_config(yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8")))


def read_config(document: Mapping[str, Any]) -> Config:
    """Validate the content of `config.yaml`, with local changes merged into it: every scenario, merged.

    Raises
    ------
    ConfigError
        One line for each mistake.
    """
    known = ["scenario", *PATHS, "settings", "scenarios"]
    problems = [_unknown(f"{key}: unknown setting", key, known) for key in document if key not in known]
    base, scenarios = document.get("settings"), document.get("scenarios")
    if not isinstance(base, dict) or not isinstance(scenarios, dict) or not scenarios:
        raise ConfigError("settings, scenarios: expected two sections, as in the project's config.yaml")
    merged: dict[str, Settings] = {}
    for name, differences in scenarios.items():
        if not re.fullmatch(NAME_PATTERN, str(name)):
            problems.append(f"scenarios.{name}: expected a name of lower-case letters, digits and underscores")
        elif not isinstance(differences or {}, dict):
            problems.append(f"scenarios.{name}: expected settings by key, got {differences!r}")
        else:
            try:
                merged[name] = _validated(base, differences or {}, f"scenarios.{name}")
            except ConfigError as error:
                problems += [line for line in str(error).splitlines() if line not in problems]
    problems += [
        f"{key}: {document[key]!r} is not a string" for key in PATHS if not isinstance(document.get(key), str | None)
    ]
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


def derive_seed(seed: int, stage: str, replicate: int = 0) -> int:
    """Derive a job's seed from the scenario's seed, the stage and the replicate; never from the variant."""
    digest = hashlib.sha256(f"{seed}/{stage}/{replicate}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def settings_reference() -> str:
    """Render the reference of all settings as a Markdown table."""
    lines = ["| key | type | allowed | meaning |", "| --- | --- | --- | --- |"]
    for path, schema in _leaves(Settings, ()):
        allowed = ", ".join(f"`{value}`" for value in _choices(schema)) or _bounds(schema)
        meaning = " ".join(schema.get("description", "").split())
        lines.append(f"| `{'.'.join(path)}` | {_type_name(schema)} | {allowed} | {meaning} |")
    return "\n".join(lines) + "\n"


def _validated(base: dict[str, Any], differences: dict[str, Any], where: str) -> Settings:
    try:
        settings = Settings.model_validate(_merged(base, differences))
    except ValidationError as error:
        origins = (where if _holds(differences, detail["loc"]) else "settings" for detail in error.errors())
        lines = [_line(detail, origin, Settings) for detail, origin in zip(error.errors(), origins, strict=True)]
        raise ConfigError("\n".join(lines)) from None
    problems: list[str] = []
    for name in settings.variants:
        origin = where if name in (differences.get("variants") or {}) else "settings"
        problems += _variant_problems(settings, name, f"{origin}.variants.{name}")
    method = settings.product.method
    if method not in settings.methods:
        origin = where if _holds(differences, ["product", "method"]) else "settings"
        problems.append(_unknown(f"{origin}.product.method: {method!r} is no such method", method, settings.methods))
    if "full" not in settings.variants:
        problems.append(f"{where}.variants: expected a variant named 'full', the network of the paper")
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def _variant_problems(settings: Settings, name: str, path: str) -> Iterator[str]:
    if not re.fullmatch(NAME_PATTERN, name) or name in (*INTERPOLATIONS, *GROUPS, "interpolations"):
        yield f"{path}: expected a name of lower-case letters, digits and underscores that is no method or group"
        return
    differences = dict(settings.variants[name])
    group, label = differences.pop("group", None), differences.pop("label", "")
    if name != "full" and group not in GROUPS:
        yield f"{path}.group: {group!r} is not allowed, expected one of {', '.join(GROUPS)}: the tables that show it"
    if not isinstance(label, str):
        yield f"{path}.label: {label!r} is not a string"
    for section, changes in differences.items():
        if section not in VARIANT_SECTIONS:
            yield _unknown(
                f"{path}.{section}: unknown section of a variant", section, ["group", "label", *VARIANT_SECTIONS]
            )
        elif not isinstance(changes, dict):
            yield f"{path}.{section}: expected settings by key, got {changes!r}"
        else:
            model = VARIANT_SECTIONS[section]
            try:
                model.model_validate(_merged(settings.for_jobs()[section], changes))
            except ValidationError as error:
                yield from (_line(detail, f"{path}.{section}", model) for detail in error.errors())


def _merged(base: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(deepcopy(base))
    for key, value in differences.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = deepcopy(value)
    return result


def _line(detail: ErrorDetails, where: str, section: type[Section]) -> str:
    location = [str(part) for part in detail["loc"]]
    path = ".".join([where, *location])
    if detail["type"] == "extra_forbidden":
        return _unknown(f"{path}: unknown setting", location[-1], _keys_at(section, location[:-1]))
    if detail["type"] == "missing":
        return f"{path}: missing; every setting has its value in config.yaml"
    value = json.dumps(detail["input"], default=str)
    message = detail["msg"].replace("Input should be", "expected").replace("Value error, ", "")
    if detail["type"] == "model_type":
        message = "expected settings by key"
    hint = ""
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        near = difflib.get_close_matches(detail["input"], re.findall(r"'([^']+)'", detail["msg"]), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{path}: {value} is not allowed, {message}{hint}"


def _holds(differences: Mapping[str, Any], location: Sequence[str | int]) -> bool:
    here: Any = differences
    for part in location:
        if not isinstance(here, Mapping):  # a list: it replaces the whole value
            return True
        if part not in here:
            return False
        here = here[part]
    return True


def _keys_at(section: type[Section], location: list[str]) -> list[str]:
    for part in location:
        section = section.model_fields[part].annotation  # type: ignore[assignment]
    return list(section.model_fields)


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
    """Return the allowed values of a setting, or of the items of its list."""
    options = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    return next((option["enum"] for option in options if "enum" in option), [])


def _type_name(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_name(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type_name(schema['items'])}"
    kind = schema.get("type", "string")
    return {"string": "text", "object": "section"}.get(kind, kind)


def _bounds(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "≥ {}",
        "exclusiveMinimum": "> {}",
        "maximum": "≤ {}",
        "exclusiveMaximum": "< {}",
        "multipleOf": "multiple of {}",
        "pattern": "matches `{}`",
    }
    options = [schema, *schema.get("anyOf", [])]
    parts = [text.format(option[key]) for option in options for key, text in words.items() if key in option]
    return ", ".join(parts).replace("|", "\\|")
