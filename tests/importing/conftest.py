import pytest

from appointments.services.importing import import_workbook
from hospital.workbook.reader import read
from tests.importing.workbooks import workbook

from .state import NOW


@pytest.fixture
def bring(tmp_path):
    """Import the small hospital with one change to its rows."""

    def run(change=lambda rows: None, *, apply=True, retire_missing=False):
        content = read(workbook(tmp_path / "hospital.xlsx", change))
        return import_workbook(content=content, apply=apply, retire_missing=retire_missing, now=NOW)

    return run
