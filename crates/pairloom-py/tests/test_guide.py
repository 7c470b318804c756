"""The guide and the README's section on Python: what they print is what comes out."""

import contextlib
import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
matplotlib.use("agg")

ROOT = Path(__file__).parents[3]
SHOPPERS = ROOT / "crates/pairloom-cli/data/online_shoppers_intention.csv"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def sections(text):
    """The title of each section, and its blocks: language, code, and the output that is said, if there is one."""
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        found = BLOCK.findall(part)
        following = [*found[1:], ("", "")]
        blocks = [
            (language, code, after if kind == "text" else None)
            for (language, code), (kind, after) in zip(found, following)
            if language != "text"
        ]
        yield part.partition("\n")[0], blocks


PAGES = {
    "guide": list(sections((ROOT / "docs/python.md").read_text(encoding="utf-8"))),
    "readme": [one for one in sections((ROOT / "README.md").read_text(encoding="utf-8")) if one[0] == "Python"],
}


def is_command(block):
    return block[0] == "sh" and block[1].startswith("pairloom ")


def command():
    """The command that the checkout has built, which ``PAIRLOOM`` names, or the one that is installed."""
    found = os.environ.get("PAIRLOOM") or shutil.which("pairloom")
    return Path(found).resolve() if found else None


def ratings():
    """The folder of MovieLens latest-small, if it lies beside the checkout."""
    places = (folder / "shared/data/ml-latest-small" for folder in ROOT.parents)
    return next((place for place in places if place.is_dir()), None)


class Page:
    """A page that is worked through in a folder of its own; names stay from block to block."""

    def __init__(self, folder):
        self.folder, self.names = folder, {}
        shutil.copy(SHOPPERS, folder)

    def run(self, block):
        language, code, _ = block
        if language == "python":
            with moved(self.folder), contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(code, "the page", "exec"), self.names)
            return printed.getvalue()
        path = f"{command().parent}{os.pathsep}{os.environ['PATH']}"
        run = subprocess.run(
            ["bash", "-ec", code], cwd=self.folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr


@contextlib.contextmanager
def moved(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return {name: Page(tmp_path_factory.mktemp(name)) for name in PAGES}


@pytest.mark.parametrize("page, at", [(page, at) for page in PAGES for at in range(len(PAGES[page]))])
def test_what_is_printed(pages, page, at):
    title, blocks = PAGES[page][at]
    wanted = [block for block in blocks if block[0] == "python" or is_command(block)]
    if any(is_command(block) for block in wanted) and command() is None:
        pytest.skip(f"'{title}' needs the command: PAIRLOOM names it")
    if any("ml-latest-small" in code for _, code, _ in wanted):
        if ratings() is None:
            pytest.skip(f"'{title}' needs MovieLens latest-small in ../shared/data")
        link = pages[page].folder / "ml-latest-small"
        if not link.exists():
            link.symlink_to(ratings(), target_is_directory=True)
    for block in wanted:
        printed = pages[page].run(block)
        if block[2] is not None:
            assert printed == block[2], f"{title}:\n{block[1]}"


def test_pages_have_blocks():
    python = {page: sum(block[0] == "python" for _, blocks in PAGES[page] for block in blocks) for page in PAGES}
    assert python["guide"] > 20 and python["readme"] > 0
    silent = [code for _, blocks in PAGES["guide"] for language, code, said in blocks if "print(" in code and said is None]
    assert not silent, "what is printed is said"
