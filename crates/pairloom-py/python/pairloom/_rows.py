"""Data as people have it, as rows that the core reads."""

import os
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, column_or_1d

from ._pairloom import Rows

#: What a frame is called in errors, and a matrix.
FRAME, MATRIX = "the data frame", "the matrix"

#: What to do with texts in an array.
DATA_FRAME = "make it a data frame, whose columns may be names, as by pandas.DataFrame(X)"


ONE_COLUMN = "expected 2D rows, got 1D: a column by itself is no data frame (Series.to_frame() makes it one)"


def is_path(data):
    """Whether data are a file's name."""
    return isinstance(data, (str, os.PathLike))


def is_frame(data):
    """Whether data have named columns of any types."""
    return hasattr(data, "__arrow_c_stream__") or _is_pandas(data)


def is_encoded(data):
    """Whether data are rows as the core has them, in a file or read before."""
    from ._dataset import Dataset

    return is_path(data) or isinstance(data, Dataset)


def check_kind(data):
    """Refuses what is near to rows and is none, with what to do about it."""
    if hasattr(data, "collect"):
        raise TypeError("these rows are not in memory yet: make them a data frame, as by X.collect()")
    if hasattr(data, "read"):
        raise TypeError("an open file: give its name instead")
    if getattr(getattr(data, "dtype", None), "kind", "") in "SU" and getattr(data, "ndim", 0):
        raise ValueError(f"an array of texts: {DATA_FRAME}")


def matrix(data):
    """A CSR matrix or an array of two dimensions with numbers, as scikit-learn makes them of what is alike."""
    check_kind(data)
    # A missing value of a sparse matrix is one that is not there.
    finite = True if sparse.issparse(data) else "allow-nan"
    with texts_told():
        return check_array(data, accept_sparse="csr", dtype="numeric", ensure_all_finite=finite)


@contextmanager
def texts_told():
    """Says what to do with texts in an array of objects, which is to be one of numbers."""
    try:
        yield
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"{error}: {DATA_FRAME}") from error


def rows(data, *, names=None, format=None, delimiter=None, header=None):
    """The rows of a file, a data set, a frame or a matrix.

    A matrix is one that scikit-learn has checked; ``names`` are those of its columns.
    """
    from ._dataset import Dataset

    if is_path(data):
        return Rows.path(os.fspath(data), format, delimiter, header)
    for name, value in (("format", format), ("delimiter", delimiter), ("header", header)):
        if value is not None:
            raise ValueError(f"{name} says how a file is written, and these rows are no file: leave it out")
    if isinstance(data, Dataset):
        return Rows.dataset(data._of)
    if is_frame(data):
        return _frame(data)
    if sparse.issparse(data):
        return _csr(data)
    names = [f"x{i}" for i in range(data.shape[1])] if names is None else [str(name) for name in names]
    return Rows.dense(_dense(data), names, MATRIX)


def free_name(name, names):
    """A name for a column beside others."""
    while name in names:
        name += "_"
    return name


def beside(rows, name, values):
    """The same rows with a column of numbers after their own."""
    return rows.with_numbers(name, np.ascontiguousarray(column_or_1d(values), dtype=np.float64))


def beside_texts(rows, name, codes, texts):
    """The same rows with a column of texts after their own."""
    return rows.with_texts(name, np.require(codes, np.uint32, ["C", "A"]), list(texts))


def labels(y, warn=False):
    """Labels of any type as an array, those of nullable types of pandas as what they hold."""
    dtype = getattr(y, "dtype", None)
    if hasattr(dtype, "numpy_dtype") and hasattr(y, "isna") and not y.isna().any():
        y = y.to_numpy(dtype=dtype.numpy_dtype)
    if getattr(dtype, "kind", "") == "T":
        # NumPy's own texts of any length, which scikit-learn does not know.
        y = y.astype(object)
    return column_or_1d(y, warn=warn)


def is_missing(value):
    """Whether a value is None, or none that is equal to itself."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        # So are those of pandas.
        return True


def sorted_classes(y):
    """The distinct labels in their order, and the place of each row's."""
    try:
        return np.unique(y, return_inverse=True)
    except TypeError:
        raise ValueError("labels are of several types, or one is missing: make them one type, and drop rows without") from None


def table(data):
    """Data, or the table of a batch of Arrow's, whose names scikit-learn knows."""
    if type(data).__module__.startswith("pyarrow") and type(data).__name__ == "RecordBatch":
        import pyarrow

        return pyarrow.Table.from_batches([data])
    return data


def column_names(data):
    """The names of a frame's columns, as texts."""
    if _is_pandas(data):
        return [str(name) for name in data.columns]
    columns = getattr(data, "column_names", None) or getattr(data, "columns", None)
    if columns is None and hasattr(data, "schema"):
        columns = data.schema.names
    return [] if columns is None else [str(name) for name in columns]


def _is_pandas(data):
    return type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns")


def _frame(data):
    is_polars = type(data).__module__.partition(".")[0] == "polars"
    if len(getattr(data, "shape", (0, 0))) != 2 or (is_polars and not hasattr(data, "schema")):
        raise ValueError(ONE_COLUMN)
    if hasattr(data, "columns") and not column_names(data):
        raise ValueError(f"{FRAME} has no columns, so there is nothing to learn from or to predict by")
    if is_polars:
        return _polars(data)
    if not _is_pandas(data):
        return _arrow(data)
    try:
        import pyarrow
    except ImportError:
        raise ImportError("pandas frames are read by way of Arrow: pip install pyarrow") from None
    try:
        table = pyarrow.Table.from_pandas(data, preserve_index=False)
    except (pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError) as error:
        raise TypeError(_mixed(error, data)) from error
    except (pyarrow.ArrowInvalid, OverflowError, UnicodeError) as error:
        raise ValueError(_mixed(error, data)) from error
    return Rows.arrow(table, FRAME)


def _arrow(data):
    try:
        return Rows.arrow(data, FRAME)
    except (TypeError, ValueError) as error:
        if not column_names(data):
            raise ValueError(ONE_COLUMN) from error
        raise


def _polars(data):
    import polars

    # Its columns of nothing have a buffer that Arrow does not know.
    empty = [name for name, dtype in data.schema.items() if dtype == polars.Null]
    try:
        return Rows.arrow(data.cast(dict.fromkeys(empty, polars.String)), FRAME)
    except ValueError as error:
        raise ValueError(f"{error}: cast the column to a type that Arrow has") from error


def _mixed(error, data):
    text = "; ".join(str(arg) for arg in error.args)
    if "column" not in text:
        text = f"column {_culprit(data)!r}: {text}"
    return f"{text}: make the values of the column one type, as with .astype(str)"


def _culprit(data):
    """The first column that Arrow does not take."""
    import pyarrow

    for place, name in enumerate(column_names(data)):
        try:
            pyarrow.array(data.iloc[:, place], from_pandas=True)
        except (pyarrow.ArrowException, OverflowError, UnicodeError):
            return name
    return None


def _csr(data):
    data = data if data.format == "csr" else data.tocsr()
    _check_parts(data)
    values = data.data if data.data.dtype in (np.float32, np.float64) else data.data.astype(np.float64)
    index = np.int32 if data.indices.dtype == data.indptr.dtype == np.int32 else np.int64
    parts = (np.require(part, requirements=["C", "A"]) for part in (data.indptr.astype(index, copy=False), data.indices.astype(index, copy=False), values))
    return Rows.csr(*parts, MATRIX)


def _check_parts(data):
    # The core sees the parts alone, and scipy checks those only that it was made of.
    n_rows, n_columns = data.shape
    if len(data.indptr) != n_rows + 1:
        raise ValueError(f"{MATRIX} has {n_rows} rows and {len(data.indptr)} starts of rows: one more than rows is wanted")
    if len(data.indices) and data.indices.max() >= n_columns:
        raise ValueError(f"{MATRIX} has {n_columns} columns and an entry of column {data.indices.max()}, counted from 0")


def _dense(data):
    # Numbers of files that are mapped may lie anywhere; the core reads aligned ones.
    data = np.require(data, requirements=["A"])
    if data.dtype in (np.float32, np.float64, np.int64):
        return data
    if data.dtype == np.uint64 and data.size and data.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{MATRIX} has whole numbers beyond 2^63: in a data frame they may be names")
    if data.dtype == np.float16:
        return data.astype(np.float32)
    return data.astype(np.int64 if data.dtype.kind in "biu" else np.float64)
