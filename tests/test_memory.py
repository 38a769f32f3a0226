"""Huge pages for the fields of a network at work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gwsd.memory import SWITCH, use_huge_pages

ROOT = Path(__file__).parents[1]

FAULTS = """
import resource, sys
sys.path.insert(0, {root!r})
if {huge}:
    from gwsd.memory import use_huge_pages
    use_huge_pages()
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(32, 1024, 1024)  # 128 MB, a layer's answer
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, huge: bool) -> int:
    program = FAULTS.format(root=str(ROOT), huge=huge)
    return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)


def test_a_large_field_takes_few_page_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not pages.is_file() or "[never]" in pages.read_text() or "[always]" in pages.read_text():
        pytest.skip("this kernel gives huge pages to nobody, or to everybody")
    monkeypatch.delenv(SWITCH, raising=False)
    assert faults(huge=False) > 10 * faults(huge=True)


def test_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")
    use_huge_pages()
    assert os.environ[SWITCH] == "0"


@pytest.mark.parametrize("module", ["workflow_scripts.product", "workflow_scripts.train", "gwsd.commands.downscale"])
def test_torch_is_not_there_before_it_is_asked(module: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
