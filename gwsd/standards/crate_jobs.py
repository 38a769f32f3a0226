"""The jobs of a run as actions of a crate: program, files, settings, times, and the rule that each is a step of."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from rocrate.model.entity import Entity

from gwsd.errors import DataError
from gwsd.provenance.hashing import key_of, sha256_of
from gwsd.provenance.lineage import is_source
from gwsd.provenance.records import RECORD_SUFFIX, FileEntry, Record
from gwsd.standards.crate_files import CrateFile, CrateFiles
from gwsd.standards.crate_graph import Graph, append, once
from gwsd.standards.parameters import flat, kind_of, options_of_outputs
from gwsd.standards.run import Run

WORKFLOW_FOLDER = "workflow"
"""Folder of the crate with the text of the workflow."""

COMPLETED = "http://schema.org/CompletedActionStatus"


class Jobs:
    """Adds jobs to a crate.

    Parameters
    ----------
    graph : Graph
        The crate, which has the programs' files already.
    results : Path
        Its root.
    base : str
        How records call that folder.
    files : CrateFiles
        Names of the files.
    run : Run
        What the records do not say.
    workflow, maker : Entity
        The main workflow, and who made it.
    version : str
        Of the workflow.
    """

    def __init__(
        self,
        graph: Graph,
        results: Path,
        base: str,
        files: CrateFiles,
        run: Run,
        *,
        workflow: Entity,
        maker: Entity,
        version: str,
    ) -> None:
        self._graph = graph
        self._results = results
        self._base = base
        self._files = files
        self._run = run
        self._workflow = workflow
        self._maker = maker
        self._version = version
        self._values: dict[str, list[Any]] = defaultdict(list)

    def add(self, record: Record) -> tuple[Entity, Entity]:
        """Add a job; return its action and the action of the step that it was."""
        name = record.path.removeprefix(f"{self._base}/").removesuffix(RECORD_SUFFIX)
        tool = self._tool(record)
        rule, position = self._run.step(record)
        step = self._graph.add(f"#step/{rule}", "HowToStep", name=rule, position=str(position), workExample=tool)
        append(self._workflow, "step", step)
        outputs = options_of_outputs(record)
        read = [
            self._file(file, tool, f"{record.job}/input/{option}")
            for option, files in record.inputs.items()
            for file in files
        ]
        made = [self._file(file, tool, f"{record.job}/output/{outputs[file.path]}") for file in record.outputs]
        told = [self._setting(record, tool, *one) for one in (*flat(record.settings), ("seed", record.seed))]
        action = self._graph.add(
            f"#job/{name}",
            "CreateAction",
            name=f"{rule}: {name}",
            description=self._what_happened(record),
            instrument=tool,
            object=[*once(read), *once(told), self._code(record)],
            result=once(made),
            startTime=record.started,
            endTime=record.ended,
            actionStatus=COMPLETED,
            agent=self._maker,
            identifier=f"sha256:{record.key}",
            subjectOf=self._record(record),
        )
        control = self._graph.add(
            f"#step-run/{name}",
            "ControlAction",
            name=f"step {rule}: {name}",
            instrument=step,
            object=action,
            actionStatus=COMPLETED,
        )
        return action, control

    def finish(self) -> None:
        """Give the parameter of each setting the type that its values have in common."""
        for identifier, values in self._values.items():
            parameter = self._graph.get(identifier)
            assert parameter is not None
            parameter["additionalType"] = kind_of(values)

    def entity(self, file: FileEntry) -> Entity | None:
        """Return a file that a job read or wrote."""
        return self._graph.get(self._files.find(file).identifier)

    def _tool(self, record: Record) -> Entity:
        script = f"workflow_scripts/{record.job}.py"
        tool = self._graph.get(f"{WORKFLOW_FOLDER}/{script}")
        if tool is None:
            raise DataError(f"{script}: not among the files of the workflow, but {record.path} was made by it; name it")
        if "SoftwareSourceCode" not in tool.properties()["@type"]:
            python = "https://www.python.org"
            tool.properties()["@type"] = ["File", "SoftwareSourceCode"]
            tool["version"] = self._version
            tool["url"] = tool.id
            tool["programmingLanguage"] = self._graph.add(python, "ComputerLanguage", name="Python", url=python)
            self._workflow.append_to("hasPart", tool)
        return tool

    def _file(self, entry: FileEntry, tool: Entity, parameter: str) -> Entity:
        file = self._files.find(entry)
        entity = self._graph.add_file(file, self._description(file))
        _, role, option = parameter.split("/")
        self._graph.add_parameter(f"#parameter/{parameter}", option, "File", role, tool, entity)
        return entity

    def _description(self, file: CrateFile) -> str:
        if is_source(file.path):
            return f"{file.path}, part of the workflow's repository; not in this crate."
        place = "" if file.included else "; not part of this crate, kept by reference"
        return f"{file.path}{place}. Data: {self._run.data_label}."

    def _setting(self, record: Record, tool: Entity, name: str, value: Any) -> Entity:
        identifier = f"#setting/{record.job}/{name}/{key_of(value)[:12]}"
        setting = self._graph.add(identifier, "PropertyValue", name=name, value=value)
        parameter = f"#parameter/{record.job}/setting/{name}"
        self._graph.add_parameter(parameter, name, "Text", "input", tool, setting)
        self._values[parameter].append(value)
        return setting

    def _code(self, record: Record) -> Entity:
        value = key_of(list(record.code))
        return self._graph.add(
            f"#code/{value[:16]}",
            "PropertyValue",
            name=f"code of {record.job}",
            propertyID="SHA-256",
            value=value,
            description=f"Over path and SHA-256 of {len(record.code)} source files, which the job's record lists.",
        )

    def _record(self, record: Record) -> Entity:
        name = record.path.removeprefix(f"{self._base}/")
        path = self._results / name
        file = CrateFile(name, sha256_of(path), path.stat().st_size)
        return self._graph.add_file(file, f"Record of a job of {record.job}.")

    def _what_happened(self, record: Record) -> str:
        said = [f"workflow_scripts/{record.job}.py ran to its end"]
        if record.device:
            said.append(f"on {record.device}")
        if record.resumed:
            said.append("resumed from a checkpoint")
        remarks = "".join(f" {remark}" for remark in record.remarks)
        return f"{', '.join(said)}.{remarks} Data: {self._run.data_label}."
