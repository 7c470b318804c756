"""`train --live` in a pseudo-terminal, whose screen pyte keeps as a terminal would."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest
from conftest import people

LINE = "train rows.csv --label bought --ignore spent,weight --epochs 5 --patience 0 --threads 1"
TABLE = "epoch   rate  log loss"


class Terminal:
    """A terminal of so many places and rows, and what runs in it; standard output may go elsewhere."""

    def __init__(self, line, columns, rows, stdout=None, **environment):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.ours, theirs = pty.openpty()
        self.resize(columns, rows)
        environment = {**os.environ, "TERM": "xterm-256color", **environment}
        self.child = subprocess.Popen(
            [os.environ["PAIRLOOM"], *line.split()], env=environment, stdin=theirs,
            stdout=stdout or theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)

    def resize(self, columns, rows):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, until=lambda text: False):
        """Reads on until the command ends, or the screen is as wanted."""
        end = time.monotonic() + 60
        while not until(self.text()):
            assert time.monotonic() < end, self.text()
            if select.select([self.ours], [], [], 1)[0]:
                try:
                    read = os.read(self.ours, 65536)
                except OSError:
                    break
                self.bytes += read
                self.stream.feed(read)
        return self.text()

    def end(self):
        self.read()
        os.close(self.ours)
        return self.child.wait(60)

    def text(self):
        """What was on the screen, and what is."""
        above = ["".join(line[at].data for at in range(self.screen.columns))
                 for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self.screen.display])


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people(3000).to_csv("rows.csv", index=False)


def places(screen, wanted):
    """Places of the screen with one of the characters, but not in words."""
    lines = [line for line in screen.splitlines() if "┤" in line or "│" in line]
    return sum(c in wanted for line in lines for c in line)


BRAILLE = [chr(c) for c in range(0x2801, 0x2900)]


@pytest.mark.parametrize("columns, height", [(100, 40), (60, 30), (40, 12)])
def test_the_last_picture_stands(rows, columns, height):
    terminal = Terminal(f"{LINE} --live", columns, height)
    assert terminal.end() == 0
    text = terminal.text()
    assert text.count("log loss  ⣤⣤ training  x validation") == 1, "drawn in its own place"
    assert places(text, BRAILLE) > 15 and places(text, "x") >= 5, text
    assert text.count("AUC  x validation") == (height > 20), text
    assert "5 epochs in" in text and "rows/s" in text
    assert TABLE not in text, "the charts stand for the table"
    assert "wrote model.pairloom" in text and "all epochs are done" in text
    assert b"\x1b[?25l" not in terminal.bytes, "the cursor is never hidden"


def steady(name):
    """A log's lines but for those that are never the same twice, each without the speed."""
    with open(name, encoding="utf-8") as log:
        return [line[:52].rstrip() for line in log if "rows/s" not in line and "memory" not in line]


def test_standard_output_elsewhere_is_not_disturbed(rows):
    for name, flag in [("charts", "--live"), ("plain", "")]:
        with open(name, "w", encoding="utf-8") as log:
            terminal = Terminal(f"{LINE} {flag}", 80, 24, stdout=log)
            assert terminal.end() == 0
        assert ("⣤⣤ training" in terminal.text()) == (name == "charts")
        assert "wrote" not in terminal.text()
    assert steady("charts") == steady("plain")
    with open("charts", encoding="utf-8") as log:
        text = log.read()
    assert TABLE in text and "\x1b" not in text and "⣤" not in text


@pytest.mark.parametrize("size, kind", [((39, 30), "xterm"), ((80, 11), "xterm"), ((80, 24), "dumb")])
def test_where_there_is_no_room_the_table_is_shown(rows, size, kind):
    terminal = Terminal(f"{LINE} --live", *size, TERM=kind)
    assert terminal.end() == 0
    assert TABLE in terminal.text() and "⣤" not in terminal.text()


@pytest.mark.parametrize("flag", ["--json", "--quiet"])
def test_programs_see_no_charts(rows, flag):
    terminal = Terminal(f"{LINE} --live {flag}", 80, 24)
    assert terminal.end() == 0
    assert "⣤" not in terminal.text() and b"\x1b" not in terminal.bytes
    assert (terminal.bytes == b"") == (flag == "--quiet")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_colour(rows, environment):
    terminal = Terminal(f"{LINE} --live", 80, 24, **environment)
    assert terminal.end() == 0
    assert "⣤⣤ training" in terminal.text()
    assert (b"\x1b[36m" in terminal.bytes) == (not environment)


def test_another_size_and_the_end_by_a_signal(rows):
    line = LINE.replace("--epochs 5", "--epochs 100000")
    terminal = Terminal(f"{line} --live", 100, 40)
    terminal.read(until=lambda text: re.search(r"epoch ([2-9]|\d\d+) of", text))
    assert "accuracy  x" in terminal.text()
    terminal.resize(50, 20)
    before = len(terminal.bytes)
    terminal.read(until=lambda _: terminal.bytes.count(b" training", before) > 5)
    os.kill(terminal.child.pid, signal.SIGINT)
    assert terminal.end() == 130
    display = "\n".join(terminal.screen.display)
    assert re.search(r"\d epochs? in", display) and "stopped after" in display, display
    assert display.count("AUC  x validation") == 1 and "accuracy  x" not in display, display
    assert not terminal.screen.cursor.hidden
