"""Registry of the numbered tables and figures: what each needs and which files it makes.

Rules, report labels, the order of the audit page and the article follow from these entries. To add an artifact, write
the module `gwsd/artifacts/<name>.py` and one entry here. The module of a table has `build(inputs) -> Table`; that of a
figure has `compute(inputs)`, which makes its data file, and `values(data)` (the numbers that it prints) and
`draw(data, style)`, which read nothing else.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gwsd.errors import ConfigError

AFFECTS_RESULTS = False  # not part of the code hash: rules pass what a job needs of it

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")

RESULTS = {
    "summaries": "evaluation/{method}/seed{seed}/summary.json",
    "histories": "models/{method}/seed{seed}/history.csv",
    "timings": "models/{method}/seed{seed}/timing.json",
    "inference": "evaluation/{method}/seed{seed}/timing.json",
    "predictions": "evaluation/{method}/seed{seed}/predictions.nc",
}
"""Files per method and seed, below `results/<scenario>/`, that an artifact may need."""

INPUTS = {
    "storage": "inputs/storage.nc",
    "mask": "inputs/mask.nc",
    "land": "inputs/land.nc",
    "train": "patches/train.csv",
    "validation": "patches/validation.csv",
    "test": "patches/test.csv",
    "overlap": "patches/overlap.csv",
}
"""Single files, below `results/<scenario>/`, that an artifact may need."""


@dataclass(frozen=True)
class Artifact:
    """A numbered table or figure, or a supplementary one without a number.

    `name` is that of its target and module. It reads `files` (of `INPUTS`), `results` (of `RESULTS`, each with its
    methods: a variant, an interpolation, or a group `interpolations`, `component`, `memory` or `ours`; only of the
    `first_seed` if set) and sections of the `settings`. A table is its own data, a figure's data are `csv` or `nc`.
    """

    name: str
    title: str
    caption: str
    files: tuple[str, ...] = ()
    results: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    data_suffix: str = "csv"
    first_seed: bool = False

    @property
    def kind(self) -> str:
        """`table` or `figure`."""
        return "table" if self.name.startswith("table") else "figure"

    @property
    def label(self) -> str:
        """Its number and title, such as `Table 3: Methods`; the title alone where it has no number."""
        number = self.name.removeprefix(self.kind)
        return f"{self.kind.capitalize()} {number}: {self.title}" if number != self.name else self.title

    def path(self, scenario: str, suffix: str) -> str:
        """Return one of its files, relative to the working directory."""
        return f"results/{scenario}/{self.kind}s/{self.name}.{suffix}"

    def paths(self, scenario: str) -> list[str]:
        """Return the files that a reader opens."""
        suffixes = ("csv", "tex", "md") if self.kind == "table" else ("pdf", "png")
        return [self.path(scenario, suffix) for suffix in suffixes]

    def data_path(self, scenario: str) -> str:
        """Return its data file."""
        return self.path(scenario, self.data_suffix)

    @property
    def trains(self) -> bool:
        """Whether networks are trained for it."""
        return any(set(methods) - {"interpolations", *INTERPOLATIONS} for methods in self.results.values())


TABLES: tuple[Artifact, ...] = (
    Artifact(
        "table1",
        "Configuration",
        "Configuration of the network and its training, counted on the model object, with the paper's values.",
        settings=("climate_variables", "model", "loss", "training", "patches"),
    ),
    Artifact(
        "table2",
        "Dataset",
        "The dataset, counted in the files, with the paper's values and the share of test cells that also occur in "
        "training patches.",
        files=("storage", "mask", "train", "validation", "test", "overlap"),
        settings=("climate_variables", "patches"),
    ),
    Artifact(
        "table3",
        "Methods",
        "Methods of downscaling against the bicubic target on the test patches: mean absolute error ± standard "
        "deviation over patches, root mean square error, coefficient of determination, physics loss, and error as a "
        "ratio to that of bilinear interpolation. Bicubic is the target itself: a control that scores 0 by "
        "construction. `residual` is not the paper's.",
        results={"summaries": ("interpolations", "full", "ours"), "histories": ("full", "ours")},
        settings=("climate_variables", "variants"),
    ),
    Artifact(
        "table4",
        "Comparison",
        "Comparison with other methods. Rows marked as reported by the paper were not computed here.",
        results={"summaries": ("full", "bilinear", "nearest"), "histories": ("full",)},
        settings=("climate_variables", "model", "loss", "variants"),
    ),
    Artifact(
        "table5",
        "Physics terms",
        "Terms of the physics loss by epoch of the training of `full`.",
        results={"histories": ("full",)},
        settings=("climate_variables",),
    ),
    Artifact(
        "table6",
        "Components",
        "Contribution of each component: error and physics loss of the variants that leave one out.",
        results={"summaries": ("full", "component"), "histories": ("full", "component")},
        settings=("climate_variables", "variants"),
    ),
    Artifact(
        "table7",
        "Memory",
        "Error, physics loss and measured training time by months of climate memory; six months is `full`.",
        results={"summaries": ("memory", "full"), "histories": ("memory", "full"), "timings": ("memory", "full")},
        settings=("climate_variables", "model", "variants"),
    ),
    Artifact(
        "table8",
        "Cost",
        "Cost of training and of inference, measured here with the hardware named; the paper's rows as it states them.",
        results={"timings": ("full", "ours"), "inference": ("bilinear", "full", "ours")},
        settings=("climate_variables", "variants"),
    ),
)

FIGURES: tuple[Artifact, ...] = (
    Artifact(
        "figure1",
        "Trends",
        "Linear trend of the storage anomaly with the season removed. Dots mark trends that are not significant "
        "after allowance for autocorrelation.",
        files=("storage", "mask", "land"),
        settings=("trend",),
        data_suffix="nc",
    ),
    Artifact(
        "figure2",
        "Architecture",
        "The network, drawn from the model object: layers, shapes (channels × rows × columns) and parameters.",
        settings=("model", "climate_variables", "patches", "loss"),
    ),
    Artifact(
        "figure3",
        "Examples",
        "Test patches: coarse storage, bicubic target, prediction and absolute error.",
        files=("land", "storage"),
        results={"predictions": ("full",)},
        settings=("evaluation",),
        data_suffix="nc",
        first_seed=True,
    ),
    Artifact(
        "figure4",
        "Months and seasons",
        "Error by calendar month, and the seasonal cycle of target and prediction by hemisphere.",
        files=("storage", "mask", "land"),
        results={"predictions": ("full",)},
        data_suffix="nc",
        first_seed=True,
    ),
    Artifact(
        "figure5",
        "Error maps",
        "Mean absolute error of the test patches in four regions.",
        files=("land",),
        results={"predictions": ("full",)},
        data_suffix="nc",
        first_seed=True,
    ),
    Artifact(
        "figure6",
        "Convergence",
        "Loss terms and validation scores by epoch.",
        results={"histories": ("full", "ours")},
        settings=("climate_variables",),
    ),
    Artifact(
        "figure7",
        "Uncertainty",
        "Predicted standard deviation against absolute error: pixels, distribution, calibration, and errors by "
        "quartile of predicted uncertainty.",
        results={"predictions": ("full",)},
        settings=("evaluation",),
        data_suffix="nc",
        first_seed=True,
    ),
    Artifact(
        "quality_map",
        "Quality control",
        "Quality control: the reason why each half-degree cell is included or excluded.",
        files=("mask", "land"),
        data_suffix="nc",
    ),
)

ARTIFACTS = (*TABLES, *FIGURES)


def artifact(name: str) -> Artifact:
    """Return the artifact of a name such as `figure4`; a ConfigError if there is none."""
    for candidate in ARTIFACTS:
        if candidate.name == name:
            return candidate
    raise ConfigError(f"{name}: no such table or figure; expected one of {', '.join(a.name for a in ARTIFACTS)}")


def file_options(files: Mapping[str, str | Sequence[str]]) -> str:
    """Return the command-line options that name an artifact's files."""
    values = {name: [paths] if isinstance(paths, str) else paths for name, paths in files.items()}
    return shlex.join(word for name, paths in values.items() for word in (f"--{name}", *paths))
