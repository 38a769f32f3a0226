"""A job: one program of the workflow, from its command line to its record.

A job writes each output to a temporary name and renames them all when they are whole, says what it does to
the screen and to its log, turns a person's mistake into one message, and leaves a record beside its first
output.
"""

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
from gwsd.provenance.closure import ROOT, import_closure
from gwsd.provenance.environment import describe_environment
from gwsd.provenance.hashing import key_of, sha256_of
from gwsd.provenance.lineage import RAW_FOLDER
from gwsd.provenance.makers import describe_maker
from gwsd.provenance.records import PARTIAL_PREFIX, RECORD_SUFFIX, record_text

LOG = logging.getLogger("gwsd")
NEARLY_FULL_BYTES = 1_000_000


@dataclass
class Job:
    """What a program of the workflow is given.

    Attributes
    ----------
    inputs : dict of str to list of Path
        Files to read, by the names of the command-line options.
    outputs : dict of str to Path
        Temporary names to write to; renamed when the job succeeds. The suffix is that of the final name.
    output_lists : dict of str to list of Path
        The same for options that take several files.
    settings : dict
        The settings that the job reads.
    seed : int
        Of its random numbers.
    key : str
        SHA-256 of inputs, code, settings and seed: what the outputs say of their origin.
    threads : int
        Threads that were granted; results must not depend on them.
    scratch : Path
        Folder for what must outlive a killed job (checkpoints); nobody's output.
    notes : dict
        Further facts for the record.
    """

    inputs: dict[str, list[Path]]
    outputs: dict[str, Path]
    output_lists: dict[str, list[Path]]
    settings: dict[str, Any]
    seed: int
    key: str
    scratch: Path
    threads: int = 1
    notes: dict[str, Any] = field(default_factory=dict)

    def input(self, name: str) -> Path:
        """Return the one file of an input."""
        (path,) = self.inputs[name]
        return path

    def report(self, message: str) -> None:
        """Say something to the screen and to the log."""
        LOG.info(message)

    def note(self, **facts: Any) -> None:
        """Add facts to the record, such as the device that was leased."""
        self.notes.update(facts)


def run(
    work: Callable[[Job], None],
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str],
    output_lists: Sequence[str] = (),
) -> None:
    """Run a program of the workflow from its command line.

    Parameters
    ----------
    work : callable
        Reads `job.inputs`, writes `job.outputs`. Its docstring is the program's help.
    inputs, outputs, output_lists : sequence of str
        Names of the options that take the files; an input may be several, an output of `outputs` is one.

    Raises
    ------
    SystemExit
        With status 1 and one message, where the work raises a `GwsdError` or a disk is full.
    """
    started = datetime.now(UTC)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    script = Path(sys.argv[0]).resolve()
    arguments = _parser(work, inputs, outputs, output_lists).parse_args()
    _start_log(arguments.log)
    single = {name: getattr(arguments, name) for name in outputs}
    several = {name: getattr(arguments, name) for name in output_lists}
    finals = [*single.values(), *(path for paths in several.values() for path in paths)]
    try:
        files = {name: getattr(arguments, name) or [] for name in inputs}
        identity = _identity(script, files, arguments.settings, arguments.seed)
        job = Job(
            inputs=files,
            outputs={name: _temporary(path) for name, path in single.items()},
            output_lists={name: [_temporary(path) for path in paths] for name, paths in several.items()},
            settings=arguments.settings,
            seed=arguments.seed,
            key=key_of(_without_paths(identity)),
            scratch=arguments.scratch,
            threads=arguments.threads,
        )
        with _whole_or_nothing(finals):
            work(job)
        _write_record(job, identity, finals, started, script)
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
    parser = argparse.ArgumentParser(
        description=work.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    for name in inputs:
        parser.add_argument(_option(name), type=Path, nargs="*", default=[], metavar="FILE", help="input")
    for name in outputs:
        parser.add_argument(_option(name), type=Path, required=True, metavar="FILE", help="output")
    for name in output_lists:
        parser.add_argument(_option(name), type=Path, nargs="+", required=True, metavar="FILE", help="outputs")
    parser.add_argument("--settings", type=json.loads, default={}, metavar="JSON", help="the settings that are read")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--scratch", type=Path, default=Path("scratch"), help="folder that outlives a killed job")
    parser.add_argument("--threads", type=int, default=1, help="threads that were granted")
    parser.add_argument("--log", type=Path, help="file that keeps what is said on the screen")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _start_log(path: Path | None) -> None:
    LOG.handlers.clear()
    LOG.setLevel(logging.DEBUG)
    LOG.propagate = False
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.INFO)
    screen.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(screen)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.FileHandler(path, mode="w")
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"))
        LOG.addHandler(file)
        threads = os.environ.get("OMP_NUM_THREADS")
        prefix = f"OMP_NUM_THREADS={threads} " if threads else ""
        LOG.debug("command: %s%s", prefix, shlex.join(["python", *sys.argv]))


def _identity(script: Path, files: dict[str, list[Path]], settings: dict[str, Any], seed: int) -> dict[str, Any]:
    for name, paths in files.items():
        for path in paths:
            if not path.is_file():
                raise DataError(f"{path}: no such file, but {_option(name)} needs it; check the path")
    programs = [script, *(path.resolve() for paths in files.values() for path in paths if path.suffix == ".py")]
    sources = sorted({source for program in programs for source in _sources_of(program)})
    return {
        "inputs": {name: [_described_input(path) for path in paths] for name, paths in files.items()},
        "code": [{"path": path.as_posix(), "sha256": sha256_of(ROOT / path)} for path in sources],
        "settings": settings,
        "seed": seed,
    }


def _described(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": sha256_of(path), "bytes": path.stat().st_size}


def _described_input(path: Path) -> dict[str, Any]:
    described = _described(path)
    return {**described, **describe_maker(path, described["sha256"])}


def _sources_of(program: Path) -> list[Path]:
    if not program.is_relative_to(ROOT):
        return [program]
    return [program.relative_to(ROOT), *import_closure(program)]


def _without_paths(identity: dict[str, Any]) -> dict[str, Any]:
    """Leave out where the inputs lie: the same content elsewhere makes the same result."""
    inputs = {name: [file["sha256"] for file in files] for name, files in identity["inputs"].items()}
    return {**identity, "inputs": inputs}


def _temporary(final: Path) -> Path:
    return final.with_name(f"{PARTIAL_PREFIX}{os.getpid()}-{final.name}")


def _remove_leftovers(final: Path) -> None:
    """Remove what a killed job left under its temporary name; a living one's is its own."""
    for path in final.parent.glob(f"{PARTIAL_PREFIX}*-{final.name}"):
        number = path.name.split("-")[1]
        if not (number.isdigit() and Path(f"/proc/{number}").exists()):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _whole_or_nothing(finals: Sequence[Path]) -> Iterator[None]:
    """Make the outputs' folders; rename the outputs when all are written; remove what is left behind."""
    for path in finals:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
    try:
        yield
        missing = [path.name for path in finals if not _temporary(path).exists()]
        if missing:
            raise RuntimeError(f"the job ended without writing {', '.join(missing)}")
        for path in finals:
            os.replace(_temporary(path), path)
    finally:
        for path in finals:
            _temporary(path).unlink(missing_ok=True)


def _write_record(job: Job, identity: dict[str, Any], finals: Sequence[Path], started: datetime, script: Path) -> None:
    facts = {"resumed": False, **job.notes}
    record = {
        "job": script.stem,
        "key": job.key,
        **identity,
        "outputs": [_described(path) for path in finals],
        "command": ["python", *sys.argv],
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        **facts,
        "remarks": _remarks(facts),
        "environment": describe_environment(ROOT),
    }
    final = _place_of_record(finals)
    temporary = _temporary(final)
    temporary.write_text(record_text(record))
    os.replace(temporary, final)
    older = finals[0].with_name(finals[0].name + RECORD_SUFFIX)
    if older != final:
        older.unlink(missing_ok=True)


def _place_of_record(finals: Sequence[Path]) -> Path:
    """Choose the first output that is no raw data: who leaves raw data out keeps the record of what made them."""
    beside = next((path for path in finals if RAW_FOLDER not in path.parts[:-1]), finals[0])
    return beside.with_name(beside.name + RECORD_SUFFIX)


def _remarks(facts: dict[str, Any]) -> list[str]:
    """Say in words what a reader of the results should know of how they were computed."""
    device, requested = str(facts.get("device", "")), str(facts.get("requested_device", ""))
    remarks = []
    if requested in ("cuda", "auto") and device and not device.startswith("cuda"):
        remarks.append(
            f"A GPU was asked for (device: {requested}), none was there: computed on the {device.upper()}, whose "
            "rounding differs from a GPU's."
        )
    if "uncompiled" in facts:
        remarks.append(str(facts["uncompiled"]))
    if facts["resumed"]:
        remarks.append("Stopped on the way and resumed from its last checkpoint.")
    return remarks


def _full_disk(error: BaseException, paths: Sequence[Path]) -> str | None:
    """Say that a disk is full, where that is why a write failed (the NetCDF library hides the cause)."""
    cause: BaseException | None = error
    full = False
    while cause is not None:
        full = full or (isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT))
        cause = cause.__cause__ or cause.__context__
    for path in paths:
        folder = path.parent
        if not folder.exists():
            continue
        free = shutil.disk_usage(folder).free
        if full or (isinstance(error, OSError | RuntimeError) and free < NEARLY_FULL_BYTES):
            return (
                f"{path}: the disk is full ({free / 1e6:.1f} MB free in {folder}); nothing was kept under its final "
                "name; free some space, or set another folder, and run the same command again"
            )
    return None


def _fail(message: str) -> None:
    LOG.error("error: %s", message)
    raise SystemExit(1)
