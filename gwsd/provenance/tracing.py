"""A number or a file, and all that it was made from, as text, JSON or a graph."""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

from gwsd.provenance.lineage import Node, walk
from gwsd.provenance.records import FileEntry, Record

Entry = Mapping[str, Any]

LONGEST_SETTINGS = 360
"""Characters of a job's settings that the tree prints; --json prints all."""

WIDTH = 110
"""Characters of a line of settings."""

LEFT_OUT_OF_SETTINGS = ("caption", "label", "data_label", "title", "plot", "headings")
"""Settings that only dress a result."""


def trace_text(node: Node, number: Entry | None = None) -> str:
    """Draw a file's lineage as a tree.

    Parameters
    ----------
    node : Node
        The file.
    number : mapping or None
        The published number that stands in it.

    Returns
    -------
    str
        A file a line, the job that made it below it, what that read below the job. What was shown already is
        referred to by its number in brackets.
    """
    lines = [] if number is None else list(_number_lines(number))
    numbered: dict[tuple[str, str], int] = {}
    behind = [] if number is None else [str(source["file"]) for source in number.get("source", ())]
    known = [path for path in behind if path in {child.file.path for child in node.children}]
    lines += _draw(node, numbered, "", "", "", known)
    raw = [one for one in walk(node) if one.raw]
    synthetic = sum(one.synthetic for one in raw)
    lines += ["", f"{len(raw)} raw files" + (f", {synthetic} of them synthetic" if synthetic else "")]
    return "\n".join(lines)


def _number_lines(one: Entry) -> Iterator[str]:
    unit = f" {one['unit']}" if one.get("unit") else ""
    yield f"{one['id']} = {one['text']}{unit}"
    yield f"  {one.get('label', '')}; with all digits {one['value']!r}; {one.get('origin', 'computed')}" + (
        "; a clock's reading" if one.get("measured") else ""
    )
    yield f"  {one['file']}, row {one.get('row')}, column {one.get('column')}"
    for source in one.get("source", ()):
        where = "".join(f", {name} {value}" for name, value in source.get("where", {}).items())
        times = f" × {source['factor']:g}" if source.get("factor", 1) != 1 else ""
        yield f"  recomputed from {source['file']}: {source['key']}{where}{times}"


def _draw(
    node: Node,
    numbered: dict[tuple[str, str], int],
    first: str,
    rest: str,
    option: str,
    only: Collection[str] = (),
) -> list[str]:
    """Draw a file and what is below it; of what its job read only some files, where they are named."""
    identity = (node.file.path, node.file.sha256)
    name = f"{option}{node.file.path}"
    if identity in numbered:
        return [f"{first}{name}  [see {numbered[identity]}]"]
    numbered[identity] = len(numbered) + 1
    lines = [f"{first}[{numbered[identity]}] {name}  sha256 {_hash(node)}  {_size(node.file.bytes)}"]
    record = node.record
    if record is None:
        return lines + [f"{rest}    {words}" for words in origin_lines(node)]
    job = ("job", record.path)
    if job in numbered:
        synthetic = "SYNTHETIC, " if node.synthetic else ""
        return [*lines, f"{rest}    {synthetic}by job [{numbered[job]}], shown above"]
    numbered[job] = len(numbered) + 1
    lines += [f"{rest}    {words}" for words in (*origin_lines(node), *_job_lines(record, numbered[job]))]
    read = [(option, child) for option, child in _options(node) if not child.source]
    shown = [(option, child) for option, child in read if not only or child.file.path in only]
    for index, (option, child) in enumerate(shown):
        last = index == len(shown) - 1 and len(shown) == len(read)
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        lines += _draw(child, numbered, f"{rest}    {branch}", f"{rest}    {below}", option)
    if len(shown) < len(read):
        left_out = ", ".join(child.file.path for _, child in read if child.file.path not in only)
        more = f"for other cells of the file, not drawn here: {left_out}"
        lines += wrap(
            more, WIDTH, initial_indent=f"{rest}    └─ ", subsequent_indent=f"{rest}       ", break_on_hyphens=False
        )
    return lines


def _options(node: Node) -> list[tuple[str, Node]]:
    """Name the option of the job before the first file that it took."""
    if node.record is None:
        return []
    named = []
    children = iter(node.children)
    for option, files in node.record.inputs.items():
        named += [(f"{option}: ", child) for _, child in zip(files, children, strict=False)]
    return named


def _hash(node: Node) -> str:
    """Print the checksum of raw data in full."""
    return node.file.sha256 if node.raw else f"{node.file.sha256[:12]}…"


def origin_lines(node: Node) -> list[str]:
    """Say where raw data come from."""
    if not node.raw:
        return []
    if node.synthetic and node.record is not None:
        code = {file["path"].rpartition("/")[2]: file["sha256"][:12] for file in node.record.code}
        main = next((f"{name} {sha}…" for name, sha in code.items() if name == f"{node.record.job}.py"), "")
        return [
            f"SYNTHETIC, not observed: written by the job {node.record.job}, seed {node.record.seed}, "
            f"{len(code)} source files{f' ({main})' if main else ''}, key {node.record.key[:12]}…"
        ]
    lines = [f"url {node.url}"] if node.url else []
    lines += [f"doi https://doi.org/{node.doi.removeprefix('https://doi.org/')}"] if node.doi else []
    return lines or ["raw data; no record here says where they were downloaded from"]


def _job_lines(record: Record, number: int) -> list[str]:
    environment = record.environment
    commit = str(environment.get("commit") or "no commit")[:12] + (" with changes" if environment.get("dirty") else "")
    device = f", on {record.device}" if record.device else ""
    lines = [
        f"made by job [{number}] {record.job}: seed {record.seed}, key {record.key[:12]}…, commit {commit}{device}, "
        f"{record.ended}"
    ]
    if settings := settings_that_matter(record):
        lines += wrap(f"settings {settings}", WIDTH, subsequent_indent="         ", break_long_words=False)
    return [*lines, *(f"note: {remark}" for remark in record.remarks)]


def settings_that_matter(record: Record, longest: int = LONGEST_SETTINGS) -> str:
    """Print a job's settings, without those that only dress a result; long ones are cut."""
    flat = dict(_flat({key: value for key, value in record.settings.items() if key not in LEFT_OUT_OF_SETTINGS}))
    text = ", ".join(f"{key}={value}" for key, value in flat.items())
    return text if len(text) <= longest else f"{text[:longest].rpartition(',')[0] or text[:longest]}, … ({len(flat)})"


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def trace_json(node: Node, number: Entry | None = None) -> dict[str, Any]:
    """Return a file's lineage as JSON types: files and jobs once each, linked by number.

    Returns
    -------
    dict
        `number` (or null), `files` (the traced one first; `job` is an index or null, `origin` says where raw data
        come from) and `jobs` (`inputs` are indices of files).
    """
    nodes = walk(node)
    files = {(one.file.path, one.file.sha256): index for index, one in enumerate(nodes)}
    records = {one.record.path: one for one in nodes if one.record is not None}
    jobs = {path: index for index, path in enumerate(records)}
    return {
        "number": None if number is None else dict(number),
        "files": [
            {
                **_described(one.file),
                "raw": one.raw,
                "synthetic": one.synthetic,
                "url": one.url,
                "doi": one.doi,
                "origin": origin_lines(one),
                "job": None if one.record is None else jobs[one.record.path],
            }
            for one in nodes
        ],
        "jobs": [
            {
                **{key: value for key, value in one.record.document.items() if key not in ("inputs", "outputs")},
                "record": one.record.path,
                "inputs": [files[child.file.path, child.file.sha256] for child in one.children],
                "outputs": [_described(file) for file in one.record.outputs],
            }
            for one in records.values()
            if one.record is not None
        ],
    }


def _described(file: FileEntry) -> dict[str, Any]:
    return {"path": file.path, "sha256": file.sha256, "bytes": file.bytes}


def _graph(node: Node, number: Entry | None) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """List nodes (name, kind, label) and arrows, from raw data to the number."""
    document = trace_json(node, number)
    shown = [index for index, one in enumerate(walk(node)) if not one.source]
    nodes = [
        (f"f{index}", "raw" if one["raw"] else "file", f"{Path(one['path']).name}\n{one['sha256'][:12]}")
        for index, one in enumerate(document["files"])
        if index in shown
    ]
    nodes += [(f"j{index}", "job", f"{one['job']}\nseed {one['seed']}") for index, one in enumerate(document["jobs"])]
    arrows = [
        (f"f{read}", f"j{index}")
        for index, one in enumerate(document["jobs"])
        for read in one["inputs"]
        if read in shown
    ]
    arrows += [(f"j{one['job']}", f"f{index}") for index, one in enumerate(document["files"]) if one["job"] is not None]
    if number is not None:
        nodes.append(("n", "number", f"{number['id']}\n{number['text']} {number.get('unit', '')}".strip()))
        arrows.append(("f0", "n"))
    return nodes, arrows


_DOT_SHAPES = {"file": "note", "raw": "cylinder", "job": "box", "number": "oval"}
_MERMAID_SHAPES = {"file": ('["', '"]'), "raw": ('[("', '")]'), "job": ('[["', '"]]'), "number": ('(["', '"])')}


def trace_dot(node: Node, number: Entry | None = None) -> str:
    """Return a file's lineage as a graph in the DOT language of Graphviz."""
    nodes, arrows = _graph(node, number)
    lines = [f"  {name} [shape={_DOT_SHAPES[kind]}, label={_quoted(label)}];" for name, kind, label in nodes]
    return "\n".join(["digraph lineage {", "  rankdir=LR;", *lines, *(f"  {a} -> {b};" for a, b in arrows), "}"])


def _quoted(label: str) -> str:
    text = label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def trace_mermaid(node: Node, number: Entry | None = None) -> str:
    """Return a file's lineage as a Mermaid flowchart, which GitHub and many editors draw."""
    nodes, arrows = _graph(node, number)
    lines = []
    for name, kind, label in nodes:
        opened, closed = _MERMAID_SHAPES[kind]
        text = label.replace('"', "#quot;").replace("\n", "<br>")
        lines.append(f"  {name}{opened}{text}{closed}")
    return "\n".join(["flowchart LR", *lines, *(f"  {a} --> {b}" for a, b in arrows)])
