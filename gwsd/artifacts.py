"""The registry of what is made: targets, captions, README's table, codecheck.yml and CITATION.cff come from it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Artifact:
    """A numbered table or figure.

    Attributes
    ----------
    kind : {'table', 'figure'}
        What it is.
    number : int
        Its number in the paper.
    title : str
        A few words.
    caption : str
        What a reader sees below it.
    data_suffix : str
        Suffix of the data file that it shows (a table is its own data).
    variants : {'none', 'full', 'components', 'memory', 'methods'}
        Which trainings it needs.
    """

    kind: Literal["table", "figure"]
    number: int
    title: str
    caption: str
    data_suffix: Literal["nc", "csv"]
    variants: Literal["none", "full", "components", "memory", "methods"]

    @property
    def name(self) -> str:
        """Its name as a target, such as figure4."""
        return f"{self.kind}{self.number}"

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the files that a reader opens."""
        return ("csv", "tex", "md") if self.kind == "table" else ("pdf", "png")

    @property
    def label(self) -> str:
        """Its number and title, such as `Table 3: Methods`."""
        return f"{self.kind.capitalize()} {self.number}: {self.title}"

    @property
    def rule(self) -> str:
        """The rule of the workflow that makes what a reader opens."""
        return f"{self.name}_files" if self.kind == "table" else "draw_figure"

    @property
    def trains(self) -> bool:
        """Whether networks are trained for it."""
        return self.variants != "none"

    def paths(self, scenario: str) -> list[str]:
        """Return the files that a reader opens, relative to the project's root."""
        return [f"results/{scenario}/{self.kind}s/{self.name}.{suffix}" for suffix in self.suffixes]

    def data_path(self, scenario: str) -> str:
        """Return the file with the data behind it, relative to the project's root."""
        return f"results/{scenario}/{self.kind}s/{self.name}.{self.data_suffix}"


@dataclass(frozen=True)
class Document:
    """A file about all of a run, made after the tables and figures.

    Attributes
    ----------
    name : str
        Its target.
    title : str
        What it is.
    file : str
        Where it lies in the folder of its scenario.
    rule : str
        The rule of the workflow that makes it.
    """

    name: str
    title: str
    file: str
    rule: str

    def path(self, scenario: str) -> str:
        """Return the file, relative to the project's root."""
        return f"results/{scenario}/{self.file}"


@dataclass(frozen=True)
class Publication:
    """The paper that is reproduced.

    Attributes
    ----------
    title : str
        As printed.
    authors : tuple of (str, str)
        Given and family names, in the paper's order.
    reference : str
        How it is referred to: a DOI where one is known.
    """

    title: str
    authors: tuple[tuple[str, str], ...]
    reference: str


@dataclass(frozen=True)
class Software:
    """The workflow, as it is cited.

    Attributes
    ----------
    title, abstract : str
        What it is.
    developers : str
        Who made it.
    keywords : tuple of str
        What to find it by.
    """

    title: str
    abstract: str
    developers: str
    keywords: tuple[str, ...]


PAPER = Publication(
    title="Securing the Silent Reserve: Physics-Informed Deep Learning for Global Groundwater Storage Downscaling",
    authors=(
        ("Kunle Adefarati", "Ibrahim"),
        ("Ologun Sodiq", "Babatunde"),
        ("Chiagoziem C.", "Ukwuoma"),
        ("Richard Joshua", "Akeredolu"),
        ("Victoria Chioma", "Ayozie-Samuel"),
        ("Maryam", "Saleem"),
    ),
    reference="K. A. Ibrahim et al., Securing the Silent Reserve; it states no DOI of its own",
)

SOFTWARE = Software(
    title="gwsd: groundwater storage downscaling, a reproducible-paper workflow",
    abstract=(f'A Snakemake workflow and Python library that reproduces, audits and goes beyond "{PAPER.title}".'),
    developers="The gwsd developers",
    keywords=("groundwater", "GRACE", "downscaling", "reproducible research"),
)

DOCUMENTS: tuple[Document, ...] = (
    Document("claims", "The paper's claims, each with a verdict", "audit/claims.csv", "claims_file"),
    Document("numbers", "Every published value, and where it comes from", "numbers.json", "numbers_file"),
    Document("paper", "The article about this reproduction", "paper.pdf", "paper_files"),
    Document("audit", "The page that a reviewer opens", "audit/index.html", "page_files"),
    Document("crate", "The run as a Workflow Run RO-Crate", "ro-crate-metadata.json", "crate_files"),
)

ARTIFACTS: tuple[Artifact, ...] = (
    Artifact(
        "table",
        1,
        "Configuration",
        "Configuration of the network and its training, counted on the model object, beside the paper's.",
        "csv",
        "none",
    ),
    Artifact(
        "table",
        2,
        "Dataset",
        "The dataset, counted in the files, beside the paper's; with the share of the test cells that also occur in "
        "training patches.",
        "csv",
        "none",
    ),
    Artifact(
        "table",
        3,
        "Methods",
        "Methods of downscaling against the bicubic target on the test patches: mean absolute error ± standard "
        "deviation over patches, root mean square error, coefficient of determination, physics loss, and error as a "
        "ratio to that of bilinear interpolation. Bicubic is the target itself: a control that scores 0 by "
        "construction. `residual` is not the paper's.",
        "csv",
        "methods",
    ),
    Artifact(
        "table",
        4,
        "Comparison",
        "Comparison with other methods. Rows marked as reported by the paper were not computed here.",
        "csv",
        "full",
    ),
    Artifact(
        "table", 5, "Physics terms", "Terms of the physics loss by epoch of the training of `full`.", "csv", "full"
    ),
    Artifact(
        "table",
        6,
        "Components",
        "Contribution of each component: error and physics loss of the variants that leave one out.",
        "csv",
        "components",
    ),
    Artifact(
        "table",
        7,
        "Memory",
        "Error, physics loss and measured training time by months of climate memory; six months is `full`.",
        "csv",
        "memory",
    ),
    Artifact(
        "table",
        8,
        "Cost",
        "Cost of training and of inference, measured here with the hardware named; the paper's rows as it states them.",
        "csv",
        "full",
    ),
    Artifact(
        "figure",
        1,
        "Trends",
        "Linear trend of the storage anomaly with the season removed. Dots mark trends that are not significant "
        "after allowance for autocorrelation.",
        "nc",
        "none",
    ),
    Artifact(
        "figure",
        2,
        "Architecture",
        "The network, drawn from the model object: layers, shapes (channels × rows × columns) and parameters.",
        "csv",
        "none",
    ),
    Artifact(
        "figure",
        3,
        "Examples",
        "Test patches: coarse storage, bicubic target, prediction and absolute error.",
        "nc",
        "full",
    ),
    Artifact(
        "figure",
        4,
        "Months and seasons",
        "Error by calendar month, and the seasonal cycle of target and prediction by hemisphere.",
        "nc",
        "full",
    ),
    Artifact("figure", 5, "Error maps", "Mean absolute error of the test patches in four regions.", "nc", "full"),
    Artifact(
        "figure",
        6,
        "Convergence",
        "Loss terms and validation scores by epoch.",
        "csv",
        "methods",
    ),
    Artifact(
        "figure",
        7,
        "Uncertainty",
        "Predicted standard deviation against absolute error: pixels, distribution, calibration, and errors by "
        "quartile of predicted uncertainty.",
        "nc",
        "full",
    ),
)


def artifact(name: str) -> Artifact:
    """Return the artifact of a name such as figure4 (KeyError where there is none)."""
    return {one.name: one for one in ARTIFACTS}[name]
