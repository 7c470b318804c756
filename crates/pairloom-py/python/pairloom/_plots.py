"""Plots on matplotlib, which is needed only here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_learning_curves(model: Any, ax: Axes | None = None) -> Axes:
    """Draw the loss over epochs.

    Parameters
    ----------
    model : Model or fitted estimator
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    model = _model(model)
    ax = _axes(ax)
    history = model.history
    epochs = [epoch["epoch"] for epoch in history]
    ax.plot(epochs, [epoch["train_loss"] for epoch in history], "--", label="training")
    name = _valid_loss(history)
    if name is not None:
        ax.plot(epochs, [epoch.get(name, np.nan) for epoch in history], label="validation")
    if model.epoch in epochs:
        ax.axvline(model.epoch, color="grey", linewidth=0.8, label=f"kept: epoch {model.epoch}")
    ax.set(xlabel="epoch", ylabel=_words(name or "train_loss"), title="Learning curves")
    ax.legend()
    return ax


def plot_calibration(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    bins: int = 10,
    sample_weight: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often rows are positive beside the probability that was predicted.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels: 0 and 1, or two classes of which the greater is positive.
    probability : array-like of shape (n_rows,) or (n_rows, 2)
        Of the positive class.
    bins : int, default=10
        Points, each of about as many rows.
    sample_weight : array-like of shape (n_rows,), optional
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    probability = np.asarray(probability, dtype=float)
    probability = probability[:, 1] if probability.ndim == 2 else probability
    classes, positive = np.unique(np.asarray(y), return_inverse=True)
    if len(classes) > 2:
        raise ValueError(f"calibration is of one of two classes, and there are {len(classes)}")
    if len(positive) != len(probability):
        raise ValueError(f"{len(positive)} labels for {len(probability)} probabilities")
    weight = np.ones(len(positive)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    parts = [part for part in np.array_split(np.argsort(probability, kind="stable"), bins) if weight[part].sum() > 0]
    predicted = [np.average(probability[part], weights=weight[part]) for part in parts]
    observed = [np.average(positive[part] == len(classes) - 1, weights=weight[part]) for part in parts]
    ax = _axes(ax)
    limit = max(predicted + observed + [1e-9]) * 1.05
    ax.plot([0, limit], [0, limit], ":", color="grey", label="calibrated")
    ax.plot(predicted, observed, "o-", label="model")
    ax.set(xlabel="predicted probability", ylabel="share of positives", title="Calibration")
    ax.legend()
    return ax


def plot_field_pairs(
    model: Any,
    data: Any,
    y: ArrayLike | None = None,
    *,
    sample: int | None = None,
    random_state: int = 0,
    top: int = 24,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much pairs of columns add to scores, in the mean over rows.

    Parameters
    ----------
    model : Model or fitted estimator
    data : str, path, data frame, CSR matrix or array of shape (n_rows, n_columns)
        Labelled rows.
    y : array-like of shape (n_rows,), optional
        Labels, unless they are a column of ``data``.
    sample : int, optional
        Rows that are looked at, drawn at random where there are more.
    random_state : int, default=0
    top : int, default=24
        Columns at the most, those in the strongest pairs.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    found = _model(model).importance(data, y, sample=sample, repeats=1, random_state=random_state)
    pairs = sorted(found["column_pairs"], key=lambda pair: -pair["weight"])
    names = list(dict.fromkeys(name for pair in pairs for name in pair["columns"]))[:top]
    place = {name: at for at, name in enumerate(names)}
    cells = np.full((len(names), len(names)), np.nan)
    for pair in pairs:
        one, other = (place.get(name) for name in pair["columns"])
        if one is not None and other is not None:
            cells[one, other] = cells[other, one] = pair["weight"]
    ax = _axes(ax)
    image = ax.imshow(cells, cmap="viridis")
    ax.set_xticks(range(len(names)), names, rotation=90)
    ax.set_yticks(range(len(names)), names)
    ax.set_title("Pairs of columns: mean size of what they add")
    ax.figure.colorbar(image, ax=ax)
    return ax


def _model(model):
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    return getattr(model, "model_", model)


def _axes(ax):
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("plots are drawn by matplotlib: pip install matplotlib") from None
    return plt.subplots()[1]


def _valid_loss(history):
    losses = ("valid_log_loss", "valid_rmse", "valid_loss", "valid_poisson_deviance", "valid_huber_loss", "valid_quantile_loss")
    return next((name for name in losses if history and name in history[0]), None)


def _words(name):
    return name.removeprefix("valid_").removeprefix("train_").replace("_", " ")
