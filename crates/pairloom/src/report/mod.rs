//! A report of a run as one HTML page to read, keep and send.
//!
//! The page needs nothing but itself: charts are inline SVG, the style sheet is inside, there is
//! no script, and a content security policy keeps the browser off the network. It therefore opens
//! the same in ten years, from a mail attachment, on a telephone and on paper. Whatever the data
//! look like it must render: numbers that are not finite are left out of charts, an evaluation
//! that cannot be measured shows the reason in place of its charts, and all text is escaped.
//!
//! [`Report`] is plain data that knows nothing of training, so that anything with a history and
//! some scores can be drawn. `svg` draws axes, lines, dots and bars; `charts` decides what to draw;
//! `worth` draws what columns and pairs of them are worth; `page` puts it all in its place.

mod charts;
mod epochs;
mod page;
mod study;
mod svg;
#[cfg(test)]
mod tests;
mod worth;

pub use epochs::{epochs, metric_title};
pub use page::html;
pub use study::study_html;
pub use svg::number;

/// Everything the page shows; parts left empty are left out.
#[derive(Debug, Clone, Default)]
pub struct Report<'a> {
    /// Heading of the page, such as the model file's name.
    pub title: String,
    /// What the model is, in a sentence or two.
    pub lead: String,
    /// Key figures, shown large at the top.
    pub summary: Vec<Figure>,
    /// The command line that repeats the run.
    pub command: Option<String>,
    /// One entry per epoch, in order.
    pub history: Vec<Epoch>,
    /// What the losses in `history` are: "log loss" or "RMSE".
    pub loss_name: String,
    /// The epoch whose weights were kept: the best one, or the last where none was validated.
    pub kept_epoch: Option<u32>,
    /// Scores to draw.
    pub evaluation: Option<Evaluation<'a>>,
    /// All figures as (name, value).
    pub metrics: Vec<(String, String)>,
    /// Figures of parts of the rows, drawn after those of all.
    pub segments: Vec<Table>,
    /// What columns are worth.
    pub importance: Option<Importance>,
    /// All settings as (name, value).
    pub settings: Vec<(String, String)>,
    /// The model's columns as [`SCHEMA_HEADER`] names them.
    pub schema: Vec<[String; 4]>,
}

/// A table of text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// What the columns are; all but the first are numbers.
    pub header: Vec<String>,
    /// The rows, as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// What columns and pairs of columns are worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Importance {
    /// Heading of the section.
    pub title: String,
    /// What the numbers are, in some sentences.
    pub note: String,
    /// Columns.
    pub bars: Vec<Bars>,
    /// Pairs of columns.
    pub maps: Vec<HeatMap>,
    /// The numbers behind both.
    pub tables: Vec<Table>,
}

/// Numbers beneath each other, each with a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Their heading.
    pub title: String,
    /// What the numbers are.
    pub unit: String,
    /// The bars.
    pub rows: Vec<Bar>,
}

/// A number with a name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bar {
    /// The name.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Its standard deviation, if it is known.
    pub deviation: Option<f64>,
}

/// A number for each pair of names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatMap {
    /// Its heading.
    pub title: String,
    /// What the numbers are.
    pub unit: String,
    /// The names, of which it should hold no more than a screen does: 24.
    pub names: Vec<String>,
    /// Places of two different names, and their number; pairs that are left out stay blank.
    pub cells: Vec<(usize, usize, f64)>,
}

/// A key figure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// What it is: "AUC".
    pub name: String,
    /// The figure: "0.931".
    pub value: String,
    /// What to read it beside: "0.5 by chance".
    pub note: String,
}

/// Headings of [`Report::schema`].
pub const SCHEMA_HEADER: [&str; 4] = ["column", "role", "encoding", "ids"];

/// What one epoch came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: u32,
    /// Mean training loss.
    pub train_loss: f64,
    /// Validation figures as (name, value). The one named like [`Report::loss_name`] is drawn as
    /// the validation loss, and "AUC" gets a chart of its own.
    pub valid: Vec<(String, f64)>,
    /// Learning rate of the epoch.
    pub learning_rate: f64,
}

/// Scores with the truth, borrowed because they may be many.
#[derive(Debug, Clone)]
pub struct Evaluation<'a> {
    /// Heading of the section, such as "Validation rows".
    pub title: String,
    /// The columns.
    pub kind: Kind<'a>,
}

/// The columns of an [`Evaluation`], all of one length.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// Probabilities of label 1.
    Binary {
        /// Predicted probability of label 1.
        probability: &'a [f64],
        /// Label, 0 or 1.
        label: &'a [f32],
        /// Row weights, all 1 without them.
        weight: Option<&'a [f32]>,
        /// What labels 0 and 1 are called.
        classes: [&'a str; 2],
    },
    /// Probabilities of several classes.
    Classes {
        /// Predicted probability of each class, `[rows, classes]`.
        probability: &'a [f64],
        /// Class, from 0.
        label: &'a [f32],
        /// Row weights, all 1 without them.
        weight: Option<&'a [f32]>,
    },
    /// Predictions of a number.
    Regression {
        /// Predicted value, in units of the target.
        prediction: &'a [f64],
        /// True value.
        target: &'a [f32],
        /// Row weights, all 1 without them.
        weight: Option<&'a [f32]>,
    },
}
