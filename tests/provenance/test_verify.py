"""Verification: every change of a results folder is found, and harmless differences are not."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gwsd.provenance.verify import report_text, verify
from tests.provenance.results_folder import SUMMARY, TABLE, TOY, WEIGHTS, Folder, edit


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def swap(first: Path, second: Path) -> None:
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


MUTATIONS: dict[str, tuple[Callable[[Folder], object], str]] = {
    "a table": (lambda f: append(f.root / TABLE), "changed: .*table3.csv: not the content made by table"),
    "weights of another seed": (
        lambda f: swap(f.root / WEIGHTS, f.results / "models/full/seed1/weights.safetensors"),
        "changed: .*seed0/weights",
    ),
    "raw data": (lambda f: append(f.results / "raw/g3p/storage.nc"), "changed: .*raw/g3p/storage.nc"),
    "a download": (lambda f: append(f.root / "raw/g3p/g3p.zip"), "changed: raw/g3p/g3p.zip"),
    "a folder in its place": (
        lambda f: ((f.root / TABLE).unlink(), (f.root / TABLE).mkdir()),
        "missing: .*table3.csv",
    ),
    "a removed file": (lambda f: (f.root / SUMMARY).unlink(), "missing: .*summary.json: made by evaluate"),
    "an added file": (lambda f: f.write(f"{TOY}/tables/table9.csv", "x"), "unknown: .*table9.csv"),
    "a removed record": (lambda f: f.record(WEIGHTS).unlink(), "listed in lineage.json, but not here"),
    "a lone surrogate in a record": (
        lambda f: replace(f.record(TABLE), '"seed"', '"\\ud800": 1, "seed"'),
        "changed: .*record.json: not a readable record",
    ),
    "a truncated record": (lambda f: f.record(TABLE).write_text("{"), "changed: .*record.json: not a readable record"),
    "a record's text": (lambda f: append(f.record(TABLE)), "changed: .*its checksum does not match"),
    "a record without checksum": (
        lambda f: replace(f.record(TABLE), '"checksum"', '"other"'),
        "changed: .*not a readable record",
    ),
    "a seed, signed": (lambda f: edit(f.record(WEIGHTS), lambda r: r.update(seed=7)), "output of job .*make it again"),
    "a seed with the old key, signed": (
        lambda f: edit(f.record(WEIGHTS), lambda r: r.update(seed=7), key=False),
        "its key does not match",
    ),
    "a commit, signed": (
        lambda f: edit(f.record(WEIGHTS), lambda r: r["environment"].update(commit="1")),
        "differs from its copy in lineage.json",
    ),
    "an output's hash, signed": (
        lambda f: edit(f.record(WEIGHTS), lambda r: r["outputs"][0].update(sha256="0" * 64)),
        "made from .* with SHA-256",
    ),
    "an input that nobody made, signed": (
        lambda f: edit(f.record(TABLE), lambda r: r["inputs"]["summaries"][0].update(path=f"{TOY}/x.json")),
        "no record for its input",
    ),
    "an output claimed twice": (
        lambda f: shutil.copy(f.record(TABLE), f.results / "tables/table9.csv.record.json"),
        "is also an output in",
    ),
    "a path with a null byte, signed": (
        lambda f: edit(f.record(TABLE), lambda r: r["outputs"][1].update(path=f"{TOY}/tables/\0")),
        "unknown: .*table3.md",
    ),
    "root.txt": (lambda f: f.write(f"{TOY}/root.txt", "0" * 64), "root.txt: 0+, but the root hash"),
    "the root in lineage.json": (
        lambda f: replace(f.results / "lineage.json", '"root": "', '"root": "0'),
        "lineage.json: 0.*, but the root hash of the records",
    ),
    "a damaged lineage.json": (lambda f: f.write(f"{TOY}/lineage.json", "{}"), "not a lineage.json"),
    "a damaged numbers.json": (lambda f: f.write(f"{TOY}/numbers.json", "[]"), "numbers.json: not a list of published"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_is_found_and_named(name: str, folder: Folder) -> None:
    change, message = MUTATIONS[name]
    change(folder)
    report = verify(folder.results)
    assert not report.ok
    text = report_text(report)
    assert re.search(message, text), text


@pytest.mark.parametrize(
    "change",
    [
        lambda f: None,
        lambda f: [os.utime(path, (1, 1)) for path in f.results.rglob("*")],
        lambda f: shutil.rmtree(f.results / "raw"),
        lambda f: shutil.rmtree(f.root / "raw"),
        lambda f: shutil.rmtree(f.results / "logs"),
        lambda f: f.write(f"{TOY}/checkpoints/epoch-1.ckpt", ""),
        lambda f: f.write(f"{TOY}/tables/.partial-1-table4.csv", ""),
    ],
    ids=["nothing", "touch", "raw data left out", "downloads left out", "no logs", "a checkpoint", "a running job"],
)
def test_harmless_differences_are_accepted(change: Callable[[Folder], object], folder: Folder) -> None:
    root = (folder.results / "root.txt").read_text().strip()
    change(folder)
    report = verify(folder.results, root)
    assert report.ok, report_text(report)
    assert report.root == root
    assert report.numbers == 1


def test_a_copy_under_another_name_is_the_same(folder: Folder, tmp_path: Path) -> None:
    shutil.copytree(folder.results, tmp_path / "for the reviewer")
    assert verify(tmp_path / "for the reviewer").ok


def test_the_expected_root_is_compared(folder: Folder) -> None:
    assert "the expected root hash: 000" in report_text(verify(folder.results, "0" * 64))
    (folder.results / "lineage.json").unlink()
    assert "the root hash of the records is None" in report_text(verify(folder.results, "0" * 64))


def test_every_byte_of_a_record_is_covered(folder: Folder) -> None:
    record = folder.record(f"{TOY}/inputs/storage.nc")
    text = record.read_bytes()
    for place in range(0, len(text), 97):
        record.write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        assert not verify(folder.results).ok, place


def test_verify_writes_nothing(folder: Folder) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")}
    verify(folder.results)
    assert {path: path.stat().st_mtime_ns for path in folder.root.rglob("*")} == before
