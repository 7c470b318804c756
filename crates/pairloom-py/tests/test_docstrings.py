"""Everything public is documented, with all of its parameters, and the examples run."""

import doctest
import importlib
import inspect
import re

import pytest

import pairloom
from pairloom import FMClassifier, FMRanker, FMRegressor, default_settings

ESTIMATORS = [FMClassifier, FMRegressor, FMRanker]
MODULES = ["pairloom", *(f"pairloom.{name}" for name in ("_dataset", "_classifier", "_model", "_plots", "_ranker", "_regressor", "_settings"))]


def section(doc, title):
    """The lines of a section of a numpydoc docstring."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", inspect.cleandoc(doc), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])).get(title, "")


def named(doc, title):
    """The names that a section tells of."""
    heads = re.findall(r"^(\*{0,2}\w[\w, ]*?)(?: : .+)?$", section(doc, title), flags=re.M)
    return [name.strip() for head in heads for name in head.split(",")]


def public():
    """Public functions, classes, and methods of these that are ours."""
    for name in pairloom.__all__:
        of = getattr(pairloom, name)
        if inspect.isfunction(of):
            yield name, of
        if inspect.isclass(of):
            for method, function in inspect.getmembers(of, inspect.isroutine):
                if not method.startswith("_") and function.__module__.startswith("pairloom"):
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_all_keywords_are_documented_in_their_order(estimator):
    assert named(estimator.__doc__, "Parameters") == list(inspect.signature(estimator).parameters)
    assert "<" not in re.sub(r"<U\d|>>>", "", section(estimator.__doc__, "Parameters")), "a part was not put in its place"


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_all_attributes_are_documented(estimator):
    rows = [[i % 3, i % 5] for i in range(60)]
    labels = [int(i % 3 == i % 5) for i in range(60)]
    fitted = estimator(epochs=1).fit(rows, labels)
    attributes = {name for name in dir(fitted) if name.endswith("_") and not name.startswith("_")}
    # Rows of an array have no names.
    assert attributes | {"feature_names_in_"} == set(named(estimator.__doc__, "Attributes"))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_all_settings_are_keywords_without_defaults_of_their_own(estimator):
    defaults = {name: of.default for name, of in inspect.signature(estimator).parameters.items()}
    settings = {"random_state" if name == "seed" else name for name in default_settings()}
    assert settings <= defaults.keys()
    own = {name: default for name, default in defaults.items() if default is not None}
    assert own == {"warm_start": False, "verbose": False}


@pytest.mark.parametrize("name, function", list(public()))
def test_functions_and_methods_tell_of_their_parameters(name, function):
    assert function.__doc__, name
    parameters = {parameter for parameter in inspect.signature(function).parameters if parameter not in ("self", "cls")}
    assert parameters <= set(named(function.__doc__, "Parameters")), name


@pytest.mark.parametrize("name", [name for name in pairloom.__all__ if inspect.isclass(getattr(pairloom, name))])
def test_properties_tell_what_they_are(name):
    for property_name, of in inspect.getmembers(getattr(pairloom, name), lambda member: isinstance(member, property)):
        assert property_name.startswith("_") or re.match(r"[\w, \[\].()]+: \S", of.__doc__ or ""), property_name


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    assert all(">>> " in getattr(pairloom, name).__doc__ for name in ("Dataset", "FMClassifier", "FMRanker", "FMRegressor", "Model"))
