//! A report of a run as one HTML page to read, keep and send.
//!
//! The page needs nothing but itself: charts are inline SVG, the style sheet is inside, there is
//! no script, and a content security policy keeps the browser off the network. It therefore opens
//! the same in ten years, from a mail attachment, on a telephone and on paper. Whatever the data
//! look like it must render: numbers that are not finite are left out of charts, an evaluation
//! that cannot be measured shows the reason in place of its charts, and all text is escaped.
//!
//! [`Report`] is plain data that knows nothing of training, so that anything with a history and
//! some scores can be drawn. `svg` draws axes, lines, dots and bars; `charts` decides what to draw.

mod charts;
mod svg;
#[cfg(test)]
mod tests;

/// Everything the page shows; parts left empty are left out.
#[derive(Debug, Clone, Default)]
pub struct Report<'a> {
    /// Heading of the page, such as the model file's name.
    pub title: String,
    /// Key figures shown large at the top, as (name, value): ("AUC", "0.931").
    pub summary: Vec<(String, String)>,
    /// The command line that repeats the run.
    pub command: Option<String>,
    /// One entry per epoch, in order.
    pub history: Vec<Epoch>,
    /// What the losses in `history` are: "log loss" or "mean squared error".
    pub loss_name: String,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u32>,
    /// Scores to draw.
    pub evaluation: Option<Evaluation<'a>>,
    /// All figures as (name, value).
    pub metrics: Vec<(String, String)>,
    /// All settings as (name, value).
    pub settings: Vec<(String, String)>,
    /// The model's columns as [`SCHEMA_HEADER`] names them.
    pub schema: Vec<[String; 4]>,
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
    /// Validation figures as (name, value). The one named like [`Report::loss_name`] (underscores
    /// read as spaces) or `loss` is drawn as the validation loss, `rmse` squared stands in for
    /// "mean squared error", and `auc` gets a chart of its own.
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

/// The page.
pub fn html(report: &Report<'_>) -> String {
    let title = escape(&report.title);
    let body = [header(report), training(report), evaluation(report), settings(report)].concat()
        + &schema(report);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{body}\
         <footer>Drawn by pairloom. This page is complete in itself: no scripts, no network.\
         </footer>\n</main>\n</body>\n</html>\n",
        include_str!("style.css"),
    )
}

fn header(report: &Report<'_>) -> String {
    let tile = |(name, value): &(String, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    };
    let tiles: String = report.summary.iter().map(tile).collect();
    let tiles = wrap("<dl class=\"tiles\">\n", &tiles, "</dl>\n");
    let command = escape(report.command.as_deref().unwrap_or_default());
    let command = wrap("<pre class=\"scroll\" tabindex=\"0\"><code>", &command, "</code></pre>\n");
    let title = escape(&report.title);
    format!(
        "<header>\n<p class=\"over\">pairloom report</p>\n<h1>{title}</h1>\n{command}</header>\n{tiles}"
    )
}

fn training(report: &Report<'_>) -> String {
    if report.history.is_empty() {
        return String::new();
    }
    let cards = charts::training(report).concat() + &epochs(report);
    section("Training", &format!("<div class=\"grid\">\n{cards}</div>\n"))
}

/// The numbers behind the learning curves.
fn epochs(report: &Report<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in report.history.iter().flat_map(|epoch| &epoch.valid) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut header = vec!["epoch".to_string(), format!("train {}", report.loss_name)];
    header.extend(names.iter().map(|name| format!("valid {}", name.replace('_', " "))));
    header.push("learning rate".to_string());
    let row = |epoch: &Epoch| {
        let best = if report.best_epoch == Some(epoch.epoch) { " (best)" } else { "" };
        let mut row = vec![format!("{}{best}", epoch.epoch), svg::number(epoch.train_loss)];
        row.extend(names.iter().map(|name| {
            let pair = epoch.valid.iter().find(|pair| pair.0 == *name);
            svg::number(pair.map_or(f64::NAN, |pair| pair.1))
        }));
        row.push(svg::number(epoch.learning_rate));
        row
    };
    let table = table("Epochs", &header, report.history.iter().map(row));
    format!("<div class=\"card numbers\">\n<h3>Epochs</h3>\n{table}</div>\n")
}

fn evaluation(report: &Report<'_>) -> String {
    let figures = pairs("Metrics", &report.metrics);
    let Some(evaluation) = &report.evaluation else {
        return if figures.is_empty() { figures } else { section("Evaluation", &figures) };
    };
    let cards = match charts::evaluation(&evaluation.kind) {
        Ok(charts) => charts.concat(),
        Err(error) => {
            let reason = error.to_string();
            let reason = escape(reason.trim_start_matches("evaluation: "));
            format!("<p class=\"card note\">Nothing to draw: {reason}.</p>\n")
        }
    };
    let cards = format!("<div class=\"grid\">\n{cards}{figures}</div>\n");
    section(&evaluation.title, &cards)
}

fn settings(report: &Report<'_>) -> String {
    let settings = pairs("", &report.settings);
    if settings.is_empty() { settings } else { section("Settings", &settings) }
}

/// The columns, folded when they would push the end of the page out of reach.
fn schema(report: &Report<'_>) -> String {
    if report.schema.is_empty() {
        return String::new();
    }
    let table = table("Columns", &SCHEMA_HEADER, &report.schema);
    let (open, count) = (if report.schema.len() > 24 { "" } else { " open" }, report.schema.len());
    let noun = if count == 1 { "column" } else { "columns" };
    let fold = format!("<details{open}>\n<summary>{count} {noun}</summary>\n{table}</details>\n");
    section("Columns", &format!("<div class=\"card\">\n{fold}</div>\n"))
}

fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(title))
}

/// A card of names and values, empty without any.
fn pairs(title: &str, pairs: &[(String, String)]) -> String {
    let row = |(name, value): &(String, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    };
    let rows: String = pairs.iter().map(row).collect();
    let title = wrap("<h3>", title, "</h3>\n");
    wrap(&format!("<div class=\"card\">\n{title}<dl class=\"pairs\">\n"), &rows, "</dl>\n</div>\n")
}

/// A table that scrolls within its card rather than widening the page.
fn table<H: AsRef<str>, R: AsRef<[C]>, C: AsRef<str>>(
    name: &str,
    header: &[H],
    rows: impl IntoIterator<Item = R>,
) -> String {
    let head: String = header
        .iter()
        .map(|cell| format!("<th scope=\"col\">{}</th>", escape(cell.as_ref())))
        .collect();
    let row = |row: R| {
        let cells = row.as_ref().iter().map(|cell| format!("<td>{}</td>", escape(cell.as_ref())));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = rows.into_iter().map(row).collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n<table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}

/// `inner` between its tags, or nothing at all.
fn wrap(open: &str, inner: &str, close: &str) -> String {
    if inner.is_empty() { String::new() } else { [open, inner, close].concat() }
}

/// Text as HTML shows it, in an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
