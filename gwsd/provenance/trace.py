"""Trace a published number or a file back to its raw data, as text, JSON or a Mermaid flowchart; describe a file."""

import json
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any

from gwsd.errors import DataError
from gwsd.provenance.lineage import Node, walk
from gwsd.provenance.record import RECORD_SUFFIX, Record, find_producer, read_record

Entry = Mapping[str, Any]

WIDTH, SETTINGS_LENGTH = 110, 360
"""Characters of a line, and of a job's settings in the tree (`--json` prints all)."""


def trace_text(node: Node, number: Entry | None = None) -> str:
    """Draw the lineage of a file as a tree: each file, the job that made it, and the inputs of that job.

    Repetitions refer to the first occurrence by its number in brackets. For a number (an entry of `numbers.json`) only
    the inputs that it rests on are drawn.
    """
    needed = {str(source["file"]) for source in (number or {}).get("source", ())}
    needed &= {child.file.path for child in node.children}
    lines = [*([] if number is None else _number_lines(number)), *_draw(node, {}, "", "", "", needed)]
    raw = [item for item in walk(node) if item.raw]
    synthetic = sum(item.synthetic for item in raw)
    return "\n".join([*lines, "", f"{len(raw)} raw files" + (f", {synthetic} of them synthetic" if synthetic else "")])


def _number_lines(number: Entry) -> Iterator[str]:
    kind = f", {number['kind']}" if number.get("kind") else ""
    yield f"{number['id']} = {number['text']} {number.get('unit') or ''}".rstrip()
    yield f"  {number.get('label', '')}; unrounded {number['value']!r}; {number.get('origin', 'computed')}{kind}"
    yield f"  {number['file']}, row {number.get('row')}, column {number.get('column')}"
    for source in number.get("source", ()):
        where = "".join(f", {name} {value}" for name, value in source.get("where", {}).items())
        factor = f" × {source['factor']:g}" if source.get("factor", 1) != 1 else ""
        yield f"  computed from {source['file']}: {source['key']}{where}{factor}"


def _draw(
    node: Node, numbered: dict[Any, int], first: str, rest: str, option: str, needed: Collection[str] = ()
) -> list[str]:
    identity = node.identity
    name = f"{option}{node.file.path}"
    if identity in numbered:
        return [f"{first}{name}  [see {numbered[identity]}]"]
    numbered[identity] = len(numbered) + 1
    digest = node.file.sha256 if node.raw else f"{node.file.sha256[:12]}…"
    lines = [f"{first}[{numbered[identity]}] {name}  sha256 {digest}  {_size(node.file.bytes)}"]
    record = node.record
    if record is not None and record.path in numbered:
        synthetic = "SYNTHETIC, " if node.synthetic else ""
        return [*lines, f"{rest}    {synthetic}made by job [{numbered[record.path]}], see above"]
    lines += [f"{rest}    {line}" for line in origin_lines(node)]
    if record is None:
        return lines
    numbered[record.path] = len(numbered) + 1
    lines += [f"{rest}    {line}" for line in _job_lines(record, numbered[record.path])]
    options = [option for option, files in record.inputs.items() for _ in files]
    read = [(f"{name}: ", child) for name, child in zip(options, node.children, strict=False) if not child.source]
    drawn = [pair for pair in read if not needed or pair[1].file.path in needed]
    for index, (option, child) in enumerate(drawn, start=1):
        branch, below = ("└─ ", "   ") if index == len(read) else ("├─ ", "│  ")
        lines += _draw(child, numbered, f"{rest}    {branch}", f"{rest}    {below}", option)
    if len(drawn) < len(read):
        lines.append(f"{rest}    └─ {len(read) - len(drawn)} inputs of other values in the file (--json lists them)")
    return lines


def origin_lines(node: Node) -> list[str]:
    """Describe the origin of raw data; empty for other files."""
    if not node.raw:
        return []
    if node.synthetic and node.record is not None:
        record = node.record
        return [f"SYNTHETIC, not observed: computed by {record.job}, seed {record.seed}, key {record.key[:12]}…"]
    lines = [f"url {node.url}"] if node.url else []
    lines += [f"doi https://doi.org/{node.doi.removeprefix('https://doi.org/')}"] if node.doi else []
    return lines or ["raw data of unrecorded origin"]


def _job_lines(record: Record, number: int) -> list[str]:
    environment = record.environment
    commit = str(environment.get("commit") or "no commit")[:12] + (" (modified)" if environment.get("dirty") else "")
    device = f", on {record.device}" if record.device else ""
    facts = f"seed {record.seed}, key {record.key[:12]}…, commit {commit}{device}, {record.ended}"
    lines = [f"made by job [{number}] {record.job}: {facts}"]
    settings = ", ".join(f"{key}={value}" for key, value in flatten(record.settings) if len(str(value)) <= WIDTH)
    if settings:
        lines += wrap(
            f"settings {shorten(settings, SETTINGS_LENGTH, placeholder=' …')}", WIDTH, subsequent_indent=" " * 9
        )
    return [*lines, *(f"note: {remark}" for remark in record.remarks)]


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """List settings by dotted names, such as `loss.physics_weight`; lists and null become JSON text."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def trace_json(node: Node, number: Entry | None = None) -> dict[str, Any]:
    """Return the lineage of a file as JSON types.

    `number` (or null); `files`, the traced one first, where `job` is an index or null; `jobs`, records whose `inputs`
    are indices of files.
    """
    nodes = walk(node)
    files = {item.identity: index for index, item in enumerate(nodes)}
    made = {item.record.path: item for item in nodes if item.record is not None}
    jobs = {path: index for index, path in enumerate(made)}
    return {
        "number": None if number is None else dict(number),
        "files": [
            {
                **{name: getattr(item.file, name) for name in ("path", "sha256", "bytes")},
                **{name: getattr(item, name) for name in ("raw", "synthetic", "source", "url", "doi")},
                "job": None if item.record is None else jobs[item.record.path],
            }
            for item in nodes
        ],
        "jobs": [
            {**item.record.document, "record": path, "inputs": [files[child.identity] for child in item.children]}
            for path, item in made.items()
            if item.record is not None
        ],
    }


def trace_mermaid(node: Node, number: Entry | None = None) -> str:
    """Return the lineage of a file as a Mermaid flowchart, from raw data to the file or number."""
    document = trace_json(node, number)
    shown = {index: file for index, file in enumerate(document["files"]) if not file["source"]}
    lines = ["flowchart LR"]
    for index, job in enumerate(document["jobs"]):
        lines.append(f'  j{index}[["{job["job"]}<br>seed {job["seed"]}"]]')
        lines += [f"  f{read} --> j{index}" for read in job["inputs"] if read in shown]
    for index, file in shown.items():
        opening, closing = ('[("', '")]') if file["raw"] else ('["', '"]')
        name = Path(file["path"]).name.replace('"', "#quot;")
        lines.append(f"  f{index}{opening}{name}<br>{file['sha256'][:12]}{closing}")
        lines += [] if file["job"] is None else [f"  j{file['job']} --> f{index}"]
    if number is not None:
        lines += [f'  n(["{number["id"]}<br>{number["text"]} {number.get("unit") or ""}"])', "  f0 --> n"]
    return "\n".join(lines)


def file_facts(path: Path) -> Iterator[tuple[str, Any]]:
    """List the attributes of a NetCDF, GeoTIFF or weights file, and the record of the job that made it."""
    try:
        if path.suffix in (".nc", ".nc4"):
            import netCDF4

            with netCDF4.Dataset(path) as data:
                for name, variable in data.variables.items():
                    yield name, f"({', '.join(variable.dimensions)}) {getattr(variable, 'units', '')}".rstrip()
                yield from ((name, data.getncattr(name)) for name in data.ncattrs())
        elif path.suffix in (".tif", ".tiff"):
            import rasterio

            with rasterio.open(path) as raster:
                yield "size", f"{raster.height} × {raster.width}, {raster.count} bands, {raster.crs}"
                yield from raster.tags().items()
        elif path.suffix == ".safetensors":
            with path.open("rb") as file:
                header = json.loads(file.read(min(struct.unpack("<Q", file.read(8))[0], path.stat().st_size)))
            yield from header.pop("__metadata__", {}).items()
            yield "tensors", len(header)
    except (OSError, ValueError, RuntimeError, struct.error, AttributeError, ImportError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected a file of the workflow") from None
    place = path.with_name(Path(find_producer(path).get("made_by", {}).get("record", "")).name or path.name)
    if not place.name.endswith(RECORD_SUFFIX):
        yield "record", "none in this folder"
        return
    record = read_record(place)
    yield "record", place
    yield "job", f"{record.job}, seed {record.seed}, key {record.key}"
    for option, files in record.inputs.items():
        yield f"input {option}", ", ".join(file.path for file in files)
    yield from ((f"setting {name}", value) for name, value in flatten(record.settings))
    yield "run", f"{record.started} to {record.ended}" + (f" on {record.device}" if record.device else "")
    yield "commit", record.environment.get("commit")
    yield from (("remark", remark) for remark in record.remarks)
