"""Training on a data set 8 times as large as the memory allowed, beside the same in memory."""

from data import Data
from tools import WORK, call, per_epoch, spent

ROWS = 4_000_000
FIELDS = 34
TIMES = 8


def measure(pairloom):
    if "--memory" not in call(pairloom, "train", "--help"):
        return {"missing": "pairloom train has no --memory"}
    data = Data(pairloom, WORK / "large", train=ROWS, test=1000)
    text = data.file("train", "libffm")
    encoded = ROWS * (FIELDS + 1) * 4 / (1 << 20)
    limit = f"{encoded / TIMES:.0f}M"

    def train(*words):
        def run(epochs):
            found = spent(pairloom, "train", text, "--epochs", epochs, "--valid-fraction", 0,
                          "--output", WORK / "large/model.pairloom", "--quiet", *words)
            peaks.append(found["peak"])
            return found
        peaks = []
        return {**per_epoch(run), "peak": max(peaks)}

    within, without = train("--memory", limit), train()
    return {"encoded": encoded, "limit": limit, "within": within, "without": without}
