"""What is recommended, as a frame."""

from typing import Any

Columns = list[tuple[str, list[Any]]]


def as_frame(contexts: Any, items: Any, found: tuple[Any, ...]) -> Any:
    """The columns that the core has found as a frame of the kind of the contexts."""
    context, rank, (id, named), kept, prediction = found
    columns = dict(_typed(contexts, context))
    columns[_free("rank", columns)] = rank
    for name, values in _typed(items, [(id, named), *kept]):
        columns[_free(name, columns)] = values
    columns[_free("prediction", columns)] = prediction
    if _is_of("polars", contexts):
        import polars

        return polars.DataFrame(columns)
    try:
        import pandas
    except ImportError:
        return columns
    return pandas.DataFrame(columns)


def _free(name: str, columns: dict[str, Any]) -> str:
    """A name that no column has."""
    while name in columns:
        name += "_item"
    return name


def _typed(frame: Any, columns: Columns) -> Columns:
    """Columns of texts, as numbers of the frame's type where the frame has numbers."""
    return [(name, _like(frame, name, texts)) for name, texts in columns]


def _like(frame: Any, name: str, texts: list[str]) -> Any:
    if _is_of("polars", frame):
        import polars

        dtype = frame.schema.get(name)
        return polars.Series(texts).cast(dtype, strict=False) if dtype is not None and dtype.is_numeric() else texts
    if _is_of("pandas", frame):
        import pandas

        if name in frame.columns and pandas.api.types.is_numeric_dtype(frame[name].dtype):
            if not pandas.api.types.is_bool_dtype(frame[name].dtype):
                return pandas.Series(pandas.to_numeric(pandas.Series(texts), errors="coerce").astype(frame[name].dtype))
    return texts


def _is_of(package: str, frame: Any) -> bool:
    return type(frame).__module__.partition(".")[0] == package
