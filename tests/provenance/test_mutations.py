"""Every change of a results folder is caught; what changes nothing is not."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gwsd.provenance.records import RECORD_SUFFIX, read_records, record_text
from gwsd.provenance.root import root_hash
from gwsd.provenance.signatures import open_record
from gwsd.provenance.verifying import verify
from tests.provenance.conftest import MUTATION
from tests.provenance.forging import (
    Document,
    edit,
    flip,
    print_root_again,
    replace,
    replace_in_pdf,
    sign_again,
    sign_all_again,
    swap,
)
from tests.provenance.workshop import pdf_of

TRAINED = "models/full/seed0/weights.safetensors"
TRAINING = f"{TRAINED}{RECORD_SUFFIX}"
EVALUATION = f"evaluation/full/seed0/summary.json{RECORD_SUFFIX}"
TABLE = "tables/table3"

FILES = (
    "inputs/storage.nc",
    "inputs/mask.nc",
    "twin/truth.nc",
    "raw/g3p/storage.nc",
    TRAINED,
    "models/full/seed0/history.csv",
    "evaluation/full/seed0/summary.json",
    f"{TABLE}.csv",
    f"{TABLE}.tex",
    f"{TABLE}.md",
    f"{TABLE}.html",
    f"{TABLE}.json",
    "figures/figure6.pdf",
    "figures/figure6.png",
    "numbers.json",
    "paper.pdf",
    "paper.numbers.json",
    "audit/index.html",
)
"""One of each kind, and more."""

RECORDS = (
    TRAINING,
    EVALUATION,
    f"twin/truth.nc{RECORD_SUFFIX}",
    f"{TABLE}.csv{RECORD_SUFFIX}",
    f"paper.pdf{RECORD_SUFFIX}",
)


def set_rate(document: Document) -> None:
    document["settings"]["rate"] = 0.1


def set_seed(document: Document) -> None:
    document["seed"] = 7


def set_commit(document: Document) -> None:
    document["environment"]["commit"] = "0" * 40


def set_parent(document: Document, *, path: bool) -> None:
    """Let an evaluation say that it used the other training's weights."""
    other = document["inputs"]["weights"][0]
    maker = Path(TRAINING.replace("seed0", "seed1"))
    other["sha256"] = PARENTS["sha256"]
    if path:
        other["path"] = other["path"].replace("seed0", "seed1")
        other["made_by"] = {"record": f"results/toy/{maker.as_posix()}", "key": PARENTS["key"]}


PARENTS: dict[str, str] = {}


def wrong_parent(results: Path, *, path: bool) -> None:
    other = json.loads((results / TRAINING.replace("seed0", "seed1")).read_text())
    PARENTS.update(sha256=other["outputs"][0]["sha256"], key=other["key"])
    edit(results / EVALUATION, lambda document: set_parent(document, path=path))


def unseal(document: Document) -> None:
    document.pop("seal")
    set_commit(document)


def edit_and_sign(name: str, old: str, new: str) -> Callable[[Path], None]:
    def mutate(results: Path) -> None:
        replace(results / name, old, new)
        sign_again(results / name)

    return mutate


def another_article(results: Path) -> None:
    """Another PDF whose record says that it is the one that was made."""
    (results / "paper.pdf").write_bytes(pdf_of(["The error is 1.139 cm.", "The error is 0.035 cm."]))
    sign_again(results / "paper.pdf")


def digit_in_article(results: Path) -> None:
    replace_in_pdf(results / "paper.pdf", "1.239", "1.139")
    sign_again(results / "paper.pdf")


def another_root_in_article(results: Path) -> None:
    root = root_hash(read_records(results))
    replace_in_pdf(results / "paper.pdf", root, root[::-1])
    sign_again(results / "paper.pdf")


def better_error_everywhere(results: Path) -> None:
    """A better error in the table and in all that prints it, signed again; its source says another."""
    for name in (f"{TABLE}.csv", f"{TABLE}.json", "numbers.json"):
        text = (results / name).read_text()
        value = str(json.loads((results / "numbers.json").read_text())["values"][1]["value"])
        (results / name).write_text(text.replace(value, value.replace("1.23", "1.13")).replace("1.239", "1.139"))
    for name in (f"{TABLE}.tex", f"{TABLE}.md", f"{TABLE}.html", "paper.numbers.json", "audit/index.html"):
        replace(results / name, "1.239", "1.139")
    replace_in_pdf(results / "paper.pdf", "1.239", "1.139")
    old = root_hash(read_records(results))
    numbers = json.loads((results / "numbers.json").read_text())
    sign_all_again(results)
    for one in numbers["values"]:
        one["sha256"] = next(
            file.sha256 for record in read_records(results) for file in record.outputs if file.path == one["file"]
        )
    (results / "numbers.json").write_text(json.dumps(numbers))
    sign_all_again(results)
    print_root_again(results, old, root_hash(read_records(results)))
    sign_all_again(results)


def whole_chain(results: Path) -> None:
    """A training with another rate, and every record after it signed again, root hashes included."""
    old = root_hash(read_records(results))
    edit(results / TRAINING, set_rate)
    sign_all_again(results)
    print_root_again(results, old, root_hash(read_records(results)))
    sign_all_again(results)


def move(results: Path, old: str, new: str) -> None:
    (results / new).parent.mkdir(parents=True, exist_ok=True)
    (results / old).rename(results / new)


MUTATIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    **{f"a bit of {name}": (lambda results, name=name: flip(results / name), "changed") for name in FILES},
    **{f"the last bit of {name}": (lambda results, name=name: flip(results / name, 1.0), "changed") for name in FILES},
    **{f"a bit of {name}": (lambda results, name=name: flip(results / name), "changed") for name in RECORDS},
    **{
        f"{name} is gone": (lambda results, name=name: (results / name).unlink(), "missing")
        for name in FILES
        if not name.startswith("raw/")
    },
    **{f"{name} is gone": (lambda results, name=name: (results / name).unlink(), "unknown") for name in RECORDS},
    "a digit of the table's csv": (edit_and_sign(f"{TABLE}.csv", "1.239", "1.139"), "tables/table3.csv"),
    "a digit of the table's tex": (edit_and_sign(f"{TABLE}.tex", "1.239", "1.139"), "is printed as 1.139"),
    "a digit of the table's md": (edit_and_sign(f"{TABLE}.md", "1.239", "1.139"), "is printed as 1.139"),
    "a digit of the table's html": (edit_and_sign(f"{TABLE}.html", "1.239", "1.139"), "is printed as 1.139"),
    "a digit of the table's list": (edit_and_sign(f"{TABLE}.json", "1.239", "1.139"), "differ"),
    "a value in numbers.json": (edit_and_sign("numbers.json", "1.239", "1.139"), "table3:full:mae_cm"),
    "a text in numbers.json": (edit_and_sign("numbers.json", '"1.239"', '"1.139"'), "prints as 1.239"),
    "a digit of the page": (
        edit_and_sign("audit/index.html", ">1.239<", ">1.139<"),
        "shows 1.139 for table3:full:mae_cm",
    ),
    "a digit of the page's data": (edit_and_sign("audit/index.html", '"1.239"', '"1.139"'), "its data have 1.139"),
    "an id of the page": (edit_and_sign("audit/index.html", "full:mae_cm", "best:mae_cm"), "no published value"),
    "a digit of the article": (digit_in_article, "prints 1.239 0 times"),
    "another article": (another_article, "prints 1.239 0 times"),
    "a digit of the article's list": (edit_and_sign("paper.numbers.json", "1.239", "1.139"), "was set as 1.139"),
    "the root hash in the article": (another_root_in_article, "prints the root hash"),
    "two checkpoints swapped": (
        lambda results: swap(results / TRAINED, results / TRAINED.replace("seed0", "seed1")),
        "changed",
    ),
    "two trainings swapped": (
        lambda results: swap(results / "models/full/seed0", results / "models/full/seed1"),
        "lies beside none",
    ),
    "a setting": (lambda results: edit(results / TRAINING, set_rate, seal=False, key=False), "seal"),
    "a setting, sealed again": (lambda results: edit(results / TRAINING, set_rate, key=False), "its key is not"),
    "a setting, signed again": (lambda results: edit(results / TRAINING, set_rate), "the record there is now"),
    "a seed": (lambda results: edit(results / TRAINING, set_seed, seal=False, key=False), "seal"),
    "a seed, sealed again": (lambda results: edit(results / TRAINING, set_seed, key=False), "its key is not"),
    "a seed, signed again": (lambda results: edit(results / TRAINING, set_seed), "the record there is now"),
    "a commit": (lambda results: edit(results / TRAINING, set_commit, seal=False), "seal"),
    "a commit, and the seal removed": (
        lambda results: edit(results / TRAINING, unseal, seal=False),
        "seal was removed",
    ),
    "a space in a record": (lambda results: replace(results / TRAINING, ": ", ":  "), "not as its job wrote it"),
    "a wrong parent": (lambda results: wrong_parent(results, path=False), "it was made from"),
    "another parent": (lambda results: wrong_parent(results, path=True), "the record there is now"),
    "an unknown file": (lambda results: (results / f"{TABLE}b.csv").write_text("a,b\n"), "unknown"),
    "an unknown file beside the records": (lambda results: (results / "a.txt").write_text(""), "unknown"),
    "a moved file": (lambda results: move(results, f"{TABLE}.csv", "tables/table4.csv"), "missing"),
    "a moved record": (lambda results: move(results, TRAINING, f"inputs/a.nc{RECORD_SUFFIX}"), "lies beside none"),
    "a copied record": (
        lambda results: shutil.copy(results / TRAINING, results / f"inputs/a.nc{RECORD_SUFFIX}"),
        "also claimed by",
    ),
    "a folder for a file": (lambda results: ((results / TRAINED).unlink(), (results / TRAINED).mkdir()), "missing"),
    "an empty file": (lambda results: (results / TRAINED).write_bytes(b""), "changed"),
    "an empty record": (lambda results: (results / TRAINING).write_text("{}"), "no readable record"),
    "a better error, all signed again": (better_error_everywhere, "its sources give"),
}
"""What is done, and a word that the report must say of it."""


def words_of(results: Path, root: str | None = None) -> str:
    report = verify(results, root=root)
    faults = [
        f"{one.status} {one.path} {one.reason}"
        for one in report.files
        if one.status not in ("intact", "not present here")
    ]
    assert report.ok == (not faults and not report.records and not report.numbers and report.root_agrees)
    if not report.root_agrees:
        faults.append("not the root hash")
    return "\n".join([*faults, *report.records, *report.numbers])


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_is_caught(name: str, results: Path, record_property: Callable[[str, object], None]) -> None:
    mutate, expected = MUTATIONS[name]
    mutate(results)
    found = words_of(results)
    record_property(MUTATION, bool(found))
    assert expected in found


def test_a_chain_that_is_signed_again_from_end_to_end_is_told_by_the_root_alone(
    results: Path, record_property: Callable[[str, object], None]
) -> None:
    root = root_hash(read_records(results))
    whole_chain(results)
    assert words_of(results) == ""
    found = words_of(results, root)
    record_property(MUTATION, bool(found))
    assert found == "not the root hash"


def test_no_byte_of_a_record_can_change_unseen(results: Path) -> None:
    record = results / TRAINING
    content = record.read_bytes()
    assert open_record(results, record).fault is None
    for place in range(0, len(content), 3):
        for new in {content[place] ^ 1, content[place] ^ 32, 32, 10} - {content[place]}:
            record.write_bytes(content[:place] + bytes([new]) + content[place + 1 :])
            assert open_record(results, record).fault is not None, f"byte {place} as {new}"


HARMLESS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda results: None,
    "a touch": lambda results: [os.utime(path, (1, 1)) for path in results.rglob("*")],
    "raw data left out": lambda results: shutil.rmtree(results / "raw"),
    "another log": lambda results: (results / "logs/train.log").write_text("more"),
    "logs left out": lambda results: shutil.rmtree(results / "logs"),
    "a checkpoint of a training that was killed": lambda results: (
        (results / "checkpoints").mkdir(),
        (results / "checkpoints/epoch-1.ckpt").write_text(""),
    ),
    "an output that is being written": lambda results: (results / "tables/.partial-1-table4.csv").write_text(""),
    "a record of before there were seals": lambda results: old_record(results / TRAINING),
}


def old_record(record: Path) -> None:
    """A training's record as it was written before this kind: no seal, no remarks, no makers of inputs."""
    document = json.loads(record.read_text())
    document.pop("seal")
    document.pop("remarks")
    for files in document["inputs"].values():
        for one in files:
            one.pop("made_by")
    record.write_text(json.dumps(document, indent=1) + "\n")


@pytest.mark.parametrize("name", HARMLESS)
def test_what_changes_nothing_is_not_caught(name: str, results: Path) -> None:
    root = root_hash(read_records(results))
    HARMLESS[name](results)
    assert words_of(results, root) == ""


def test_a_copy_elsewhere_under_another_name_is_the_same(results: Path, tmp_path: Path) -> None:
    root = root_hash(read_records(results))
    for elsewhere in (tmp_path / "results" / "demo", tmp_path / "for the reviewer"):
        shutil.copytree(results, elsewhere)
        assert words_of(elsewhere, root) == ""


def test_a_record_printed_twice_is_the_same_text(results: Path) -> None:
    for path in results.rglob(f"*{RECORD_SUFFIX}"):
        assert record_text(json.loads(path.read_text())) == path.read_text()
