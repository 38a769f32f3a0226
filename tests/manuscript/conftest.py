from pathlib import Path

import pytest

from gwsd.manuscript.article import BuiltArticle, build_article
from tests.manuscript.example import files, write_example


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example(tmp_path_factory.mktemp("demo") / "results")


@pytest.fixture(scope="session")
def built(folder: Path) -> BuiltArticle:
    return build_article(**files(folder))
