"""Job runner: the command line, atomic outputs, log and provenance record of one workflow script."""

import argparse
import contextlib
import errno
import json
import logging
import os
import shlex
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gwsd.errors import DataError, GwsdError
from gwsd.provenance.closure import ROOT, code_files, syntax_hash
from gwsd.provenance.environment import describe_environment
from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.record import PARTIAL_PREFIX, find_producer, record_key, record_text

LOG = logging.getLogger("gwsd")
NEARLY_FULL_BYTES = 1_000_000
"""Free space at which a failed write counts as a full disk."""


@dataclass
class Job:
    """Inputs, outputs and settings of a job; files by the names of the command-line options."""

    inputs: dict[str, list[Path]]
    outputs: dict[str, Path]
    """Temporary names to write to, with the suffix of the final name; renamed when the job succeeds."""
    output_lists: dict[str, list[Path]]
    """The same for options that take several files."""
    settings: dict[str, Any]
    seed: int
    key: str
    """SHA-256 of inputs, code, settings and seed; outputs carry it."""
    scratch: Path
    """Folder for files that outlive a killed job (checkpoints)."""
    threads: int = 1
    """Threads that Snakemake granted; results must not depend on them."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Further facts for the record."""

    def input(self, name: str) -> Path:
        """Return the one file of an input."""
        (path,) = self.inputs[name]
        return path

    def report(self, message: str) -> None:
        """Write a line to standard error and to the log."""
        LOG.info(message)

    def note(self, **facts: Any) -> None:
        """Add facts to the record, such as the device that was used."""
        self.notes.update(facts)


def run(
    work: Callable[[Job], None],
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str],
    output_lists: Sequence[str] = (),
    modules: Callable[[dict[str, Any]], Sequence[str]] = lambda _: (),
) -> None:
    """Run a workflow script from its command line; exit with 1 and one message if `work` raises a `GwsdError`.

    Parameters
    ----------
    work : callable
        Reads `job.inputs` and writes `job.outputs`. Its docstring is the help text.
    inputs, outputs, output_lists : sequence of str
        Names of the options that take files; an input may be several files, an output of `outputs` is one.
    modules : callable
        Modules that the script imports by name at run time, as a function of the settings.
    """
    started = datetime.now(UTC)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    script = Path(sys.argv[0]).stem
    arguments = _parser(work, inputs, outputs, output_lists).parse_args()
    if arguments.cpu_threads:  # before torch is imported
        os.environ["OMP_NUM_THREADS"] = str(arguments.cpu_threads)
    _start_log(arguments.log, script)
    single = {name: getattr(arguments, name) for name in outputs}
    several = {name: getattr(arguments, name) for name in output_lists}
    finals = [*single.values(), *(path for paths in several.values() for path in paths)]
    try:
        files = {name: getattr(arguments, name) for name in inputs}
        code = code_files(script, *modules(arguments.settings))
        identity = _identity(files, code, arguments.settings, arguments.seed)
        job = Job(
            inputs=files,
            outputs={name: _temporary(path) for name, path in single.items()},
            output_lists={name: [_temporary(path) for path in paths] for name, paths in several.items()},
            settings=arguments.settings,
            seed=arguments.seed,
            key=record_key(identity),
            scratch=arguments.scratch,
            threads=arguments.threads,
        )
        with _atomic([*finals, arguments.record]):
            work(job)
            missing = [path.name for path in finals if not _temporary(path).exists()]
            if missing:
                raise RuntimeError(f"the job ended without writing {', '.join(missing)}")
            record = {
                "job": script,
                "key": job.key,
                **identity,
                "outputs": [{**_describe(_temporary(path)), "path": str(path)} for path in finals],
                "command": ["python", "-m", f"workflow_scripts.{script}", *sys.argv[1:]],
                "started": started.isoformat(timespec="seconds"),
                "ended": datetime.now(UTC).isoformat(timespec="seconds"),
                "resumed": False,
                **job.notes,
                "remarks": _remarks(job.notes),
                "environment": describe_environment(ROOT),
            }
            _temporary(arguments.record).write_text(record_text(record), encoding="utf-8")
    except GwsdError as error:
        _fail(str(error))
    except Exception as error:
        full = _full_disk(error, finals)
        if full is None:
            LOG.debug(traceback.format_exc())
            raise
        _fail(full)


def _parser(
    work: Callable[[Job], None], inputs: Sequence[str], outputs: Sequence[str], output_lists: Sequence[str]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=work.__doc__, allow_abbrev=False)
    for name in inputs:
        parser.add_argument(_option(name), type=Path, nargs="*", default=[], metavar="FILE", help="input")
    for name in outputs:
        parser.add_argument(_option(name), type=Path, required=True, metavar="FILE", help="output")
    for name in output_lists:
        parser.add_argument(_option(name), type=Path, nargs="+", required=True, metavar="FILE", help="outputs")
    parser.add_argument("--record", type=Path, required=True, metavar="FILE", help="provenance record")
    parser.add_argument("--settings", type=json.loads, default={}, metavar="JSON", help="settings that the job reads")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers")
    parser.add_argument("--scratch", type=Path, default=Path("scratch"), help="folder for checkpoints")
    parser.add_argument("--threads", type=int, default=1, help="threads that were granted")
    parser.add_argument("--cpu-threads", type=int, default=None, help="threads of torch; changes the last bits")
    parser.add_argument("--log", type=Path, help="log file")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _start_log(path: Path | None, script: str) -> None:
    LOG.handlers.clear()
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.INFO)
    screen.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(screen)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.FileHandler(path, mode="w", encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"))
        LOG.addHandler(file)
        LOG.debug("command: %s", shlex.join(["python", "-m", f"workflow_scripts.{script}", *sys.argv[1:]]))


def _identity(files: dict[str, list[Path]], code: list[Path], settings: dict[str, Any], seed: int) -> dict[str, Any]:
    for name, paths in files.items():
        for path in paths:
            if not path.is_file():
                raise DataError(f"{path}: no such file; {_option(name)} needs it, check the path")
    return {
        "inputs": {
            name: [(about := _describe(path)) | find_producer(path, about["sha256"]) for path in paths]
            for name, paths in files.items()
        },
        "code": [{"path": path.as_posix(), "sha256": syntax_hash(ROOT / path)} for path in code],
        "settings": settings,
        "seed": seed,
    }


def _describe(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": sha256_of(path), "bytes": path.stat().st_size}


def _temporary(final: Path) -> Path:
    return final.with_name(f"{PARTIAL_PREFIX}{os.getpid()}-{final.name}")


def _remove_leftovers(final: Path) -> None:
    """Remove the temporary files of killed jobs; those of running jobs stay."""
    for path in final.parent.glob(f"{PARTIAL_PREFIX}*-{final.name}"):
        number = path.name.removeprefix(PARTIAL_PREFIX).partition("-")[0]
        if not (number.isdigit() and _is_running(int(number))):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # that of another user is refused
    return True


@contextlib.contextmanager
def _atomic(finals: Sequence[Path]) -> Iterator[None]:
    """Create the outputs' folders; rename the outputs when all are written; remove what is left."""
    for path in finals:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
    try:
        yield
        for path in finals:
            os.replace(_temporary(path), path)
    finally:
        for path in finals:
            _temporary(path).unlink(missing_ok=True)


def _remarks(facts: dict[str, Any]) -> list[str]:
    """Return sentences for readers of the results on how they were computed."""
    device, requested = str(facts.get("device", "")), str(facts.get("requested_device", ""))
    remarks = []
    if requested in ("cuda", "auto") and device and not device.startswith("cuda"):
        remarks.append(f"No GPU was available (device: {requested}): computed on the {device.upper()}.")
    if "uncompiled" in facts:
        remarks.append(str(facts["uncompiled"]))
    if facts.get("resumed"):
        remarks.append("Interrupted and resumed from the last checkpoint.")
    return remarks


def _full_disk(error: BaseException, paths: Sequence[Path]) -> str | None:
    """Return a message if a write failed because the disk is full (the NetCDF library hides the cause)."""
    cause: BaseException | None = error
    full = False
    while cause is not None and not full:
        full = isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)
        cause = cause.__cause__ or cause.__context__
    for folder in {path.parent for path in paths if path.parent.exists()}:
        free = shutil.disk_usage(folder).free
        if full or (isinstance(error, OSError | RuntimeError) and free < NEARLY_FULL_BYTES):
            return (
                f"{folder}: the disk is full ({free / 1e6:.1f} MB free); no output was kept; free some space or set "
                "another folder, and run the same command again"
            )
    return None


def _fail(message: str) -> None:
    LOG.error("error: %s", message)
    raise SystemExit(1)
