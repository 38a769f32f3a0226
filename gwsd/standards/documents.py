"""codecheck.yml, CITATION.cff and README's table of artifacts, written from the registry."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from gwsd.artifacts import ARTIFACTS, DOCUMENTS, PAPER, SOFTWARE
from gwsd.errors import DataError
from gwsd.standards.minutes import Minutes, read_minutes

CODECHECK = "https://codecheck.org.uk/spec/config/2.0/"
MINUTES = Path("reference/demo/minutes.json")
BEGIN = "<!-- artifacts: written by `gwsd standards` from gwsd/artifacts.py -->"
END = "<!-- end of artifacts -->"
NOTE = "# Written by `gwsd standards` from gwsd/artifacts.py: edit there.\n"


def documents(root: Path) -> dict[str, str]:
    """Write the documents that the registry makes.

    Parameters
    ----------
    root : Path
        Of the project: its pyproject.toml, config.yaml, README.md and measured minutes are read.

    Returns
    -------
    dict of str to str
        Text by file name.

    Raises
    ------
    DataError
        If README.md lacks the marks between which the table stands, or the minutes were not measured.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    scenario, label = _default_scenario(root)
    readme = (root / "README.md").read_text(encoding="utf-8")
    return {
        "codecheck.yml": codecheck(scenario, label),
        "CITATION.cff": citation(project["version"], project["license"]),
        "README.md": with_table(readme, table(read_minutes(root / MINUTES))),
    }


def _default_scenario(root: Path) -> tuple[str, str]:
    from gwsd.config import read_config

    config = read_config(yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8")))
    return config.scenario, config.settings(config.scenario).data_label


def codecheck(scenario: str, data_label: str) -> str:
    """Write codecheck.yml, specification 2.0, as far as authors fill it in.

    Parameters
    ----------
    scenario : str
        Whose files are in the manifest.
    data_label : str
        What its data are.

    Returns
    -------
    str
        Without codechecker, report, summary and certificate, which the codechecker adds, and without ORCIDs, which the
        paper does not give.
    """
    manifest = [{"file": one.paths(scenario)[0], "comment": f"{one.label} ({data_label})"} for one in ARTIFACTS]
    document = {
        "version": CODECHECK,
        "manifest": manifest,
        "paper": {
            "title": PAPER.title,
            "authors": [{"name": f"{given} {family}"} for given, family in PAPER.authors],
            "reference": PAPER.reference,
        },
        "source": (
            f"`make reproduce` makes the files of the manifest from nothing ({data_label}); "
            "`gwsd compare` sets their numbers beside those of an earlier run in reference/demo."
        ),
    }
    added = (
        "# A codechecker adds codechecker, report, summary and certificate. The paper gives no ORCIDs: its authors can "
        "add them.\n"
    )
    return f"%YAML 1.1\n---\n{NOTE}{added}{_yaml(document)}"


def citation(version: str, license_name: str) -> str:
    """Write CITATION.cff, Citation File Format 1.2.0.

    Parameters
    ----------
    version, license_name : str
        Of the software.
    """
    document = {
        "cff-version": "1.2.0",
        "message": "If you use this workflow, please cite it together with the paper that it reproduces.",
        "title": SOFTWARE.title,
        "abstract": SOFTWARE.abstract,
        "type": "software",
        "version": version,
        "license": license_name,
        "authors": [{"name": SOFTWARE.developers}],
        "keywords": list(SOFTWARE.keywords),
        "references": [
            {
                "type": "article",
                "title": PAPER.title,
                "authors": [{"given-names": given, "family-names": family} for given, family in PAPER.authors],
            }
        ],
    }
    return NOTE + _yaml(document)


def table(measured: Minutes) -> str:
    """Write README's table: artifact, command, rule, minutes, whether it needs a GPU.

    Parameters
    ----------
    measured : Minutes
        Of a run.
    """
    rows = [(one.name, one.label, one.rule, one.trains) for one in ARTIFACTS]
    rows += [(one.name, one.title, one.rule, True) for one in DOCUMENTS]
    lines = [
        "| artifact | command | rule | minutes | needs a GPU? |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {label} | `snakemake --cores all {name}` | `{rule}` | {_minutes(measured, name)} | {_gpu(trains)} |"
            for name, label, rule, trains in rows
        ),
        "",
        "Minutes: computing time of all jobs that an artifact needs, from nothing, one after the other; scenario "
        f"`{measured.scenario}`,",
        f"{measured.processor}. Jobs run side by side and serve several artifacts: the whole takes less than the sum.",
    ]
    return "\n".join(lines) + "\n"


def _minutes(measured: Minutes, name: str) -> str:
    return f"{measured.minutes[name]:.1f}" if name in measured.minutes else "not measured"


def _gpu(trains: bool) -> str:
    return "at the paper's scale" if trains else "no"


def with_table(readme: str, text: str) -> str:
    """Put the table between its marks.

    Raises
    ------
    DataError
        If the marks are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(
            f"README.md: no lines {BEGIN!r} and {END!r}; the table of artifacts stands between them; add them"
        )
    return f"{before}{BEGIN}\n{text}{END}{after}"


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
