"""A job: whole outputs or none, one message for a mistake, a record beside the first output."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gwsd.provenance.closure import ROOT


@pytest.fixture
def program(tmp_path: Path):
    """Write a program around a body of `work(job)` and return a function that runs it."""

    def write(body: str):
        script = tmp_path / "program.py"
        script.write_text(
            "from gwsd.provenance.job import Job, run\n"
            "def work(job: Job) -> None:\n"
            f"{textwrap.indent(textwrap.dedent(body), '    ')}\n"
            "run(work, inputs=['source'], outputs=['result', 'more'])\n"
        )

        def execute(*arguments: str, **options: object) -> subprocess.CompletedProcess:
            return subprocess.run(
                [sys.executable, str(script), *arguments],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                **options,
            )

        return execute

    return write


ARGUMENTS = ["--source", "source.txt", "--result", "out/result.txt", "--more", "out/more.txt", "--log", "job.log"]
COPY = """
    job.outputs["result"].write_text(job.input("source").read_text() + str(job.seed))
    job.outputs["more"].write_text(job.key)
    job.report("copied")
"""


def test_outputs_appear_whole_and_the_record_tells_their_hashes(program, tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("water")
    result = program(COPY)(*ARGUMENTS, "--settings", '{"a": 1}', "--seed", "7")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/result.txt").read_text() == "water7"
    record = json.loads((tmp_path / "out/result.txt.record.json").read_text())
    assert record["settings"] == {"a": 1}
    assert record["seed"] == 7
    assert record["inputs"]["source"][0]["sha256"] == hashlib.sha256(b"water").hexdigest()
    assert record["outputs"][0]["sha256"] == hashlib.sha256(b"water7").hexdigest()
    assert record["key"] == (tmp_path / "out/more.txt").read_text()
    assert "copied" in (tmp_path / "job.log").read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "more.txt",
        "result.txt",
        "result.txt.record.json",
    ]


def test_the_key_depends_on_content_settings_and_seed_but_not_on_paths(program, tmp_path: Path) -> None:
    execute = program(COPY)

    def key(*more: str, name: str = "source.txt", content: str = "water") -> str:
        (tmp_path / name).write_text(content)
        arguments = ["--source", name, *ARGUMENTS[2:], *more]
        assert execute(*arguments).returncode == 0
        return (tmp_path / "out/more.txt").read_text()

    first = key()
    assert key(name="elsewhere.txt") == first
    assert key(content="ice") != first
    assert key("--seed", "1") != first
    assert key("--settings", '{"a": 1}') != first


def test_a_mistake_is_one_message_and_leaves_nothing(program, tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("water")
    body = """
        from gwsd.errors import DataError
        job.outputs["result"].write_text("half")
        raise DataError("source.txt: no time axis; expected one; add it")
    """
    result = program(body)(*ARGUMENTS)
    assert result.returncode == 1
    assert result.stderr.strip() == "error: source.txt: no time axis; expected one; add it"
    assert list((tmp_path / "out").iterdir()) == []
    assert "no time axis" in (tmp_path / "job.log").read_text()


def test_a_missing_input_is_named(program) -> None:
    result = program(COPY)(*ARGUMENTS)
    assert result.returncode == 1
    assert result.stderr.startswith("error: source.txt: no such file, but --source needs it")


def test_an_old_result_survives_a_failure(program, tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("water")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/result.txt").write_text("old")
    assert program("raise RuntimeError('a bug')")(*ARGUMENTS).returncode == 1
    assert (tmp_path / "out/result.txt").read_text() == "old"


def test_a_full_disk_is_said_and_leaves_nothing(program, tmp_path: Path) -> None:
    """A real one where it can be mounted (a small tmpfs), else the error that the system would raise."""
    (tmp_path / "source.txt").write_text("water")
    (tmp_path / "out").mkdir()
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path / "out")], capture_output=True
        ).returncode
        == 0
    )
    body = (
        'job.outputs["result"].write_bytes(b"0" * 1_000_000)'
        if mounted
        else "import errno\nraise OSError(errno.ENOSPC, 'No space left on device')"
    )
    try:
        result = program(body)(*ARGUMENTS)
        assert result.returncode == 1
        assert "result.txt: the disk is full" in result.stderr
        assert "Traceback" not in result.stderr
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path / "out")], check=True)


def test_a_full_disk_is_told_from_the_netcdf_library_s_words(program, tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_text("water")
    (tmp_path / "out").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path / "out")]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    body = """
        import numpy as np, xarray as xr
        noise = np.random.default_rng(1).random(100_000)
        xr.Dataset({"a": ("x", noise)}).to_netcdf(job.outputs["result"], engine="netcdf4")
    """
    try:
        result = program(body)(*ARGUMENTS)
        assert result.returncode == 1
        assert "the disk is full" in result.stderr
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path / "out")], check=True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_job_leaves_no_output_and_the_next_one_cleans_up(program, tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "source.txt").write_text("water")
    execute = program(
        """
        import time
        job.outputs["result"].write_text("half")
        if job.seed == 0:
            time.sleep(60)
        job.outputs["more"].write_text("")
        """
    )
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), *ARGUMENTS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("out/.partial-*-result.txt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(how)
    process.wait(timeout=30)
    assert not (tmp_path / "out/result.txt").exists()
    assert execute(*ARGUMENTS, "--seed", "1").returncode == 0
    assert list(tmp_path.glob("out/.partial-*")) == []
    assert (tmp_path / "out/result.txt").read_text() == "half"
