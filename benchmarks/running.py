"""Runs the jobs of a plan, some at once, until all are made or the time is up."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from frozen_plan import PlannedJob
from job_state import State

POLL_SECONDS = 0.1
STOPPING_SECONDS = 15.0
"""How long a stopped job may take to end before it is killed."""


@dataclass
class Outcome:
    """How a slice ended.

    Parameters
    ----------
    unfinished : list of PlannedJob
        Not made: stopped, failed, or never started.
    failed : list of PlannedJob
        Those among them that ended with an error.
    seconds : dict of str to float
        By the name of each job that was made in this slice.
    """

    unfinished: list[PlannedJob] = field(default_factory=list)
    failed: list[PlannedJob] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def run_jobs(
    jobs: Sequence[PlannedJob],
    root: Path,
    *,
    at_once: int,
    deadline: float,
    environment: Mapping[str, str],
) -> Outcome:
    """Run what is not made yet, each job after those that it needs.

    Parameters
    ----------
    jobs : sequence of PlannedJob
        Ordered: a job comes after those that it needs.
    root : Path
        The project's root.
    at_once : int
        Jobs side by side.
    deadline : float
        Of `time.monotonic`; jobs under way are then told to stop. A training goes on from its checkpoint.
    environment : mapping of str to str
        Of the jobs.
    """
    outcome = Outcome()
    done = State(root).made(jobs)
    waiting = [job for job in jobs if not done >= set(job.outputs)]
    for job in waiting:
        done -= set(job.outputs)
    print(f"{len(jobs) - len(waiting)} of {len(jobs)} jobs are made already", flush=True)
    running: dict[subprocess.Popen[str], tuple[PlannedJob, float]] = {}
    with _terminating(running):
        while waiting or running:
            for process, (job, start) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[process]
                seconds = time.monotonic() - start
                if process.returncode == 0:
                    done |= set(job.outputs)
                    outcome.seconds[job.name] = seconds
                    print(f"{job.name}: {seconds:.1f} s", flush=True)
                else:
                    outcome.failed.append(job)
                    print(f"{job.name}: failed; see {''.join(job.option('--log'))}", flush=True)
            ready = [job for job in waiting if done >= set(job.inputs)]
            if time.monotonic() > deadline or not (running or ready):
                break
            for job in ready[: at_once - len(running)]:
                waiting.remove(job)
                running[_start(job, root, environment)] = (job, time.monotonic())
            time.sleep(POLL_SECONDS)
        stopped = [job for job, _ in running.values()]
    outcome.unfinished = [job for job in jobs if job in [*waiting, *stopped, *outcome.failed]]
    return outcome


@contextmanager
def _terminating(running: dict[subprocess.Popen[str], tuple[PlannedJob, float]]) -> Iterator[None]:
    """Stop what still runs when the block ends, however it ends; to be terminated is one way."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        for process in running:
            process.terminate()
        until = time.monotonic() + STOPPING_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(job: PlannedJob, root: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    threads = {} if job.threads is None else {"OMP_NUM_THREADS": str(job.threads)}
    path = os.pathsep.join(filter(None, [str(root), environment.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, *job.words],
        cwd=root,
        env={**environment, **threads, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    threading.Thread(target=_repeat, args=(process, job.name), daemon=True).start()
    return process


def _repeat(process: subprocess.Popen[str], name: str) -> None:
    """Say what a job says, with its name: several may speak at once."""
    assert process.stdout is not None
    for line in process.stdout:
        print(f"{name}: {line}", end="", flush=True)
