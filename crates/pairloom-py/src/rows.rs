//! Rows in Python's objects.

use super::dataset::Dataset;
use super::failure::guarded;
use super::watch::{Watch, Watched, lock};
use arrow_array::RecordBatchReader;
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pairloom::input::{self, Beside, Format, FormatName, Index, Number, OpenOptions, Reader};
use pairloom::parallel::Threads;
use pairloom::reading::{self, Given};
use pairloom::schema::Schema;
use pairloom::{Error, Model, Result};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatchReader;
use std::sync::{Arc, Mutex};

/// Rows in Python's objects, with labels and weights that may lie beside them.
#[pyclass(frozen)]
pub struct Rows {
    source: Arc<Source>,
    beside: Vec<(String, Arc<Beside>)>,
    /// What they are called in errors.
    name: String,
}

type Batches = Box<dyn RecordBatchReader + Send>;

enum Source {
    Path(String, OpenOptions),
    /// It is read once.
    Arrow(Mutex<Option<Batches>>),
    Dense(Matrix, Vec<String>),
    Sparse {
        starts: Py<PyAny>,
        indices: Py<PyAny>,
        values: Py<PyAny>,
    },
    Dataset(pairloom::train::Dataset),
}

/// A dense matrix by the type of its numbers.
enum Matrix {
    Singles(Py<PyArray2<f32>>),
    Doubles(Py<PyArray2<f64>>),
    Integers(Py<PyArray2<i64>>),
}

#[pymethods]
impl Rows {
    /// Rows of a file; `-` is standard input.
    #[staticmethod]
    #[pyo3(signature = (path, format=None, delimiter=None, header=None))]
    fn path(
        path: String,
        format: Option<&str>,
        delimiter: Option<char>,
        header: Option<bool>,
    ) -> PyResult<Self> {
        let by_name = |name: &str| {
            let found = FormatName::ALL.into_iter().find(|format| format.name() == name);
            let names = FormatName::ALL.map(FormatName::name).join(", ");
            let unknown = || PyValueError::new_err(format!("there is no format '{name}': {names}"));
            found.ok_or_else(unknown)
        };
        let format = format.map(by_name).transpose()?;
        let options = OpenOptions { format, delimiter, header, names: Vec::new() };
        let name = input::name(&path).to_string();
        Ok(Rows::new(Source::Path(path, options), name))
    }

    /// Rows of what has the Arrow C stream interface.
    #[staticmethod]
    fn arrow(stream: PyRecordBatchReader, name: String) -> PyResult<Self> {
        let batches = Mutex::new(Some(stream.into_reader()?));
        Ok(Rows::new(Source::Arrow(batches), name))
    }

    /// Rows of a dense matrix.
    #[staticmethod]
    fn dense(values: &Bound<'_, PyAny>, columns: Vec<String>, name: String) -> PyResult<Self> {
        let matrix = if let Ok(array) = values.cast::<PyArray2<f64>>() {
            Matrix::Doubles(array.clone().unbind())
        } else if let Ok(array) = values.cast::<PyArray2<f32>>() {
            Matrix::Singles(array.clone().unbind())
        } else {
            Matrix::Integers(values.cast::<PyArray2<i64>>()?.clone().unbind())
        };
        Ok(Rows::new(Source::Dense(matrix, columns), name))
    }

    /// Rows of the parts of a CSR matrix.
    #[staticmethod]
    fn csr(starts: Py<PyAny>, indices: Py<PyAny>, values: Py<PyAny>, name: String) -> Self {
        Rows::new(Source::Sparse { starts, indices, values }, name)
    }

    /// Rows that were read before.
    #[staticmethod]
    fn dataset(dataset: &Dataset) -> Self {
        let name = dataset.of.name().to_string();
        Rows::new(Source::Dataset(dataset.of.clone()), name)
    }

    /// The same rows with a column of numbers after their own.
    fn with_numbers(&self, name: String, numbers: PyReadonlyArray1<'_, f64>) -> Self {
        self.with(name, Beside::Numbers(numbers.as_array().to_vec()))
    }

    /// The same rows with a column of texts after their own: places in a list.
    fn with_texts(
        &self,
        name: String,
        places: PyReadonlyArray1<'_, u32>,
        texts: Vec<String>,
    ) -> Self {
        self.with(name, Beside::Texts(places.as_array().to_vec(), texts))
    }
}

impl Rows {
    fn new(source: Source, name: String) -> Self {
        Rows { source: Arc::new(source), beside: Vec::new(), name }
    }

    fn with(&self, name: String, cells: Beside) -> Self {
        let mut beside = self.beside.clone();
        beside.push((name, Arc::new(cells)));
        Rows { source: self.source.clone(), beside, name: self.name.clone() }
    }

    /// What they are called in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a column of this name lies beside them.
    pub fn has_beside(&self, name: Option<&str>) -> bool {
        self.beside.iter().any(|(beside, _)| Some(&**beside) == name)
    }

    /// The path and how it is read, if they are a file without anything beside it.
    pub fn file(&self) -> Option<(&str, &OpenOptions)> {
        match &*self.source {
            Source::Path(path, options) if self.beside.is_empty() => Some((path, options)),
            _ => None,
        }
    }

    /// The data set that they are, if nothing lies beside it.
    pub fn as_dataset(&self) -> Option<&pairloom::train::Dataset> {
        match &*self.source {
            Source::Dataset(dataset) if self.beside.is_empty() => Some(dataset),
            _ => None,
        }
    }

    /// Gives a reader of the rows to `work`, without the interpreter's lock; of a file it is one for `schema`, if there
    /// is one.
    pub fn read<T: Send>(
        &self,
        py: Python<'_>,
        schema: Option<&Schema>,
        work: impl FnOnce(Given<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        match &*self.source {
            Source::Path(path, options) => guarded(py, || match schema {
                Some(schema) => {
                    work(Given::Opened(self.beside(reading::open(path, options, schema)?)?))
                }
                None => work(Given::Own(self.beside(input::open(path, options)?)?)),
            }),
            Source::Arrow(batches) => guarded(py, || {
                let batches = lock(batches).take();
                let once = || Error::usage(format!("{}: this stream was read before", self.name));
                let format = Format::Csv { delimiter: ',', header: true };
                let reader = input::batches(batches.ok_or_else(once)?, &self.name, format)?;
                work(Given::Own(self.beside(reader)?))
            }),
            Source::Dense(Matrix::Doubles(array), columns) => {
                self.dense_rows(py, array, columns, work)
            }
            Source::Dense(Matrix::Singles(array), columns) => {
                self.dense_rows(py, array, columns, work)
            }
            Source::Dense(Matrix::Integers(array), columns) => {
                self.dense_rows(py, array, columns, work)
            }
            Source::Sparse { starts, indices, values } => {
                self.sparse_rows(py, [starts, indices, values], work)
            }
            Source::Dataset(dataset) => guarded(py, || {
                let reader = dataset.reader(schema.unwrap_or(dataset.schema()))?;
                work(Given::Opened(self.beside(reader)?))
            }),
        }
    }

    /// Gives a reader of rows for a model to `work`, which ends if a signal wants it. Of numbers it may have the numbers
    /// alone.
    pub fn read_for<T: Send>(
        &self,
        py: Python<'_>,
        model: &Model,
        threads: &Threads,
        work: impl FnOnce(&mut dyn Reader) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.watched(py, model, |given, watch| {
            let reader = given.encodable(&self.name, &model.schema, threads)?;
            work(&mut Watched::new(reader, watch))
        })
    }

    /// The same with the text of all cells.
    pub fn read_texts_for<T: Send>(
        &self,
        py: Python<'_>,
        model: &Model,
        threads: &Threads,
        work: impl FnOnce(&mut dyn Reader) -> Result<T> + Send,
    ) -> PyResult<T> {
        self.watched(py, model, |given, watch| {
            let reader = given.prepared(&self.name, &model.schema)?.ahead(threads)?;
            work(&mut Watched::new(reader, watch))
        })
    }

    fn watched<T: Send>(
        &self,
        py: Python<'_>,
        model: &Model,
        work: impl FnOnce(Given<'_>, &mut Watch) -> Result<T> + Send,
    ) -> PyResult<T> {
        let mut watch = Watch::new(None, None);
        let hearing = &mut watch;
        let done = self.read(py, Some(&model.schema), |given| work(given, hearing));
        watch.end(done)
    }

    fn beside<'a>(&self, reader: Box<dyn Reader + 'a>) -> Result<Box<dyn Reader + 'a>> {
        input::beside(reader, self.beside.clone(), &self.name)
    }

    fn dense_rows<N: Number + Element, T: Send>(
        &self,
        py: Python<'_>,
        array: &Py<PyArray2<N>>,
        columns: &[String],
        work: impl FnOnce(Given<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let array = array.bind(py).try_readonly()?;
        let values = array.as_array();
        guarded(py, || {
            let reader = input::dense(values, columns.to_vec(), &self.name)?;
            work(Given::Lent(self.beside(reader)?))
        })
    }

    fn sparse_rows<T: Send>(
        &self,
        py: Python<'_>,
        parts: [&Py<PyAny>; 3],
        work: impl FnOnce(Given<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let is = |part: usize| parts[part].bind(py);
        match (is(0).cast::<PyArray1<i32>>(), is(2).cast::<PyArray1<f32>>()) {
            (Ok(_), Ok(_)) => self.compressed::<i32, f32, T>(py, parts, work),
            (Ok(_), Err(_)) => self.compressed::<i32, f64, T>(py, parts, work),
            (Err(_), Ok(_)) => self.compressed::<i64, f32, T>(py, parts, work),
            (Err(_), Err(_)) => self.compressed::<i64, f64, T>(py, parts, work),
        }
    }

    fn compressed<I: Index + Element, N: Number + Element, T: Send>(
        &self,
        py: Python<'_>,
        [starts, indices, values]: [&Py<PyAny>; 3],
        work: impl FnOnce(Given<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        let starts = starts.bind(py).cast::<PyArray1<I>>()?.try_readonly()?;
        let indices = indices.bind(py).cast::<PyArray1<I>>()?.try_readonly()?;
        let values = values.bind(py).cast::<PyArray1<N>>()?.try_readonly()?;
        let rows = input::Sparse {
            starts: starts.as_slice()?,
            indices: indices.as_slice()?,
            values: values.as_slice()?,
        };
        guarded(py, || work(Given::Lent(self.beside(input::sparse(rows, &self.name)?)?)))
    }
}
