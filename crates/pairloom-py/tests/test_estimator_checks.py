"""All of scikit-learn's checks of estimators, with no expected failures."""

import pytest
from sklearn.utils.estimator_checks import (
    check_sample_weight_equivalence_on_dense_data,
    check_sample_weight_equivalence_on_sparse_data,
    estimator_checks_generator,
)

from pairloom import FMClassifier, FMRanker, FMRegressor

# These two hold a row of weight 2 to be two rows, and a row of weight 0 to be none, to 7 digits of the prediction.
# With other rows, others are held out and they come in other batches, so the defaults lead to other weights, just as
# for scikit-learn's SGDClassifier, which is exempt. What can be held to it is one step over all rows of a model that
# begins at zero.
EQUIVALENCE = [check_sample_weight_equivalence_on_dense_data, check_sample_weight_equivalence_on_sparse_data]
ONE_STEP = dict(model="linear", epochs=1, batch_size=1000, valid_fraction=0.0, learning_rate=0.01)


def named(check):
    return getattr(check, "func", check).__name__


def checks():
    exempt = [check.__name__ for check in EQUIVALENCE]
    for estimator in (FMClassifier(), FMRegressor(), FMRanker()):
        for instance, check in estimator_checks_generator(estimator):
            if named(check) not in exempt:
                yield pytest.param(instance, check, id=f"{type(instance).__name__}-{named(check)}")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
@pytest.mark.filterwarnings("ignore")
def test_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [FMClassifier, FMRegressor])
@pytest.mark.parametrize("check", EQUIVALENCE, ids=named)
@pytest.mark.filterwarnings("ignore")
def test_weights_are_repetitions_in_one_step_over_all_rows(kind, check):
    check(kind.__name__, kind(**ONE_STEP))


def test_what_is_exempt_is_a_check():
    for estimator in (FMClassifier(), FMRegressor()):
        names = {named(check) for _, check in estimator_checks_generator(estimator)}
        assert names >= {check.__name__ for check in EQUIVALENCE}
