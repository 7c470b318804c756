"""The notebook runs from top to bottom, and says what it should."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
for needed in ("ipykernel", "matplotlib", "pandas", "pyarrow"):
    pytest.importorskip(needed)

NOTEBOOK = Path(__file__).parents[3] / "docs/notebook.ipynb"


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_the_notebook_is_stored_without_output():
    assert outputs(nbformat.read(NOTEBOOK, as_version=4)) == []


def test_the_notebook_runs(monkeypatch):
    # It draws into the page, unlike other tests.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    found = outputs(notebook)
    assert not [output for output in found if output.get("name") == "stderr"]
    drawn = [output for output in found if "image/png" in output.get("data", {})]
    assert len(drawn) == 5
    pages = [output.data["text/html"] for output in found if "text/html" in output.get("data", {})]
    assert any("<iframe" in page for page in pages), "a fitted estimator is a page"
    printed = "".join(output.text for output in found if output.output_type == "stream").splitlines()
    scores = [line.split()[-1] for line in printed if line.startswith(("by pairs", "in linear time", "the model"))]
    assert len(scores) == 3 and max(map(float, scores)) - min(map(float, scores)) < 1e-4
    assert found[-1].data["text/plain"] == "True"
