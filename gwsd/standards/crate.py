"""A Workflow Run RO-Crate of a results folder: profile Provenance Run Crate 0.5."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from rocrate.model.entity import Entity

from gwsd.errors import DataError
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.records import Record, name_of, read_records
from gwsd.provenance.root import root_hash
from gwsd.standards.citation import Citation, read_citation
from gwsd.standards.crate_files import CrateFile, CrateFiles
from gwsd.standards.crate_graph import Graph, once
from gwsd.standards.crate_jobs import COMPLETED, WORKFLOW_FOLDER, Jobs
from gwsd.standards.run import Run

METADATA = "ro-crate-metadata.json"
README = "README.md"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
SNAKEMAKE = "https://snakemake.github.io"
PUBLISHED_FOLDERS = ("tables", "figures", "audit", "product")
OWN_JOB = "crate"


def build_crate(results: Path, run: Run, workflow: Mapping[str, Path]) -> tuple[dict[str, Any], str]:
    """Describe the run that made a results folder, from its records alone.

    Parameters
    ----------
    results : Path
        The folder of a scenario, wherever it lies; the crate's root.
    run : Run
        What the records do not say.
    workflow : mapping of str to Path
        Text of the workflow, by path from the project's root: `Snakefile`, `CITATION.cff`, the rules and the programs.
        In the crate they lie in the folder `workflow/`.

    Returns
    -------
    dict
        The JSON of `ro-crate-metadata.json`. The same records give the same document.
    str
        The text of the crate's `README.md`.

    Raises
    ------
    DataError
        If there is no record, a file is not what its record says, or the workflow's text lacks a program.
    """
    records = tuple(record for record in read_records(results) if record.job != OWN_JOB)
    if not records:
        raise DataError(f"{results}: no record of a job; expected files made by the workflow; run it first")
    for needed in ("Snakefile", "CITATION.cff"):
        if needed not in workflow:
            raise DataError(f"{needed}: not among the files of the workflow; a crate needs it; name it too")
    builder = _Builder(run, records, read_citation(workflow["CITATION.cff"]))
    return builder.document(results, workflow), builder.readme


def crate_text(document: dict[str, Any]) -> str:
    """Print a crate as it stands in its file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


class _Builder:
    """Adds what surrounds the jobs: the folder, the workflow, the run as a whole."""

    def __init__(self, run: Run, records: Sequence[Record], citation: Citation) -> None:
        self._run = run
        self._records = records
        self._citation = citation
        self._root = root_hash(records)
        self._base = name_of(Path(run.scenario), {one.path.split("/", 2)[-1]: one.document for one in records})
        self.readme = _readme(run, citation, self._root)
        self._graph = Graph()
        self._licence = f"https://spdx.org/licenses/{citation.license}"
        self._maker = self._graph.add(
            "#developers", "Organization", name=citation.maker, url=citation.url or f"{WORKFLOW_FOLDER}/CITATION.cff"
        )

    def document(self, results: Path, workflow: Mapping[str, Path]) -> dict[str, Any]:
        """Return the crate's JSON."""
        self._describe_folder()
        main = self._add_text(workflow)
        jobs = Jobs(
            self._graph,
            results,
            self._base,
            CrateFiles(results, self._base, self._records),
            self._run,
            workflow=main,
            maker=self._maker,
            version=self._citation.version,
        )
        actions = [jobs.add(record) for record in self._records]
        jobs.finish()
        run = self._add_run(main, jobs)
        self._add_engine(run, [control for _, control in actions])
        self._graph.crate.root_dataset["mentions"] = [run, *(action for action, _ in actions)]
        return self._graph.document()

    def _describe_folder(self) -> None:
        crate, run, citation = self._graph.crate, self._run, self._citation
        crate.name = f"{run.title} ({run.scenario}; data: {run.data_label})"
        crate.description = (
            f"Results of the scenario `{run.scenario}` of {citation.title}: tables, figures and all that they were "
            f"made from, each with the job that made it. Data: {run.data_label}. Raw data, files larger than 10 MB "
            "and files from elsewhere are described by name, size and hash."
        )
        crate.datePublished = max(record.ended for record in self._records)
        crate.publisher = self._maker
        crate.keywords = ["groundwater", "GRACE", "downscaling", run.data_label]
        crate.root_dataset["author"] = self._maker
        crate.root_dataset["license"] = self._graph.add(
            self._licence,
            "CreativeWork",
            name=citation.license,
            description=f"The {citation.license} licence, as the file LICENSE of the workflow has it.",
            url=self._licence,
        )
        crate.root_dataset["conformsTo"] = [
            self._graph.add(address, "CreativeWork", name=name, version=version)
            for address, (name, version) in PROFILES.items()
        ]
        crate.root_dataset["citation"] = self._graph.add(
            "#paper", "ScholarlyArticle", name=citation.paper, description=f"By {citation.paper_authors}."
        )
        crate.root_dataset["identifier"] = self._graph.add(
            "#root-hash",
            "PropertyValue",
            name="root hash of the records",
            propertyID="SHA-256",
            value=self._root,
            description="Over the records that lead to the published numbers: `gwsd verify --root` checks against it.",
        )

    def _add_text(self, workflow: Mapping[str, Path]) -> Entity:
        """Add the README and the text of the workflow; return the main workflow."""
        text = self.readme.encode()
        readme = CrateFile(README, sha256(text).hexdigest(), len(text))
        self._graph.add_file(readme, "What this folder is, and how it is checked.", about={"@id": "./"})
        files = {name: self._text_file(name, path) for name, path in workflow.items()}
        main = self._graph.crate.add_workflow(dest_path=files["Snakefile"].path, main=True, lang="snakemake")
        main.properties()["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
        about = {
            "name": self._citation.title,
            "description": "Text of the workflow: its Snakefile; the rules that it includes lie beside it.",
            "version": self._citation.version,
            "license": {"@id": self._licence},
            "url": self._citation.url or files["Snakefile"].identifier,
            "author": self._maker,
            "conformsTo": {"@id": WORKFLOW_PROFILE},
            "encodingFormat": files["Snakefile"].encoding_format,
            "contentSize": str(files["Snakefile"].bytes),
            "sha256": files["Snakefile"].sha256,
        }
        for name, value in about.items():
            main[name] = value
        for name, file in files.items():
            self._graph.add_file(file, f"Text of the workflow: {name}.")
        return main

    @staticmethod
    def _text_file(name: str, path: Path) -> CrateFile:
        return CrateFile(f"{WORKFLOW_FOLDER}/{name}", sha256_of(path), path.stat().st_size)

    def _add_run(self, main: Entity, jobs: Jobs) -> Entity:
        made = {file.path for record in self._records for file in record.outputs}
        given = [file for record in self._records for file in record.read if file.path not in made]
        outputs = [file for record in self._records for file in record.outputs]
        published = [file for file in outputs if self._is_published(file.path)] or outputs
        scenario = self._graph.add("#scenario", "PropertyValue", name="scenario", value=self._run.scenario)
        self._graph.add_parameter("#parameter/workflow/scenario", "scenario", "Text", "input", main, scenario)
        return self._graph.add(
            "#run",
            "CreateAction",
            name=f"run of the workflow for the scenario {self._run.scenario}",
            description=f"All jobs whose results lie here, at one time or several. Data: {self._run.data_label}.",
            instrument=main,
            object=[scenario, *once([one for file in given if (one := jobs.entity(file)) is not None])],
            result=once([one for file in published if (one := jobs.entity(file)) is not None]),
            startTime=min(record.started for record in self._records),
            endTime=max(record.ended for record in self._records),
            actionStatus=COMPLETED,
            agent=self._maker,
        )

    def _is_published(self, path: str) -> bool:
        parts = Path(path.removeprefix(f"{self._base}/")).parts
        return len(parts) == 1 or parts[0] in PUBLISHED_FOLDERS

    def _add_engine(self, run: Entity, controls: list[Entity]) -> None:
        versions = {str(record.environment.get("packages", {}).get("snakemake")) for record in self._records}
        version = ", ".join(sorted(versions - {"None"})) or "not recorded"
        engine = self._graph.add(
            SNAKEMAKE, "SoftwareApplication", name="Snakemake", url=SNAKEMAKE, softwareVersion=version
        )
        self._graph.add(
            "#orchestration",
            "OrganizeAction",
            name=f"Snakemake's part of the run for the scenario {self._run.scenario}",
            instrument=engine,
            object=controls,
            result=run,
            startTime=run["startTime"],
            endTime=run["endTime"],
            actionStatus=COMPLETED,
            agent=self._maker,
        )


def _readme(run: Run, citation: Citation, root: str) -> str:
    """Say in Markdown what a results folder is and how it is checked."""
    return f"""# Results of the scenario `{run.scenario}`: {run.title}

Data: **{run.data_label}**.

Made by {citation.title}, version {citation.version} ({citation.license}), which reproduces and audits
*{citation.paper}*.

`tables/` and `figures/` hold what a reader sees; `paper.pdf` and `audit/index.html` lead from each number to where it
comes from. Beside each file lies the record of the job that made it. `{METADATA}` describes all of it as a
Workflow Run RO-Crate (Provenance Run Crate 0.5); `{WORKFLOW_FOLDER}/` is the text of the workflow. Raw data and files
larger than 10 MB may be left out: they are described there by size and SHA-256.

Root hash of the records:

    {root}

Check this folder:

    gwsd verify . --root {root}
"""
