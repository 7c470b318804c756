"""What the estimators' docstrings have in common."""

import inspect

_PARAMETERS = """\
None leaves a parameter to the core, whose default is named here; :func:`default_settings` has them all. Columns are
named as in frames and in headers of files; those of an array without names are ``x0``, ``x1``, and so on.

Parameters
----------
model : {"linear", "mf", "fm", "ffm", "fwfm", "dplr", "fmfm", "hofm"}, optional
    The model: linear, matrix factorization, factorization machine (default), field-aware, field-weighted, the same of
    low rank, field-matrixed, or of higher order.
factors : int, optional
    Length k of the factor vectors, 16 if nothing is said, of "ffm" 8; 0 makes a linear model.
order : int, optional
    Highest order of interactions of "hofm", from 2 to 64; 3 if nothing is said.
lower_orders : bool, optional
    Whether "hofm" has interactions of lower orders too; it has if nothing is said.
rank : int, optional
    Rank of the strengths of pairs of columns of "dplr", up to 1024; 3 if nothing is said.
bias : bool, optional
    Whether there is a bias w0; there is if nothing is said.
linear : bool, optional
    Whether there are linear weights w; there are if nothing is said.
init_stdev : float, optional
    Standard deviation of the initial factors; 0.2 over the root of a row's sum of x^2, at most 0.05, if nothing is
    said.
loss : str, optional
    <loss>
class_weight : "balanced", dict or str, optional
    How much rows of each class count, in training and in the figures that stop it: all classes the same, or a weight
    for each class, as {1: 5.0} or "1=5". Probabilities are then those of rows weighted so.
negative_rate : float, optional
    The share of all negatives that the rows have, where some were left out at random: log-odds and probabilities are
    corrected to those of all rows. 1 if nothing is said.
calibrate : {"platt", "isotonic", "beta"}, optional
    How the model is calibrated on the validation rows after training; it is not if nothing is said.
negatives : int, optional
    Items drawn for each row to be ranked below its own, with ``item`` and a loss that ranks; 10 if nothing is said, and
    0 ranks the given rows of a group.
negative_sampling : {"uniform", "popularity"}, optional
    How these are drawn; all alike if nothing is said.
precision : {"f32", "bf16"}, optional
    How factors and their optimizer state are kept: in 32 bits, if nothing is said, or in 16.
optimizer : {"adagrad", "sgd", "adam", "adam-dense", "ftrl"}, optional
    AdaGrad if nothing is said. "adam-dense" moves the whole table at each step, and "ftrl" takes L1 penalties.
learning_rate : float, optional
    Length of a step. If nothing is said, for "adagrad" and "ftrl" 0.4 over the root of a row's sum of x^2, at most
    0.07; for "sgd" 0.03 over that sum, at most 0.001; for "adam" 0.003.
momentum : float, optional
    Nesterov's momentum for "adagrad", from 0 to below 1, less for rarer values; 0 if nothing is said, and on a GPU that
    takes large batches, as ``batch_size`` was left out, 1 - 4 over a row's sum of x^2, from 0 to 0.9.
warm_up : int, optional
    Batches over which the learning rate grows to its full size; 30 if nothing is said.
l2_linear : float, optional
    L2 strength of linear weights, added to the sum of the losses of all training rows; 1 if nothing is said.
l2_factors : float, optional
    The same of factors; 7 times the root of a row's sum of x^2 if nothing is said, twice the root for "ffm", and the
    root for losses that rank.
learn_l2 : bool, optional
    Whether the L2 strengths of each field are learned from epoch to epoch, which "adagrad" can; they are if nothing
    is said.
l1_linear : float, optional
    L1 strength of linear weights, with "ftrl": weights that say little become exactly 0. 0 if nothing is said.
l1_factors : float, optional
    L1 strength of factors, with "ftrl"; 0 if nothing is said.
batch_size : int, optional
    Rows in a step, 1 is online learning; 32 to 256, more for more rows, if nothing is said, and on a GPU, of "adagrad"
    over 262144 rows or more, a 128th of them, up to 65536.
batch_growth : float, optional
    Rows that the batch grows by for each row that was learned from, from 32 to 256 rows up to ``batch_size``; 0 begins
    with that. 0 if nothing is said, and on a GPU that takes large batches, as ``batch_size`` was left out, 0.02.
epochs : int, optional
    Passes over the training rows at the most; 50 if nothing is said.
shuffle : bool, optional
    Whether rows are shuffled in each epoch; they are if nothing is said.
patience : int, optional
    Epochs without a better validation loss before training stops, 3 if nothing is said; 0 never stops early.
rate_decay : float, optional
    What the learning rate is multiplied with after such an epoch; 0.5 if nothing is said.
valid_fraction : float, optional
    Share of the rows held out at random without an ``eval_set``; 0 for none. If nothing is said 0.1, but nothing of
    fewer than 50 rows.
valid_tail : float, optional
    Share of the rows held out from the end instead, for rows in order of time; 0 if nothing is said.
min_count : int, optional
    A value in fewer training rows shares the default id of its column; 2 if nothing is said.
hash_bits : int, optional
    Values are hashed into 2^hash_bits ids a column; a dictionary is kept if nothing is said.
numeric_transform : {"piecewise", "spline", "quantile", "standard", "log", "log-square"}, optional
    What columns of numbers become; a number and its piecewise linear functions if nothing is said.
memory : int or str, optional
    Bytes to train within, as a number or as "2G" or "500M": rows that there is no room for go to a temporary file.
    As much as the rows need if nothing is said.
bins : int, optional
    Bins of "quantile", knots of "piecewise", or functions of "spline", of which there are at least 4; 6, fewer for
    few rows, if nothing is said.
categorical : str or list of str, optional
    Columns with one value out of many. The roles of columns that are not named are inferred.
numeric : str or list of str, optional
    Columns of numbers.
multi : dict of str to str, optional
    Columns of lists in a text, and the character between their values, as {"genres": "|"}.
transforms : dict of str to str, optional
    What single columns of numbers become, as {"price": "log", "age": "quantile:64"}: what ``numeric_transform`` can be,
    with a number of bins behind a colon.
time : dict of str to str, optional
    Columns of times and how they are written, as {"hour": "YYMMDDHH"}, "YYYY-MM-DD HH:mm:ss", "unix" (seconds) or
    "unix-ms": columns of their year, month, day, weekday and hour take their place.
ignore : str or list of str, optional
    Columns to leave out.
item : str or list of str, optional
    Columns of what is ranked, first the one that names it: other items of the training rows are then drawn to rank
    below those of a group.
trials : str, optional
    The column that says how often it was tried: the label says how many of these were positive, as clicks of
    impressions.
fields : str or list of str, optional
    The field of each index of a sparse matrix or of libsvm, for models over fields: ranges as "0-99,100-499,500-", each
    a field; or the name of a file with a range and its field on each line. One field if nothing is said.
positive : label, optional
    The label value that is learned against all others, of a label in a file or a frame's column.
preset : {"d2l", "criteo", "avazu", "movielens-100k", "movielens-1m", "movielens"}, optional
    Columns and settings of a known data set's files, which other parameters change.
schema : str, optional
    Name of a file in TOML that tells the columns, as ``pairloom train --save-schema`` writes it.
on_error : {"stop", "skip"}, optional
    What to do with a row that cannot be used: raise, if nothing is said, or leave it out with a warning.
random_state : int, RandomState instance, optional
    Seed of everything random. None is 0 and no chance: the same rows and parameters give the same model to the bit.
n_jobs : int, optional
    Threads; one for each core for None and -1. The model does not depend on it.
device : {"cpu", "cuda", "auto"}, optional
    What training and scores run on: the processor, if nothing is said; NVIDIA's GPUs, where large sets have large batches; or, for training, the
    GPU, if there is one and the work is large.
warm_start : bool, default=False
    Whether ``fit`` goes on from the weights of the fit before, with its columns and ids; the optimizer begins anew.
callbacks : callable or list of callables, optional
    Called after each epoch with its dict, as ``history_`` has it; training ends after one that returns False.
verbose : bool, default=False
    Whether progress is shown on standard error: by tqdm if it is installed, else by a line."""

_ATTRIBUTES = """\
model_ : Model
    The trained model: it saves, explains, recommends.
n_features_in_ : int
    Columns of the training rows.
feature_names_in_ : ndarray of shape (n_features_in_,), dtype object
    Their names, if they have names.
history_ : list of dict of length n_iter_
    What each epoch brought: ``epoch``, ``learning_rate``, ``train_loss`` and, of validation rows, ``valid_...``.
n_iter_ : int
    Epochs that were trained.
bias_ : float, or ndarray of shape (n_classes,) of several classes
    w0.
linear_ : ndarray of shape (n_ids,), or (n_ids, n_classes), dtype float32
    w: an id is a value of a column, or a function of a number. Read only, and no copy of the model's.
factors_ : ndarray of shape (n_ids, [n_classes,] [n_vectors,] n_factors), dtype float32
    v: the axis of classes is there if there are several, and that of vectors for "ffm" (one for each field) and "hofm"
    (one for each order). Read only, and no copy unless they are kept in 16 bits."""


def documented(loss):
    """Puts what is common in place of ``<parameters>`` and ``<attributes>`` of a class's docstring."""

    def of(cls):
        if cls.__doc__ is not None:
            own = inspect.cleandoc(cls.__doc__)
            own = own.replace("<parameters>", _PARAMETERS.replace("<loss>", loss))
            cls.__doc__ = own.replace("<attributes>", _ATTRIBUTES)
        return cls

    return of
