"""modern-fm from PyPI: Rust kernels behind scikit-learn's interface."""

import sys
from pathlib import Path

# This script has the package's name.
sys.path = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]
from modern_fm import FFMClassifier, FMClassifier, FwFMClassifier  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
import common  # noqa: E402
from rows import fields, matrix  # noqa: E402

MODELS = {"fm": FMClassifier, "ffm": FFMClassifier, "fwfm": FwFMClassifier}


class Model:
    def __init__(self, features, call):
        settings = call.settings
        self.features, self.held = features, (None, None)
        self.over_fields = call.model != "fm"
        self.model = MODELS[call.model](
            n_factors=call.factors, max_iter=1, warm_start=True, n_jobs=call.threads,
            batch_size=int(settings["batch_size"]), learning_rate=settings["rate"],
            l2_linear=settings["l2"], l2_factors=settings["l2"])

    def epoch(self, labels, ids, number):
        if self.held[0] is not ids:
            self.held = ids, matrix(ids, self.features)
        more = {"field_ids": fields(ids, self.features)} if self.over_fields else {}
        self.model.set_params(random_state=number).fit(self.held[1], labels, **more)

    def predict(self, ids):
        return self.model.predict_proba(matrix(ids, self.features))[:, 1]


common.main(Model)
