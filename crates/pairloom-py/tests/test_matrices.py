"""Matrices of any layout and type, and data sets for many fits."""

import numpy as np
import pytest
from conftest import same_weights
from scipy import sparse

from pairloom import Dataset, FMClassifier, FMRegressor


def fit(X, y, **changed):
    return FMClassifier(**{"epochs": 3, "factors": 4, "random_state": 0, **changed}).fit(X, y)


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "list": lambda X: X.tolist(),
    "big-endian": lambda X: X.astype(X.dtype.newbyteorder(">")),
    "objects": lambda X: X.astype(object),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_a_dense_matrix(products, layout):
    X, y = products
    fm, other = fit(X, y), fit(layout(X), y)
    assert same_weights(fm, other)
    assert np.array_equal(fm.predict_proba(layout(X)), fm.predict_proba(X))


TYPES = [np.float32, np.float16, np.int8, np.int32, np.int64, np.uint8, np.uint64, bool]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_types_of_a_dense_matrix(products, kind):
    X, y = products
    whole = np.rint(np.abs(X) * 3).clip(0, 1 if kind is bool else 100)
    # Whole numbers may be names or quantities: what they are is said.
    said = {"numeric": [f"x{i}" for i in range(4)]}
    fm, other = fit(whole, y, **said), fit(whole.astype(kind), y, **said)
    assert same_weights(fm, other)
    assert np.array_equal(fm.predict_proba(whole.astype(kind)), fm.predict_proba(whole))


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32, bool])
def test_types_of_a_sparse_matrix(counts, index, kind):
    X, y = counts
    ones = sparse.csr_array((np.ones(X.nnz), X.indices, X.indptr), shape=X.shape)
    typed = ones.astype(kind)
    typed.indices, typed.indptr = typed.indices.astype(index), typed.indptr.astype(index)
    assert same_weights(fit(ones, y), fit(typed, y))


@pytest.mark.parametrize("form", ["csc", "coo", "lil", "dok", "bsr"])
def test_forms_of_a_sparse_matrix(counts, form):
    X, y = counts
    fm = fit(X, y)
    assert same_weights(fm, fit(X.asformat(form), y))
    assert np.array_equal(fm.predict_proba(X.asformat(form)), fm.predict_proba(X))
    assert np.array_equal(fm.predict_proba(sparse.csr_matrix(X)), fm.predict_proba(X))


def test_order_within_a_row_means_nothing(counts):
    X, y = counts
    turned = X.copy()
    for start, end in zip(X.indptr, X.indptr[1:]):
        turned.indices[start:end], turned.data[start:end] = X.indices[start:end][::-1], X.data[start:end][::-1]
    turned.has_sorted_indices = False
    fm = fit(X, y)
    assert np.allclose(fm.predict_proba(turned), fm.predict_proba(X), atol=1e-6)


def test_matrices_are_not_changed_and_may_be_read_only(counts, products, tmp_path):
    X, y = products
    X.tofile(tmp_path / "matrix")
    mapped = np.memmap(tmp_path / "matrix", dtype=np.float64, mode="r", shape=X.shape)
    fm = fit(mapped, y)
    assert same_weights(fm, fit(X, y))
    assert (tmp_path / "matrix").read_bytes() == X.tobytes()
    X, y = counts
    before = [part.copy() for part in (X.indptr, X.indices, X.data)]
    for part in (X.indptr, X.indices, X.data):
        part.flags.writeable = False
    try:
        fit(X, y).predict(X)
    finally:
        for part in (X.indptr, X.indices, X.data):
            part.flags.writeable = True
    assert all(map(np.array_equal, before, (X.indptr, X.indices, X.data)))


def test_a_sparse_matrix_and_its_libsvm_file_are_the_same(counts, tmp_path):
    from sklearn.datasets import dump_svmlight_file

    X, y = counts
    y = (y > 0).astype(int)
    dump_svmlight_file(X, y, str(tmp_path / "rows.libsvm"), zero_based=True)
    fm, of_file = fit(X, y), fit(tmp_path / "rows.libsvm", None)
    assert same_weights(fm, of_file)
    assert np.array_equal(fm.predict_proba(tmp_path / "rows.libsvm"), of_file.predict_proba(X))


def test_a_data_set_is_for_many_fits(products, counts):
    for X, y in (products, counts):
        data = Dataset(X, y=y)
        assert len(data) == len(y) and "rows" in repr(data)
        for settings in ({}, {"factors": 2}, {"min_count": 1, "random_state": 5}, {"model": "linear", "bins": 4}):
            of_set, of_matrix = fit(data, None, **settings), fit(X, y, **settings)
            assert same_weights(of_set, of_matrix)
            assert of_set.classes_.tolist() == of_matrix.classes_.tolist()
            assert np.array_equal(of_set.predict_proba(X), of_matrix.predict_proba(X))
        assert np.array_equal(of_set.predict_proba(data), of_set.predict_proba(X))
        assert of_set.n_features_in_ == X.shape[1] and not hasattr(of_set, "feature_names_in_")


def test_columns_are_those_of_the_last_rows(products, counts):
    X, y = products
    fm = fit(*counts)
    assert fm.n_features_in_ == 12
    fm.fit(Dataset(X, y=y))
    assert fm.n_features_in_ == 4 and fm.predict(X).shape == y.shape


def test_a_data_set_of_weights_and_numbers(sums):
    X, y = sums
    weight = np.linspace(0.5, 2, len(y))
    of_set = FMRegressor(epochs=3, random_state=0).fit(Dataset(X, y=y, sample_weight=weight))
    assert same_weights(of_set, FMRegressor(epochs=3, random_state=0).fit(X, y, sample_weight=weight))


def test_a_data_set_stops_the_training(products):
    X, y = products
    train, valid = Dataset(X[:200], y=y[:200]), Dataset(X[200:], y=y[200:])
    of_sets = FMClassifier(epochs=5, random_state=0).fit(train, eval_set=valid)
    of_rows = FMClassifier(epochs=5, random_state=0).fit(X[:200], y[:200], eval_set=(X[200:], y[200:]))
    assert same_weights(of_sets, of_rows) and of_sets.history_ == of_rows.history_


def test_a_cache_is_made_and_used(tmp_path):
    rows = "\n".join(f"{'ab'[i % 2]},{'xyz'[i % 3]},{i % 2}" for i in range(60))
    (tmp_path / "rows.csv").write_text(f"a,b,label\n{rows}\n")
    one, other = (Dataset(tmp_path / "rows.csv", cache=str(tmp_path / "rows.kept")) for _ in range(2))
    assert (tmp_path / "rows.kept").exists()
    assert same_weights(fit(one, None), fit(other, None))
