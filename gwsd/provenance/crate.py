"""Workflow Run RO-Crate of a results folder (profile Provenance Run Crate 0.5), made from its lineage."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of
from gwsd.provenance.lineage import is_raw, is_source
from gwsd.provenance.record import RECORD_SUFFIX, FileEntry, Record, record_text
from gwsd.provenance.trace import flatten

LARGE_BYTES = 10_000_000
"""Larger files are described by name, size and hash, and may be left out of the crate."""
WORKFLOW = "workflow"
"""Folder of the crate with the text of the workflow."""
RUN_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
WORKFLOW_PROFILE = {"@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"}
PARAMETER_PROFILE = {"@id": "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"}
KINDS = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}
FORMATS = {
    **dict.fromkeys(("LICENSE", ".txt", ".lock"), "text/plain"),
    **dict.fromkeys(("Snakefile", ".smk", ".py"), "text/x-python"),
    **dict.fromkeys((".yaml", ".cff"), "application/yaml"),
    ".nc": "application/x-netcdf",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".csv": "text/csv",
    ".html": "text/html",
    ".md": "text/markdown",
}
"""Media types by suffix or name."""


@dataclass
class Crate:
    """An RO-Crate whose root is a results folder; the same records give the same document."""

    records: Sequence[Record]
    workflow: Mapping[str, Path]
    """`Snakefile`, `CITATION.cff`, rules and scripts by path from the project's root; copied to `workflow/`."""
    root: str
    """Root hash of the lineage."""
    scenario: str
    title: str
    data_label: str

    def __post_init__(self) -> None:
        self.base = f"results/{self.scenario}/"
        self.citation = yaml.safe_load(self.workflow["CITATION.cff"].read_text(encoding="utf-8"))
        self.current = {file.path: file.sha256 for record in self.records for file in record.read}
        self.current |= {file.path: file.sha256 for record in self.records for file in record.outputs}
        self.made = {file.path for record in self.records for file in record.outputs}
        self.made |= {record.path for record in self.records}
        self.kinds: dict[str, set[str]] = defaultdict(set)
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_contexts.append(RUN_CONTEXT)

    def build(self) -> dict[str, Any]:
        """Return the JSON of `ro-crate-metadata.json`."""
        self.developers = self._add(
            "#developers", "Organization", name=self.citation["authors"][0]["name"], url=f"{WORKFLOW}/CITATION.cff"
        )
        self._describe_root()
        self._add_text("README.md", self.readme().encode(), "How to verify this folder.", about={"@id": "./"})
        main = self._add_workflow()
        actions = [self._add_job(record, main) for record in sorted(self.records, key=lambda record: record.path)]
        for parameter, kinds in self.kinds.items():
            kind = "Number" if kinds == {"Integer", "Float"} else "Text" if len(kinds) > 1 else kinds.pop()
            self.crate.get(parameter)["additionalType"] = kind
        run = self._add_run(main)
        self.crate.root_dataset["mentions"] = [run, *actions]
        document: dict[str, Any] = self.crate.metadata.generate()
        for entity in document["@graph"]:  # RO-Crate 1.1: a list of one is that one, an empty list is left out
            for name, value in list(entity.items()):
                if value == []:
                    del entity[name]
                elif isinstance(value, list) and len(value) == 1:
                    entity[name] = value[0]
        return document

    def readme(self) -> str:
        """Return the text of `README.md`."""
        paper, version = self.citation["references"][0]["title"], self.citation["version"]
        return f"""# Results of the scenario `{self.scenario}`: {self.title}

Data: **{self.data_label}**.

Made by {self.citation["title"]}, version {version}, which reproduces and audits *{paper}*.

- `paper.pdf`: the article; `audit/index.html`: every number with its origin; `tables/`, `figures/`: results.
- `*.record.json`: provenance record of the job that made the file of that name; `lineage.json`: all of them.
- `ro-crate-metadata.json`: the same as a Workflow Run RO-Crate (Provenance Run Crate 0.5).
- `{WORKFLOW}/`: text of the workflow.

Raw data and files larger than 10 MB may be absent. Root hash of the lineage: `{self.root}`. To verify this folder:

    gwsd verify . --root {self.root}
"""

    def _add(self, identifier: str, kind: str, /, **properties: Any) -> Entity:
        return self.crate.get(identifier) or self.crate.add(
            ContextEntity(self.crate, identifier, properties={"@type": kind, **properties})
        )

    def _add_text(self, path: str, content: bytes, description: str, **more: Any) -> Entity:
        """Add a file of the crate by its content."""
        return self.crate.get(quote(path)) or self.crate.add_file(
            dest_path=path, properties=_facts(path, sha256(content).hexdigest(), len(content), description) | more
        )

    def _add_file(self, file: FileEntry) -> Entity:
        """Add an input or output: part of the crate if it is small and made here, else described by its hash."""
        outside = file.path.startswith("/")
        path = PurePosixPath(file.path).name if outside else file.path.removeprefix(self.base)
        current = self.current[file.path] == file.sha256
        inside = file.path.startswith(self.base) and file.path in self.made and not is_raw(file.path)
        included = current and inside and file.bytes <= LARGE_BYTES
        identifier = quote(path) if included else f"#{quote(path)}"
        if outside or not current:  # other content with the same name
            identifier += f"@{file.sha256[:12]}"
        if known := self.crate.get(identifier):
            return known
        description = path + (". " if included else ", not in this crate. ")
        description += "Part of the workflow." if is_source(file.path) else f"Data: {self.data_label}."
        facts = _facts(path, file.sha256, file.bytes, description)
        facts |= {name: value for name, value in (("url", file.url), ("identifier", file.doi)) if value}
        if included:
            return self.crate.add_file(dest_path=path, properties=facts)
        return self._add(identifier, "File", **facts)

    def _add_parameter(self, name: str, kind: str, role: str, tool: Entity, example: Entity) -> str:
        """Link a file or setting to what a script or the workflow takes or gives."""
        identifier = f"#parameter/{PurePosixPath(tool.id).stem}/{role}/{name}"
        about = {"name": name, "additionalType": kind, "conformsTo": PARAMETER_PROFILE}
        parameter = self._add(identifier, "FormalParameter", **about)
        _append(tool, "output" if role == "output" else "input", parameter)
        _append(example, "exampleOfWork", parameter)
        return identifier

    def _describe_root(self) -> None:
        crate, root = self.crate, self.crate.root_dataset
        paper = self.citation["references"][0]
        licence = f"https://spdx.org/licenses/{self.citation['license']}"
        crate.name = f"{self.title} ({self.scenario}; data: {self.data_label})"
        crate.description = (
            f"Results of the scenario `{self.scenario}` of {self.citation['title']}: all files "
            f"with the jobs that made them. Data: {self.data_label}. Raw data, files larger than 10 MB and files from "
            "outside of the folder are described by name, size and hash."
        )
        crate.datePublished = max(record.ended for record in self.records)
        crate.publisher = root["author"] = self.developers
        crate.keywords = ["groundwater", "GRACE", "downscaling", self.data_label]
        root["license"] = self._add(
            licence, "CreativeWork", name=self.citation["license"], url=licence, description="Licence of the workflow."
        )
        root["conformsTo"] = [
            self._add(address, "CreativeWork", name=name, version=address.rpartition("/")[2])
            for address, name in PROFILES.items()
        ]
        authors = "; ".join(f"{author['given-names']} {author['family-names']}" for author in paper["authors"])
        root["citation"] = self._add("#paper", "ScholarlyArticle", name=paper["title"], description=f"By {authors}.")
        about = {"name": "root hash of lineage.json", "description": "Checked by `gwsd verify --root`."}
        root["identifier"] = self._add("#root-hash", "PropertyValue", **about, propertyID="SHA-256", value=self.root)

    def _add_workflow(self) -> Entity:
        found = {record.environment.get("packages", {}).get("snakemake") for record in self.records} - {None}
        version = ", ".join(sorted(found)) or None
        path = f"{WORKFLOW}/Snakefile"
        snakefile = self.crate.add_workflow(dest_path=path, main=True, lang="snakemake", lang_version=version)
        snakefile.properties()["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
        text = self.workflow["Snakefile"].read_bytes()
        facts = _facts(path, sha256(text).hexdigest(), len(text), "The workflow; its rules are next to it.")
        facts |= {"name": self.citation["title"], "version": self.citation["version"], "url": snakefile.id}
        facts |= {"license": self.crate.root_dataset["license"], "author": self.developers}
        for name, value in {**facts, "conformsTo": WORKFLOW_PROFILE}.items():
            snakefile[name] = value
        for name, source in self.workflow.items():
            self._add_text(f"{WORKFLOW}/{name}", source.read_bytes(), f"Text of the workflow: {name}.")
        return snakefile

    def _add_tool(self, record: Record, main: Entity) -> Entity:
        script = f"workflow_scripts/{record.job}.py"
        tool = self.crate.get(f"{WORKFLOW}/{script}")
        if tool is None:
            raise DataError(f"{script}: made {record.path}, but is not among the workflow's files; list it")
        if tool.type == "File":
            python = "https://www.python.org"
            tool.properties()["@type"] = ["File", "SoftwareSourceCode"]
            tool["version"], tool["url"] = self.citation["version"], tool.id
            tool["programmingLanguage"] = self._add(python, "ComputerLanguage", name="Python", url=python)
            main.append_to("hasPart", tool)
        return tool

    def _add_job(self, record: Record, main: Entity) -> Entity:
        """Add a job as an action, and its script as a step of the workflow."""
        name = record.path.removeprefix(self.base).removesuffix(RECORD_SUFFIX)
        tool = self._add_tool(record, main)
        position = str(1 + len(main.properties().get("step", [])))
        step = self._add(f"#step/{record.job}", "HowToStep", name=record.job, position=position, workExample=tool)
        _append(main, "step", step)
        read, made = [], []
        for option, files in record.inputs.items():
            for file in files:
                read.append(self._add_file(file))
                self._add_parameter(option, "File", "input", tool, read[-1])
        for file in record.outputs:
            made.append(self._add_file(file))
            self._add_parameter(PurePosixPath(file.path).name, "File", "output", tool, made[-1])
        for option, value in (*flatten(record.settings), ("seed", record.seed)):
            identifier = f"#setting/{record.job}/{option}/{key_of(value)[:12]}"
            read.append(self._add(identifier, "PropertyValue", name=option, value=value))
            self.kinds[self._add_parameter(option, "Text", "setting", tool, read[-1])].add(KINDS[type(value)])
        code = key_of(list(record.code))
        about = {"name": f"code of {record.job}, {len(record.code)} files", "propertyID": "SHA-256", "value": code}
        read.append(self._add(f"#code/{code[:16]}", "PropertyValue", **about))
        text = record_text(record.document).encode()
        device = f" on {record.device}" if record.device else ""
        remarks = "".join(f" {remark}" for remark in record.remarks)
        return self._add(
            f"#job/{name}",
            "CreateAction",
            name=f"{record.job}: {name}",
            description=f"{record.job} completed{device}.{remarks} Data: {self.data_label}.",
            instrument=tool,
            object=_once(read),
            result=_once(made),
            **self._completed([record]),
            identifier=f"sha256:{record.key}",
            subjectOf=self._add_text(record.path.removeprefix(self.base), text, f"Provenance record of {record.job}."),
        )

    def _completed(self, records: Sequence[Record]) -> dict[str, Any]:
        return {
            "startTime": min(record.started for record in records),
            "endTime": max(record.ended for record in records),
            "agent": self.developers,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        }

    def _add_run(self, main: Entity) -> Entity:
        """Add the run as a whole: external inputs, and all outputs except intermediate ones."""
        read = {(file.path, file.sha256): file for record in self.records for file in record.read}
        given = [self._add_file(file) for file in read.values() if file.path not in self.made]
        final = [file for record in self.records for file in record.outputs if (file.path, file.sha256) not in read]
        scenario = self._add("#scenario", "PropertyValue", name="scenario", value=self.scenario)
        self._add_parameter("scenario", "Text", "input", main, scenario)
        return self._add(
            "#run",
            "CreateAction",
            name=f"run of the workflow for the scenario {self.scenario}",
            description=f"All jobs of these results, run at one time or several. Data: {self.data_label}.",
            instrument=main,
            object=[scenario, *_once(given)],
            result=_once(self._add_file(file) for file in final),
            **self._completed(self.records),
        )


def _facts(path: str, digest: str, size: int, description: str) -> dict[str, Any]:
    name = PurePosixPath(path)
    media = FORMATS.get(name.suffix or name.name, "application/octet-stream")
    about = {"name": path, "description": description, "encodingFormat": media}
    return {**about, "contentSize": str(size), "sha256": digest}


def _append(entity: Entity, name: str, value: Entity) -> None:
    if {"@id": value.id} not in entity.properties().get(name, []):
        entity.append_to(name, value)


def _once(entities: Iterable[Entity]) -> list[Entity]:
    return list({entity.id: entity for entity in entities}.values())
