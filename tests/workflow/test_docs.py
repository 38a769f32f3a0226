"""README and docs: every command works, the worked examples run, tables and links are current."""

import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from gwsd.artifacts.registry import ARTIFACTS
from gwsd.cli import main
from tests.loopback.climate_data_store import KEY
from tests.workflow.conftest import ROOT, Project, edit

pytestmark = pytest.mark.workflow

PAGES = {page: page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"(?<!`)`((?:snakemake|make|python) [^`<\n]+)`")
TITLED = re.compile(r"```\w+ title=\"(.*?)\"\n(.*?)```", re.DOTALL)
LINES = [line for text in PAGES.values() for block in SHELL.findall(text) for line in block.splitlines()]
COMMANDS = list(
    dict.fromkeys([line.split(" #")[0].strip() for line in [*LINES, *INLINE.findall("\n".join(PAGES.values()))]])
)
ELSEWHERE = {
    "snakemake --unlock",  # the fixture `finished` runs it
    "snakemake --cores all figure8",  # test_a_new_figure_is_one_module_and_one_entry
}
EXAMPLES = dict(TITLED.findall((ROOT / "docs/how-to.md").read_text(encoding="utf-8")))
CREDENTIALS = {"ECMWF_DATASTORES_URL": "http://127.0.0.1:9/api", "ECMWF_DATASTORES_KEY": KEY}


def of(program: str) -> list[list[str]]:
    """Words after the program of each command of the pages."""
    return [shlex.split(line)[1:] for line in COMMANDS if line.split()[0] == program and line not in ELSEWHERE]


def dry_runs() -> dict[tuple[str, ...], set[str]]:
    """Targets of all `snakemake` commands by their `--config`."""
    found: dict[tuple[str, ...], set[str]] = {}
    for words in of("snakemake"):
        targets, config, option = [], [], ""
        for word in words:
            if word.startswith("-"):
                option = word
            elif option == "--config":
                config.append(word)
            elif option == "" or (option == "--cores" and word != "all"):
                targets.append(word)
            else:
                assert option in ("--cores", "--resources", "--forcerun", "--software-deployment-method"), words
        found.setdefault(tuple(config), set()).update(targets or ["all"])
    for config, paths in list(found.items()):  # paths name their scenario: one dry run less
        larger = next((other for other in found if set(config) < set(other)), None)
        if larger and all("/" in path for path in paths):
            found[larger] |= found.pop(config)
    return found


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    assert {"make reproduce", "make test", "snakemake --cores all figure4"} <= set(COMMANDS)
    assert {line.split()[0] for line in COMMANDS} <= {"snakemake", "gwsd", "make", "python", "source"}
    assert {line for line in COMMANDS if line.startswith("source")} <= {"source .venv/bin/activate"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy(tmp_path_factory.mktemp("docs"))
    for name in ("FILE.nc", "CLIMATE/era5_land_2003.nc"):
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).touch()
    return project


@pytest.mark.parametrize(
    ("config", "targets"), [pytest.param(*item, id=" ".join(item[0])) for item in dry_runs().items()]
)
def test_snakemake_plans_the_targets(copy: Project, config: tuple[str, ...], targets: set[str]) -> None:
    words = ["snakemake", "-n", "--cores", "all", "--resources", "gpu=2", "--quiet", "all", "--", *sorted(targets)]
    if config:
        words[1:1] = ["--config", *config]
    result = copy.run(*words, environment=CREDENTIALS)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]


def test_make_knows_its_targets(copy: Project) -> None:
    result = copy.run("make", "-n", *{word for words in of("make") for word in words})
    assert result.returncode == 0, result.stderr


def test_gwsd_commands_work(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In process, in the order of the pages, with the toy's results in place of the demo's."""
    shutil.copytree(finished.root / "results/toy", tmp_path / "results/demo")
    shutil.copytree(ROOT / "reference", tmp_path / "reference")
    shutil.copy(next(finished.root.glob("results/toy/raw/g3p/GWSA/*.nc")), tmp_path / "FILE.nc")
    ring = [[75, 20], [85, 20], [85, 28], [75, 28], [75, 20]]
    basin = {"type": "Feature", "properties": {"name": "a"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "FILE.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [basin]}))
    monkeypatch.chdir(tmp_path)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("gwsd.training.duration.cpu_seconds", lambda *_, **__: 60.0)  # doctor measures a step
    root = (tmp_path / "results/demo/root.txt").read_text().strip()
    for words in of("gwsd"):
        words += ["--offline"] if words[0] == "doctor" else []
        status = main([root if word.endswith("…") else word for word in words])
        assert status == 0, f"gwsd {shlex.join(words)}\n{capsys.readouterr().err}"


def test_pip_and_pytest_commands_are_valid(copy: Project) -> None:
    for words in of("python"):
        assert words[1] in ("gwsd.cli", "pip", "pytest")
        assert all((copy.root / word).exists() for word in words if "/" in word), words
        result = copy.run(sys.executable, *words, "--help")  # an unknown option is an error, also before --help
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[!_]*.py")), ids=lambda path: path.stem)
def test_benchmarks_print_their_help(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(path.parent)
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    if "argparse" not in path.read_text():
        runpy.run_path(str(path))
        return
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert end.value.code == 0
    assert "usage" in capsys.readouterr().out


@pytest.fixture(scope="module")
def extended(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The finished project with the worked examples of docs/how-to.md, run."""
    project = finished.clone(tmp_path_factory.mktemp("examples") / "clone")
    (project.root / "gwsd/artifacts/figure8.py").write_text(EXAMPLES["gwsd/artifacts/figure8.py"])
    before = '    Artifact(\n        "quality_map",'
    edit(project, "gwsd/artifacts/registry.py", before, EXAMPLES["gwsd/artifacts/registry.py"] + before)
    edit(project, "config.yaml", "    memory_1:", EXAMPLES["config.yaml"] + "    memory_1:")
    result = project.snakemake("figure8", "table6")
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    assert re.findall("Training .*, seed", result.stdout + result.stderr) == ["Training no_smoothness, seed"]
    return project


@pytest.mark.xdist_group("examples")
def test_a_new_figure_is_one_module_and_one_entry(extended: Project) -> None:
    folder = extended.root / "results/toy/figures"
    assert (folder / "figure8.pdf").stat().st_size > 0
    values = json.loads((folder / "figure8.json").read_text())["values"]
    data = pd.read_csv(folder / "figure8.csv")
    assert [entry["value"] for entry in values] == pytest.approx(list(data["rmse"] / 10.0))


@pytest.mark.xdist_group("examples")
def test_a_new_variant_appears_in_the_table_of_its_group(extended: Project) -> None:
    table = pd.read_csv(extended.root / "results/toy/tables/table6.csv")
    assert list(table["variant"]) == ["full", "no_convlstm", "no_physics", "no_uncertainty", "no_smoothness"]
    assert table["mae_cm"].notna().all()
    assert "Without smoothness" in (extended.root / "results/toy/tables/table6.md").read_text()


def test_the_readme_lists_every_artifact() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (yes|no) \|$", PAGES[ROOT / "README.md"], re.MULTILINE)
    assert rows == [(entry.name, entry.label, "yes" if entry.trains else "no") for entry in ARTIFACTS]


def test_codecheck_lists_every_numbered_artifact() -> None:
    listed = re.findall(r"file: results/demo/\w+/(\w+)\.", (ROOT / "codecheck.yml").read_text())
    assert listed == [entry.name for entry in ARTIFACTS if entry.name != "quality_map"]


def test_links_between_pages_have_targets() -> None:
    for page, text in PAGES.items():
        for link in re.findall(r"\]\((?!http)([^)]+)\)", text):
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve()
            assert target.exists(), f"{page.name} links to {link}"
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
            assert not anchor or anchor in [re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings], link


def test_no_page_contains_a_path_of_one_machine() -> None:
    for page, text in PAGES.items():
        assert str(ROOT) not in text, page
        assert f"{Path.home()}/" not in text, page
