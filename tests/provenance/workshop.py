"""A small results folder made by real jobs: raw data, a training, a table, a figure, an article, a page."""

import contextlib
import os
import runpy
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from gwsd.provenance import makers

TOY = "results/toy"
MAE_MM = {"full": [12.381316, 12.4], "bilinear": [0.349988, 0.35]}
PROGRAMS = {
    "download": (
        ["zip"],
        [],
        """
        job.outputs["zip"].write_bytes(b"PK as published")
        job.note(raw={"url": "https://example.org/g3p.zip", "doi": "10.5880/G3P.2024.001"})
        """,
    ),
    "twin_earth": (
        ["storage", "truth"],
        [],
        """
        job.outputs["storage"].write_bytes(b"CDF raw storage of the twin")
        job.outputs["truth"].write_bytes(b"CDF truth")
        """,
    ),
    "quality_control": (
        ["storage", "mask"],
        ["raw_storage"],
        """
        job.outputs["storage"].write_bytes(b"CDF " + b"".join(path.read_bytes() for path in job.inputs["raw_storage"]))
        job.outputs["mask"].write_bytes(b"CDF mask")
        """,
    ),
    "train": (
        ["weights", "history"],
        ["storage", "mask"],
        """
        job.outputs["weights"].write_bytes(b"weights of " + str(job.seed).encode())
        job.outputs["history"].write_text("epoch,training\\n1,0.5\\n")
        job.note(device="cpu", requested_device="auto", resumed=job.seed == 1)
        if job.seed == 1:
            job.note(uncompiled="No compiler was found.")
        """,
    ),
    "evaluate": (
        ["summary"],
        ["storage", "weights"],
        """
        import json
        job.outputs["summary"].write_text(json.dumps({"mae_mm": job.settings["mae_mm"], "seed": job.seed}))
        """,
    ),
    "table": (
        ["csv", "tex", "md", "html", "json"],
        ["summaries"],
        """
        from pathlib import Path
        import json
        from gwsd.numbers.of_table import write_table
        from gwsd.tables.formatting import Column, Table
        from gwsd.tables.recomputing import scores
        files = {"summaries": {}}
        for path in job.inputs["summaries"]:
            *_, method, seed, _file = path.parts
            files["summaries"].setdefault(method, {})[int(seed.removeprefix("seed"))] = path
        mean = {
            method: sum(json.loads(path.read_text())["mae_mm"] for path in seeds.values()) / len(seeds) * 0.1
            for method, seeds in files["summaries"].items()
        }
        built = Table(
            rows=tuple({"method": name, "label": f"{name} & co", "mae_cm": value} for name, value in mean.items()),
            columns=(Column("Method", "label", text=True), Column("MAE (cm)", "mae_cm", digits=3)),
            notes=("A note.",),
            provenance_note="synthetic",
            sources=scores(mean, ["mae_cm"]),
        )
        job.outputs["csv"].write_text(built.csv())
        job.outputs["tex"].write_text(built.latex("Caption", "tab:table3"))
        job.outputs["md"].write_text(built.markdown("Caption"))
        job.outputs["html"].write_text(built.html("Caption"))
        write_table(
            job.outputs["json"], built, file="results/toy/tables/table3.csv", caption="Caption", files=files
        )
        """,
    ),
    "draw_figure": (
        ["pdf", "png"],
        ["data"],
        """
        job.outputs["pdf"].write_bytes(b"%PDF of a figure " + job.input("data").read_bytes())
        job.outputs["png"].write_bytes(b"PNG of a figure")
        """,
    ),
    "numbers": (
        ["numbers"],
        ["lists", "files"],
        """
        import json
        from gwsd.provenance.hashing import sha256_of
        values = [one for path in job.inputs["lists"] for one in json.loads(path.read_text())["values"]]
        sha256 = {str(path): sha256_of(path) for path in job.inputs["files"]}
        values = [
            {**one, "sha256": sha256[one["file"]], "record": f"{one['file']}.record.json"} for one in values
        ]
        content = {"schema": 1, "scenario": "toy", "data_label": "synthetic", "values": values}
        job.outputs["numbers"].write_text(json.dumps(content, indent=1))
        """,
    ),
    "paper": (
        ["pdf", "placed"],
        ["numbers"],
        """
        import json
        from pathlib import Path
        from gwsd.provenance.records import read_records
        from gwsd.provenance.root import root_hash
        from tests.provenance.workshop import pdf_of
        numbers = [one for one in json.loads(job.input("numbers").read_text())["values"] if one["format"]]
        root = root_hash(read_records(job.input("numbers").parent))
        lines = [f"The error is {one['text']} cm." for one in numbers] + ["Root of the records:", root]
        job.outputs["pdf"].write_bytes(pdf_of(lines))
        placed = [{"id": one["id"], "text": one["text"], "page": 1} for one in numbers]
        job.outputs["placed"].write_text(json.dumps(placed))
        """,
    ),
    "page": (
        ["page"],
        ["numbers"],
        """
        import json
        from gwsd.provenance.records import read_records
        from gwsd.provenance.root import root_hash
        root = root_hash(read_records(job.input("numbers").parent))
        numbers = json.loads(job.input("numbers").read_text())["values"]
        shown = "".join(
            f'<p><a data-id="{one["id"]}"><b>{one["text"].replace("&", "&amp;")}</b></a><br></p>' for one in numbers
        )
        data = json.dumps({"numbers": {one["id"]: {"text": one["text"]} for one in numbers}})
        script = f'<script type="application/json">{data}</script><script>let a = "<p data-id=b>";</script>'
        head = f"<!doctype html><style>p {{}}</style><p>Root hash <span>{root}</span></p><img src=a>"
        job.outputs["page"].write_text(f"{head}{shown}{script}")
        """,
    ),
}


def pdf_of(lines: list[str]) -> bytes:
    """Write the smallest PDF with some lines of text."""
    text = b"BT /F1 9 Tf 20 800 Td " + b" ".join(f"({line}) Tj 0 -12 Td".encode() for line in lines) + b" ET"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start)
    return out + head + table + tail


@contextlib.contextmanager
def standing_in(folder: Path, arguments: list[str]) -> Iterator[None]:
    before = Path.cwd(), sys.argv, signal.getsignal(signal.SIGTERM)
    os.chdir(folder)
    sys.argv = arguments
    try:
        yield
    finally:
        os.chdir(before[0])
        sys.argv = before[1]
        signal.signal(signal.SIGTERM, before[2])


def run_job(project: Path, name: str, options: str) -> None:
    """Run a program as the workflow does, in this process: starting Python again and again would take minutes."""
    outputs, inputs, body = PROGRAMS[name]
    script = project / "workflow_scripts" / f"{name}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(
        "from gwsd.provenance.job import Job, run\n"
        "def work(job: Job) -> None:\n"
        f"{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        "if __name__ == '__main__':\n"
        f"    run(work, inputs={inputs}, outputs={outputs})\n"
    )
    makers.forget()
    with standing_in(project, [f"workflow_scripts/{name}.py", *options.split()]):
        runpy.run_path(str(script), run_name="__main__")


def build(project: Path) -> Path:
    """Run all jobs in a folder; return the results folder."""
    run_job(project, "download", "--zip raw/g3p/g3p.zip")
    run_job(project, "twin_earth", f"--storage {TOY}/raw/g3p/storage.nc --truth {TOY}/twin/truth.nc --seed 5")
    run_job(
        project,
        "quality_control",
        f"--raw-storage raw/g3p/g3p.zip {TOY}/raw/g3p/storage.nc "
        f"--storage {TOY}/inputs/storage.nc --mask {TOY}/inputs/mask.nc",
    )
    for seed in (0, 1):
        folder = f"{TOY}/models/full/seed{seed}"
        run_job(
            project,
            "train",
            f"--storage {TOY}/inputs/storage.nc --mask {TOY}/inputs/mask.nc --seed {seed} --settings "
            f'{{"rate":0.001}} --weights {folder}/weights.safetensors --history {folder}/history.csv',
        )
    for method, errors in MAE_MM.items():
        for seed, error in enumerate(errors):
            weights = f"--weights {TOY}/models/full/seed{seed}/weights.safetensors" if method == "full" else ""
            run_job(
                project,
                "evaluate",
                f'--storage {TOY}/inputs/storage.nc {weights} --seed {seed} --settings {{"mae_mm":{error}}} '
                f"--summary {TOY}/evaluation/{method}/seed{seed}/summary.json",
            )
    summaries = " ".join(
        f"{TOY}/evaluation/{method}/seed{seed}/summary.json" for method, errors in MAE_MM.items() for seed in (0, 1)
    )
    faces = " ".join(f"--{suffix} {TOY}/tables/table3.{suffix}" for suffix in ("csv", "tex", "md", "html", "json"))
    run_job(project, "table", f"--summaries {summaries} {faces}")
    run_job(
        project,
        "draw_figure",
        f"--data {TOY}/models/full/seed0/history.csv --pdf {TOY}/figures/figure6.pdf --png {TOY}/figures/figure6.png",
    )
    run_job(
        project,
        "numbers",
        f"--lists {TOY}/tables/table3.json --files {TOY}/tables/table3.csv --numbers {TOY}/numbers.json",
    )
    run_job(project, "paper", f"--numbers {TOY}/numbers.json --pdf {TOY}/paper.pdf --placed {TOY}/paper.numbers.json")
    run_job(project, "page", f"--numbers {TOY}/numbers.json --page {TOY}/audit/index.html")
    (project / TOY / "logs").mkdir()
    (project / TOY / "logs/train.log").write_text("what was said")
    return project / TOY
