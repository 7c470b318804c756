"""The peers: how they are installed, what was tried to tune them, and what won.

The grids were run on the set of the bench with 16 factors; the best test log loss decided. `run
--grid peers` runs them again.
"""

from itertools import product

PACKAGES = {
    "modern_fm": ["numpy scipy modern-fm==1.1.2"],
    "xlearn": [
        "numpy scipy setuptools==65.5.0 wheel cmake==3.31.10",
        "--no-build-isolation xlearn==0.40a1",
    ],
    "vw": ["numpy scipy vowpalwabbit==9.11.9"],
    "pytorch": ["numpy scipy torch==2.15.0"],
}

# Has only field-aware machines, so it is one of the peers of the section models alone.
OF_MODELS = {"libffm": ["numpy scipy pylibffm==0.4.1"]}

NAMES = {"modern_fm": "modern-fm 1.1.2", "xlearn": "xLearn 0.40a1",
         "vw": "Vowpal Wabbit 9.11.9 (`--lrqfa`)", "pytorch": "PyTorch 2.15",
         "libffm": "libffm (pylibffm 0.4.1)"}


def grid(**settings):
    return [dict(zip(settings, values)) for values in product(*settings.values())]


GRID = {
    "modern_fm": grid(batch_size=[1, 512], rate=[0.01, 0.02, 0.05], l2=[1e-5, 1e-4, 1e-3]),
    "xlearn": grid(rate=[0.02, 0.03, 0.05, 0.1, 0.2], l2=[2e-5, 2e-4, 5e-4, 2e-3, 1e-2]),
    # Of .002, .006 and .02 on 60,000 rows: a pass over all takes five minutes.
    "vw": [],
    # L2 changes nothing before the fifth digit.
    "pytorch": grid(batch_size=[1024], rate=[0.03, 0.05, 0.08], l2=[1e-6])
    + grid(batch_size=[4096], rate=[0.1, 0.2], l2=[1e-6]),
}

# Of the section models, where only their rates are measured.
MODELS = {
    ("libffm", "ffm"): {"factors": 4, "rate": 0.2, "l2": 2e-5},
    ("xlearn", "ffm"): {"factors": 4, "rate": 0.1, "l2": 2e-5},
    ("modern_fm", "ffm"): {"factors": 4, "batch_size": 1, "rate": 0.02, "l2": 1e-5},
    ("modern_fm", "fwfm"): {"factors": 16, "batch_size": 1, "rate": 0.02, "l2": 1e-5},
}

BEST = {
    "modern_fm": {"batch_size": 1, "rate": 0.02, "l2": 1e-5},
    "xlearn": {"rate": 0.05, "l2": 5e-4},
    "vw": {"rate": 0.006},
    "pytorch": {"batch_size": 1024, "rate": 0.05, "l2": 1e-6},
}
