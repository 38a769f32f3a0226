from pathlib import Path
from typing import Any

import pytest
import yaml

from gwsd.claims.ledger import Ledger
from gwsd.claims.reading import read_ledger

LEDGER = Path(__file__).parents[2] / "paper" / "claims.yaml"


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return read_ledger(LEDGER)


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    return yaml.load(LEDGER.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
