"""What the estimators have in common: scikit-learn's side of rows, settings and a trained model."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from . import _pairloom
from ._beside import check_dataset, group_beside, name_beside
from ._checks import functions
from ._model import Model
from ._progress import Progress
from ._rows import beside, check_kind, column_names, is_encoded, is_frame, rows, table, texts_told
from ._settings import asked
from ._warn import warn

if TYPE_CHECKING:
    from typing_extensions import Self

#: What is called with the dict of each epoch; training ends after one that returns False.
Callbacks = Callable[[dict[str, Any]], Any] | Sequence[Callable[[dict[str, Any]], Any]]


class FM(BaseEstimator):
    """What the estimators have in common."""

    # Every keyword is left to the core if it is None: this package has no defaults of its own.
    def __init__(
        self,
        *,
        model: str | None = None,
        factors: int | None = None,
        order: int | None = None,
        lower_orders: bool | None = None,
        rank: int | None = None,
        bias: bool | None = None,
        linear: bool | None = None,
        init_stdev: float | None = None,
        loss: str | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        negative_rate: float | None = None,
        calibrate: str | None = None,
        negatives: int | None = None,
        negative_sampling: str | None = None,
        precision: str | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        momentum: float | None = None,
        warm_up: int | None = None,
        l2_linear: float | None = None,
        l2_factors: float | None = None,
        learn_l2: bool | None = None,
        l1_linear: float | None = None,
        l1_factors: float | None = None,
        batch_size: int | None = None,
        batch_growth: float | None = None,
        epochs: int | None = None,
        shuffle: bool | None = None,
        patience: int | None = None,
        rate_decay: float | None = None,
        valid_fraction: float | None = None,
        valid_tail: float | None = None,
        min_count: int | None = None,
        hash_bits: int | None = None,
        numeric_transform: str | None = None,
        memory: int | str | None = None,
        bins: int | None = None,
        categorical: str | Sequence[str] | None = None,
        numeric: str | Sequence[str] | None = None,
        multi: Mapping[str, str] | None = None,
        transforms: Mapping[str, str] | None = None,
        time: Mapping[str, str] | None = None,
        ignore: str | Sequence[str] | None = None,
        item: str | Sequence[str] | None = None,
        trials: str | None = None,
        fields: str | Sequence[str] | None = None,
        positive: Any = None,
        preset: str | None = None,
        schema: str | os.PathLike[str] | None = None,
        on_error: str | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        device: str | None = None,
        warm_start: bool = False,
        callbacks: Callbacks | None = None,
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.factors = factors
        self.order = order
        self.lower_orders = lower_orders
        self.rank = rank
        self.bias = bias
        self.linear = linear
        self.init_stdev = init_stdev
        self.loss = loss
        self.class_weight = class_weight
        self.negative_rate = negative_rate
        self.calibrate = calibrate
        self.negatives = negatives
        self.negative_sampling = negative_sampling
        self.precision = precision
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.warm_up = warm_up
        self.l2_linear = l2_linear
        self.l2_factors = l2_factors
        self.learn_l2 = learn_l2
        self.l1_linear = l1_linear
        self.l1_factors = l1_factors
        self.batch_size = batch_size
        self.batch_growth = batch_growth
        self.epochs = epochs
        self.shuffle = shuffle
        self.patience = patience
        self.rate_decay = rate_decay
        self.valid_fraction = valid_fraction
        self.valid_tail = valid_tail
        self.min_count = min_count
        self.hash_bits = hash_bits
        self.numeric_transform = numeric_transform
        self.memory = memory
        self.bins = bins
        self.categorical = categorical
        self.numeric = numeric
        self.multi = multi
        self.transforms = transforms
        self.time = time
        self.ignore = ignore
        self.item = item
        self.trials = trials
        self.fields = fields
        self.positive = positive
        self.preset = preset
        self.schema = schema
        self.on_error = on_error
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: ArrayLike | str | None = None,
        *,
        sample_weight: ArrayLike | str | None = None,
        group: ArrayLike | str | None = None,
        eval_set: Any = None,
        callbacks: Callbacks | None = None,
    ) -> Self:
        """Train a model.

        Parameters
        ----------
        X : data frame, Arrow table or stream, CSR matrix, array of shape (n_rows, n_columns), str, path or Dataset
            Rows. Columns of frames and files may be of any type: names and lists of them are encoded. A file may be
            CSV, TSV, libsvm, libffm, MovieLens or Parquet, and larger than memory (``memory``).
        y : array-like of shape (n_rows,), or str, optional
            Labels, or the name of their column in ``X``; of a file or data set it may be left out.
        sample_weight : array-like of shape (n_rows,), or str, optional
            Row weights, or the name of their column.
        group : array-like of shape (n_rows,), or str, optional
            What says which rows belong together: they are held out together, or ranked among each other.
        eval_set : tuple (X, y) or (X, y, sample_weight), or X that has its labels, optional
            Validation rows, which stop the training; else a share of the rows is held out (``valid_fraction``).
        callbacks : callable or list of callables, optional
            Each is called with the dict of an epoch; training ends after one that returns False.

        Returns
        -------
        self
        """
        callbacks = [*functions("callbacks", self.callbacks), *functions("callbacks", callbacks)]
        with self._all_or_nothing():
            read = self._training_rows(X, y, sample_weight, group, reset=True)
            init = self.model_._of if self.warm_start and self.__sklearn_is_fitted__() else None
            valid = None if eval_set is None else self._validation_rows(eval_set)
            with Progress(self.verbose, callbacks) as progress:
                of, report = _pairloom.train(
                    read,
                    self._asked(init=init),
                    valid,
                    self._classifies,
                    progress.epoch,
                    progress.rows,
                )
            self._learner, self._model = None, Model(of)
            self._tell(json.loads(report))
            return self._learned()

    @contextmanager
    def _all_or_nothing(self):
        """Leaves what was learned before as it was, should training fail or be stopped."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            if before.get("_learner") is not None:
                # It may have learned from some rows.
                before["_model"] = None
            self.__dict__ = before
            raise

    def _partial_fit(self, X, y, sample_weight, classes):
        first = getattr(self, "_learner", None) is None
        self._check_settings(first)
        if sample_weight is None and hasattr(X, "shape"):
            # Rows that come later may weigh something.
            sample_weight = np.ones(X.shape[0])
        if not first and (sample_weight is None) != (self._columns[1] is None):
            raise ValueError("some rows have weights and some have none: give all a weight, such as 1")
        read = self._training_rows(X, y, sample_weight, None, reset=first and not self.__sklearn_is_fitted__(), classes=classes)
        if first:
            init = self.model_._of if self.__sklearn_is_fitted__() else None
            self._learner, self._model = _pairloom.Learner(read, self._asked(init=init), self._all_classes()), None
            warn(self._learner.notices)
            return self._learned()
        # The model of the rows before is not that of these, which is made when somebody asks for it.
        self._model = None
        if self.learning_rate != self._rate:
            if self.learning_rate is None:
                raise ValueError(f"learning_rate was {self._rate} up to now: give the one to go on with")
            self._learner.set_learning_rate(self.learning_rate)
            self._rate = self.learning_rate
        warn(self._learner.learn(read))
        return self

    def _check_settings(self, first):
        """Refuses settings that a learner has from its first rows, and that are others now."""
        # What changes nothing of the model, and the rate, which may change.
        free = ("learning_rate", "n_jobs", "callbacks", "verbose", "warm_start")
        settings = {name: repr(value) for name, value in self.get_params(deep=False).items() if name not in free}
        if first:
            self._first_settings, self._rate = settings, self.learning_rate
        for name, value in settings.items():
            if value != self._first_settings[name]:
                raise ValueError(
                    f"{name} was {self._first_settings[name]} for the first rows and is {value} now: of a model that goes on only "
                    "learning_rate changes; fit or clone begins another"
                )

    # What subclasses change: whether labels are classes, and the loss if none is said.
    _classifies = False
    _loss: str | None = None

    def _asked(self, init):
        label, weight, group = self._columns
        params = self.get_params(deep=False)
        if params["loss"] is None:
            params["loss"] = self._loss
        if self._positive is not None:
            params["positive"] = self._positive
        return asked(params, label=label, weight=weight, group=group, init=init)

    def _training_rows(self, X, y, sample_weight, group, *, reset, classes=None):
        """Rows with labels, weights and groups beside them; says what these columns are called."""
        check_dataset(X, y, sample_weight, group)
        self._positive, self._weight, self._outside = None, False, False
        self.__dict__.pop("_loss", None)
        X, encoded = table(X), is_encoded(X)
        # Whether all columns are features: those of rows to predict are then to be the same.
        self._whole = not encoded and not any(isinstance(of, str) for of in (y, sample_weight, group))
        if not self._whole and reset:
            self._forget_columns(X)
        if encoded or is_frame(X):
            names = [] if encoded else column_names(X)
            if y is None and not encoded:
                raise ValueError(_needs_y(self))
            if self._whole and hasattr(X, "shape"):
                validate_data(self, X, skip_check_array=True, reset=reset)
                check_consistent_length(X, y)
        else:
            names = []
            X, y = self._checked(X, y, reset)
        # Before they are read: some cannot say it while they are.
        n_rows = getattr(X, "shape", (None,))[0]
        read = rows(X, names=getattr(self, "feature_names_in_", None))
        label = y if isinstance(y, str) else None
        if y is not None and label is None:
            label, self._outside = self._known_label(y, names), True
            read = self._label_beside(read, label, y, sample_weight, classes)
        weight = sample_weight if isinstance(sample_weight, str) else None
        if sample_weight is not None and weight is None:
            weight, self._weight = name_beside("weight", None, [*names, label]), True
            if n_rows is not None:
                sample_weight = _check_sample_weight(sample_weight, np.empty((n_rows, 1)), dtype=np.float64, ensure_non_negative=True)
            read = beside(read, weight, np.asarray(sample_weight))
        named = group if isinstance(group, str) else None
        if group is not None and named is None:
            named = "qid" if sparse.issparse(X) else name_beside("group", None, [*names, label, weight])
            read = group_beside(read, named, group)
        self._columns = (label, weight, named)
        self._label = getattr(X, "_label", None) if label is None else label
        return read

    def _known_label(self, y, names):
        """What labels beside rows are called: as before, where training goes on."""
        if getattr(self, "_learner", None) is not None:
            known = self._columns[0]
        else:
            known = self.model_.label if self.warm_start and self.__sklearn_is_fitted__() else None
        return known if known is not None and known not in names else name_beside("label", y, names)

    def _forget_columns(self, X):
        """Forgets the columns of earlier rows; those of a file are known when it is read."""
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if getattr(X, "_n_columns", None) is not None:
            self.n_features_in_ = X._n_columns

    def _checked(self, X, y, reset):
        check_kind(X)
        if y is None:
            raise ValueError(_needs_y(self))
        if isinstance(y, str):
            raise ValueError(f"y is {y!r}, and the columns of a matrix have no names: give the labels themselves")
        with texts_told():
            return validate_data(
                self, X, y, accept_sparse="csr", dtype="numeric", ensure_all_finite=_finite(X), y_numeric=self._numeric,
                multi_output=False, ensure_min_samples=2, reset=reset,
            )

    _numeric = True

    def _matrix(self, X, reset=False):
        check_kind(X)
        with texts_told():
            return validate_data(self, X, accept_sparse="csr", dtype="numeric", ensure_all_finite=_finite(X), reset=reset)

    def _label_beside(self, read, name, y, sample_weight, classes):
        return beside(read, name, check_array(column_or_1d(y, warn=True), ensure_2d=False, input_name="y", dtype=np.float64))

    def _all_classes(self):
        return None

    def _validation_rows(self, eval_set):
        if isinstance(eval_set, list) and len(eval_set) == 1:
            eval_set = eval_set[0]
        if not isinstance(eval_set, (tuple, list)):
            eval_set = (eval_set, None)
        if len(eval_set) not in (2, 3) or isinstance(eval_set[0], tuple):
            raise ValueError("eval_set must be one (X, y) or (X, y, sample_weight): the core stops by one set of rows")
        X, y, *third = eval_set
        self._check_eval_labels(X, y)
        if not is_encoded(X) and not is_frame(X):
            X = self._matrix(X)
        n_rows = X.shape[0] if hasattr(X, "shape") else None
        read = rows(X, names=getattr(self, "feature_names_in_", None))
        if y is not None and not isinstance(y, str):
            read = self._known_beside(read, self._label, y)
        return self._third_beside(read, n_rows, *third)

    def _check_eval_labels(self, X, y):
        """Refuses labels that are not where those of the training rows are."""
        if y is not None and not isinstance(y, str) and self._label is None:
            raise ValueError("eval_set has labels beside its rows: say as y in which column those of the training rows are")
        lies_elsewhere = isinstance(y, str) and y != self._label
        if lies_elsewhere and self._label is not None and not self._outside:
            raise ValueError(f"eval_set: the labels of the training rows are in column {self._label!r}, and not in {y!r}")
        if self._outside and (lies_elsewhere or (y is None and is_frame(X) and self._label not in column_names(X))):
            raise ValueError(
                "eval_set needs its labels beside its rows, as the training rows have them: (X, y), or in a column that is "
                f"called {self._label!r}"
            )

    def _third_beside(self, read, n_rows, weight=None):
        """What comes third in ``eval_set`` beside its rows."""
        if self._weight and weight is None and n_rows is None:
            # The core takes rows without a weight for 1.
            return read
        if self._weight:
            return beside(read, self._columns[1], np.ones(n_rows) if weight is None else weight)
        if weight is not None:
            raise ValueError("eval_set has weights, and the training rows have none beside them: weigh both or none")
        return read

    def _known_beside(self, read, name, y):
        """Labels of rows that are not trained on."""
        return beside(read, name, column_or_1d(y))

    def _tell(self, report):
        warn(report["notices"])
        if report["stop"] == "diverged":
            message = "training diverged; the model is that of the best epoch before: lower learning_rate"
            warn([message], ConvergenceWarning)

    def _learned(self):
        if not hasattr(self, "n_features_in_"):
            self._name_columns(self.model_.schema["columns"])
        return self

    @property
    def model_(self) -> Model:
        """Model: The trained model."""
        if self.__dict__.get("_model") is None:
            learner = self.__dict__.get("_learner")
            if learner is None:
                raise AttributeError(f"this {type(self).__name__} is not fitted yet, and has no model_")
            self._model = Model(learner.model())
        return self._model

    @property
    def history_(self) -> list[dict[str, Any]]:
        """list of dict: What each epoch brought."""
        return self.model_.history

    @property
    def n_iter_(self) -> int:
        """int: Epochs that were trained."""
        return max(1, len(self.history_))

    @property
    def bias_(self) -> float | NDArray[np.float32]:
        """float, or ndarray of shape (n_classes,): w0."""
        bias = self.model_.bias
        return bias if len(bias) > 1 else float(bias[0])

    @property
    def linear_(self) -> NDArray[np.float32]:
        """ndarray of shape (n_ids,), or (n_ids, n_classes): w."""
        return self.model_.linear

    @property
    def factors_(self) -> NDArray[np.float32]:
        """ndarray of shape (n_ids, [n_classes,] [n_vectors,] n_factors): v."""
        return self.model_.factors

    def __sklearn_is_fitted__(self):
        return any(self.__dict__.get(name) is not None for name in ("_model", "_learner"))

    def _name_columns(self, columns):
        roles = {column["name"]: column["role"] for column in columns}
        names = [name for name, role in roles.items() if role in ("categorical", "multi", "numeric")]
        # How many columns the rows of a sparse file have nobody says.
        if "pairs" not in roles.values():
            self.n_features_in_ = len(names)
            self.feature_names_in_ = np.asarray(names, dtype=object)

    def _predict_rows(self, X):
        check_is_fitted(self)
        X = table(X)
        if not is_encoded(X) and not is_frame(X):
            X = self._matrix(X)
        elif self._whole and hasattr(X, "shape"):
            validate_data(self, X, skip_check_array=True, reset=False)
        return self.model_._predict(X, self.n_jobs, self.on_error, self.device)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags

    def __getstate__(self):
        # The optimizer's state stays here: a copy goes on from the weights.
        state = {name: value for name, value in super().__getstate__().items() if name != "_learner"}
        return {**state, "_model": self.model_} if self.__sklearn_is_fitted__() else state

    def _repr_html_(self):
        if not self.__sklearn_is_fitted__():
            return super()._repr_html_inner()
        from ._html import page

        return page(self.model_, title=repr(self))

    def _repr_mimebundle_(self, **asked):
        # Notebooks ask for this before they ask for the page.
        if not self.__sklearn_is_fitted__():
            return super()._repr_mimebundle_(**asked)
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def _finite(X):
    # A missing value of a sparse matrix is one that is not there.
    return True if sparse.issparse(X) else "allow-nan"


def _needs_y(estimator):
    name = type(estimator).__name__
    return f"requires y to be passed, but the target y is None: {name} learns from labels, or the name of their column"
