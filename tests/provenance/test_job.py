"""The job runner: atomic outputs, one message for a mistake, and a record."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.provenance.closure import ROOT
from gwsd.provenance.job import Job, run
from gwsd.provenance.record import read_record

FILES = {"source": "source.txt", "result": "out/result.txt", "more": "out/more.txt", "log": "job.log"}
FILES |= {"record": "out/result.txt.record.json"}
ARGUMENTS = [word for name, path in FILES.items() for word in (f"--{name}", path)]
Start = Callable[..., None]


def copy(job: Job) -> None:
    """Copy the source."""
    job.outputs["result"].write_text(job.input("source").read_text() + str(job.seed))
    job.outputs["more"].write_text(job.key)
    job.note(device="cpu", requested_device="auto")
    job.report("copied")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Run a job in an empty folder with a source, as if it were the script `lineage`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    (tmp_path / "source.txt").write_text("water")

    def start(work: Callable[[Job], None], *more: str) -> None:
        monkeypatch.setattr(sys, "argv", ["workflow_scripts/lineage.py", *ARGUMENTS, *more])
        run(work, inputs=["source"], outputs=["result", "more"])

    return start


def test_outputs_and_the_record_with_their_hashes_appear(start: Start, tmp_path: Path) -> None:
    start(copy, "--settings", '{"a": 1}', "--seed", "7")
    assert (tmp_path / "out/result.txt").read_text() == "water7"
    record = read_record(tmp_path / "out/result.txt.record.json")
    assert (record.job, record.settings, record.seed, record.device) == ("lineage", {"a": 1}, 7, "cpu")
    assert record.read[0].sha256 == hashlib.sha256(b"water").hexdigest()
    assert record.outputs[0].path == "out/result.txt"
    assert record.outputs[0].sha256 == hashlib.sha256(b"water7").hexdigest()
    assert record.key == (tmp_path / "out/more.txt").read_text()
    assert record.remarks == ("No GPU was available (device: auto): computed on the CPU.",)
    assert "workflow_scripts/lineage.py" in {file["path"] for file in record.code}
    assert "copied" in (tmp_path / "job.log").read_text()
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_the_key_depends_on_content_settings_and_seed_but_not_on_paths(start: Start, tmp_path: Path) -> None:
    def key(*more: str, name: str = "source.txt", content: str = "water") -> str:
        (tmp_path / name).write_text(content)
        start(copy, "--source", name, *more)
        return (tmp_path / "out/more.txt").read_text()

    first = key()
    assert key(name="elsewhere.txt") == first
    assert len({first, key(content="ice"), key("--seed", "1"), key("--settings", '{"a": 1}')}) == 4


def test_an_input_names_the_job_that_made_it(start: Start, tmp_path: Path) -> None:
    start(copy)
    first = read_record(tmp_path / "out/result.txt.record.json")
    start(copy, "--source", "out/result.txt", "--result", "b.txt", "--record", "b.txt.record.json")
    second = json.loads((tmp_path / "b.txt.record.json").read_text())
    made_by = {"record": "out/result.txt.record.json", "key": first.key}
    assert second["inputs"]["source"][0]["made_by"] == made_by


def mistake(job: Job) -> None:
    job.outputs["result"].write_text("half")
    raise DataError("source.txt: no time axis; expected one; add it")


def full_disk(_: Job) -> None:
    raise RuntimeError("NetCDF: HDF error") from OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("work", "more", "message"),
    [
        (mistake, [], "source.txt: no time axis; expected one; add it"),
        (full_disk, [], "out: the disk is full"),
        (copy, ["--source", "none.txt"], "none.txt: no such file; --source needs it"),
    ],
)
def test_a_mistake_is_one_message_and_the_old_output_stays(
    work: Callable[[Job], None],
    more: list[str],
    message: str,
    start: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/result.txt").write_text("old")
    with pytest.raises(SystemExit) as end:
        start(work, *more)
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {message}")
    assert [(path.name, path.read_text()) for path in (tmp_path / "out").iterdir()] == [("result.txt", "old")]
    assert message in (tmp_path / "job.log").read_text()


def test_a_missing_output_and_a_bug_are_not_hidden(start: Start, tmp_path: Path) -> None:
    with pytest.raises((RuntimeError, FileNotFoundError), match=r"result\.txt"):
        start(lambda job: None)
    with pytest.raises(ZeroDivisionError):
        start(lambda job: 1 / 0)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_job_leaves_no_output_and_the_next_one_cleans_up(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    program = (
        "import sys, time; from gwsd.provenance.job import run\n"
        "def work(job):\n    job.outputs['result'].write_text('half'); time.sleep(60)\n"
        f"sys.argv = ['lineage.py', *{ARGUMENTS}]; run(work, inputs=['source'], outputs=['result', 'more'])"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("out/.partial-*-result.txt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    process.wait(timeout=30)
    assert not (tmp_path / "out/result.txt").exists()
    start(copy)
    assert list(tmp_path.glob("out/.partial-*")) == []
    assert (tmp_path / "out/result.txt").read_text() == "water0"
