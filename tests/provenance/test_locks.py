"""A dead workflow's lock is cleared; a living one's is not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from gwsd.provenance.closure import ROOT
from gwsd.provenance.locks import clear_dead_lock

HOLD = """
import sys, time
from pathlib import Path
from gwsd.provenance.locks import clear_dead_lock
handle = clear_dead_lock(Path("."))
(Path(".snakemake") / "locks").mkdir(exist_ok=True)
(Path(".snakemake") / "locks" / "0.output.lock").write_text("x")
print("held", flush=True)
time.sleep(60)
"""


def test_only_a_dead_owner_s_lock_is_cleared(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    lock = tmp_path / ".snakemake" / "locks" / "0.output.lock"
    with clear_dead_lock(tmp_path):
        assert lock.exists()
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    with clear_dead_lock(tmp_path):
        assert not lock.exists()
