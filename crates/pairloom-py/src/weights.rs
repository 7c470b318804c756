//! The numbers of a model as arrays.

use super::model::Model;
use numpy::ndarray::{ArrayView, IxDyn, ShapeBuilder};
use numpy::{PyArray1, PyArrayDyn};
use pairloom::precision::{Bf16, Precision, Stored};
use pairloom::table::Table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The bias of each class.
pub fn bias<'py>(model: &Bound<'py, Model>) -> Bound<'py, PyArray1<f32>> {
    PyArray1::from_slice(model.py(), &model.get().of.weights.bias)
}

/// What belongs to no feature.
pub fn shared<'py>(model: &Bound<'py, Model>) -> Bound<'py, PyArray1<f32>> {
    PyArray1::from_slice(model.py(), &model.get().of.weights.shared)
}

/// Linear weights.
pub fn linear<'py>(model: &Bound<'py, Model>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let weights = &model.get().of.weights;
    let (classes, stride) = (weights.classes(), weights.linear.stride());
    let features = weights.linear.features() / classes;
    match classes {
        1 => view(model, &weights.linear, &[features], &[stride]),
        _ => view(model, &weights.linear, &[features, classes], &[classes * stride, stride]),
    }
}

/// Factors.
pub fn factors<'py>(model: &Bound<'py, Model>) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let of = &model.get().of;
    let (shape, steps) = of.weights.factor_layout(&of.config);
    view(model, &of.weights.factors, &shape, &steps)
}

/// An array of a table's numbers, which is read only: those in 32 bits where they lie, others as a copy in 32 bits.
fn view<'py>(
    model: &Bound<'py, Model>,
    table: &Table,
    shape: &[usize],
    steps: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let shape = IxDyn(shape).strides(IxDyn(steps));
    let wrong = |e: numpy::ndarray::ShapeError| PyValueError::new_err(e.to_string());
    let array = match table.precision() {
        Precision::F32 => {
            let numbers = ArrayView::from_shape(shape, table.floats()).map_err(wrong)?;
            // SAFETY: the numbers are the model's, which the array keeps alive and nobody changes.
            #[expect(unsafe_code, reason = "an array that owns its numbers would be a copy")]
            unsafe {
                PyArrayDyn::borrow_from_array(&numbers, model.clone().into_any())
            }
        }
        Precision::Bf16 => {
            let all: Vec<f32> =
                table.numbers::<Bf16>().iter().map(|number| number.load()).collect();
            let numbers = ArrayView::from_shape(shape, &all).map_err(wrong)?;
            PyArrayDyn::from_array(model.py(), &numbers)
        }
    };
    // By NumPy's own method, which does not mind that somebody reads.
    array.call_method1("setflags", (false,))?;
    Ok(array)
}
