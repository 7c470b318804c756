"""All of scikit-learn's checks of estimators, with no expected failures."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from pairloom import FMClassifier, FMRanker, FMRegressor


def checks():
    for estimator in (FMClassifier(), FMRegressor(), FMRanker()):
        for instance, check in estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            yield pytest.param(instance, check, id=f"{type(instance).__name__}-{name}")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
@pytest.mark.filterwarnings("ignore")
def test_check(estimator, check):
    check(estimator)
