"""The set on which peers and readers are compared: a click log by `pairloom synth`."""

import json

from tools import call

FEATURES = 1 << 18
POSITIVES = 0.22


class Data:
    """Training and test rows of one-hot fields, in the formats that programs read."""

    def __init__(self, pairloom, folder, train, test, fields=34, features=FEATURES):
        self.pairloom, self.folder = pairloom, folder
        self.fields, self.features = fields, features
        self.rows = {"train": train, "test": test}

    def file(self, part, format):
        """The rows of a part in a format, written when first asked for."""
        path = self.folder / f"{part}.{format}"
        summary = self.folder / f"{part}.json"
        if not path.exists() or not summary.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            written = call(
                self.pairloom, "synth", "--rows", self.rows[part], "--fields", self.fields,
                "--features", self.features, "--positives", POSITIVES,
                "--sample", int(part == "test"), "--format", format,
                "--output", path.with_suffix(".part"), "--json")
            path.with_suffix(".part").rename(path)
            summary.write_text(written, encoding="utf-8")
        return path

    def best(self):
        """The log loss of the machine that the test labels were drawn from."""
        self.file("test", "libffm")
        return json.loads((self.folder / "test.json").read_text())["best_log_loss"]

    def texts(self):
        return [self.file("train", format) for format in ("libsvm", "libffm", "csv")]
