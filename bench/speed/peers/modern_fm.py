"""modern-fm from PyPI: Rust kernels behind scikit-learn's interface."""

import sys
from pathlib import Path

# This script has the package's name.
sys.path = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]
from modern_fm import FMClassifier  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import common  # noqa: E402
import numpy as np  # noqa: E402
from scipy.sparse import csr_matrix  # noqa: E402


def matrix(ids, features):
    rows, width = ids.shape
    starts = np.arange(0, rows * width + 1, width)
    return csr_matrix((np.ones(rows * width), ids.ravel(), starts), (rows, features))


class Model:
    def __init__(self, features, call):
        settings = call.settings
        self.features, self.held = features, (None, None)
        self.model = FMClassifier(
            n_factors=common.FACTORS, max_iter=1, warm_start=True, n_jobs=call.threads,
            batch_size=int(settings["batch_size"]), learning_rate=settings["rate"],
            l2_linear=settings["l2"], l2_factors=settings["l2"])

    def epoch(self, labels, ids, number):
        if self.held[0] is not ids:
            self.held = ids, matrix(ids, self.features)
        self.model.set_params(random_state=number).fit(self.held[1], labels)

    def predict(self, ids):
        return self.model.predict_proba(matrix(ids, self.features))[:, 1]


common.main(Model)
