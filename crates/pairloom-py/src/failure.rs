//! Errors of the library as the exceptions that Python's users expect, and panics as errors.

use pairloom::Error;
use pyo3::PyErr;
use pyo3::exceptions::{
    PyFloatingPointError, PyKeyboardInterrupt, PyMemoryError, PyOSError, PyRuntimeError,
    PyValueError,
};
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

/// The exception of an error.
pub fn failed(error: Error) -> PyErr {
    let message = as_keywords(&error.to_string());
    match error {
        Error::Io { file, source } => match source.raw_os_error() {
            // With its number it is the subclass of OSError that it means.
            Some(number) => PyOSError::new_err((number, system_text(&source), file)),
            None => PyOSError::new_err(message),
        },
        Error::Device(_) => PyRuntimeError::new_err(message),
        Error::Memory(_) => PyMemoryError::new_err(message),
        Error::Interrupted => PyKeyboardInterrupt::new_err(message),
        Error::Diverged(_) => PyFloatingPointError::new_err(message),
        // Of settings, rows, files of rows and of models.
        _ => PyValueError::new_err(message),
    }
}

/// What the system says, without the number that Python adds itself.
fn system_text(source: &std::io::Error) -> String {
    let text = source.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(text, _)| text.to_string())
}

/// Flags whose keywords have another name, as scikit-learn wants it.
const RENAMED: [(&str, &str); 5] = [
    ("label", "y"),
    ("seed", "random_state"),
    ("threads", "n_jobs"),
    ("valid", "eval_set"),
    ("transform", "transforms"),
];

/// A message with the flags of the command called as they are here: `--batch-size` is `batch_size`, and a setting
/// that is told with its flag, as in `factors (--factors)`, is told once. What is no flag, as in the name of a file,
/// stays.
fn as_keywords(message: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(message.len()), message);
    while let Some((before, after)) = rest.split_once("--") {
        text.push_str(before);
        let begins = text.is_empty() || text.ends_with([' ', '(', '\'', '/']);
        let is_flag = begins && after.starts_with(|c: char| c.is_ascii_lowercase());
        let is_other = |c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-';
        let end = if is_flag { after.find(is_other).unwrap_or(after.len()) } else { 0 };
        let (flag, behind) = after.split_at(end);
        let off = flag.strip_prefix("no-");
        let name = off.unwrap_or(flag).replace('-', "_");
        rest = behind;
        if let (true, Some(told), Some(behind)) =
            (is_flag, text.strip_suffix(" ("), behind.strip_prefix(')'))
            && told.ends_with(&name)
        {
            (text, rest) = (told.to_string(), behind);
            continue;
        }
        let renamed = RENAMED.iter().find(|(flag, _)| *flag == name);
        text.push_str(if is_flag { renamed.map_or(&*name, |(_, keyword)| keyword) } else { "--" });
        text.push_str(if off.is_some() { "=False" } else { "" });
    }
    text + rest
}

/// Lets a panic say nothing by itself: [`guarded`] does.
pub fn silence_panics() {
    set_hook(Box::new(|_| {}));
}

/// Runs work without the interpreter's lock. What goes wrong is an exception, also if it is a panic.
pub fn guarded<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> pairloom::Result<T> + Send,
) -> PyResult<T> {
    // What a panic may leave unfinished is dropped with the work.
    match py.detach(|| catch_unwind(AssertUnwindSafe(work)).map_err(said)) {
        Ok(done) => done.map_err(failed),
        Err(panic) => {
            let message = format!("this is a defect of pairloom, please report it: {panic}");
            Err(PyRuntimeError::new_err(message))
        }
    }
}

/// What a panic said.
fn said(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no reason is given".into())
}
