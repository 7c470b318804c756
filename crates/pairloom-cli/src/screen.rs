//! Writing results: text for people or one JSON object a line for programs.

use pairloom::file::write_whole;
use pairloom::metric::Metrics;
use pairloom::reading::Skipped;
use pairloom::{Error, Result};
use std::io::{self, Write};

/// Where results go.
pub struct Screen {
    out: Box<dyn Write>,
    json: bool,
}

impl Screen {
    /// Standard output, or standard error while standard output carries something else.
    pub fn new(json: bool, stdout_is_taken: bool) -> Self {
        let out: Box<dyn Write> =
            if stdout_is_taken { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        Screen { out, json }
    }

    /// A line for people.
    pub fn text(&mut self, line: &str) -> Result<()> {
        if self.json { Ok(()) } else { self.line(line) }
    }

    /// A line for programs.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<()> {
        if self.json { self.line(&value.to_string()) } else { Ok(()) }
    }

    /// Columns of text; all but the first are right-aligned if `numbers`.
    pub fn table(&mut self, rows: &[Vec<String>], numbers: bool) -> Result<()> {
        table(rows, numbers).iter().try_for_each(|line| self.text(line))
    }

    fn line(&mut self, line: &str) -> Result<()> {
        match writeln!(self.out, "{line}").and_then(|()| self.out.flush()) {
            // Its reader has seen enough; the work goes on, as files may be what it is done for.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(stdout_error),
        }
    }
}

/// An error of writing to standard output.
pub fn stdout_error(source: io::Error) -> Error {
    Error::io("stdout", source)
}

/// A notice for people, on standard error.
pub fn notice(line: &str) {
    // There is nobody left to tell if this fails.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says how many rows were left out, and why the first of them were.
pub fn notice_skipped(skipped: &Skipped) {
    if skipped.rows > 0 {
        notice(&format!("skipped {} rows that cannot be used:", skipped.rows));
        skipped.first.iter().for_each(|error| notice(&format!("  {error}")));
        if skipped.rows as usize > skipped.first.len() {
            notice("  ...");
        }
    }
}

fn table(rows: &[Vec<String>], numbers: bool) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let width = |column| rows.iter().filter_map(|r| r.get(column)).map(length).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if numbers && column > 0 {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// Rows of (name, value) for a table of metrics.
pub fn metric_rows(metrics: &Metrics) -> Vec<Vec<String>> {
    let row = |(name, value): (&str, Option<f64>)| vec![metric_title(name), figure(value)];
    metrics.iter().map(row).collect()
}

/// The name of a metric as it is shown.
pub fn metric_title(name: &str) -> String {
    match name {
        "auc" | "rmse" | "mae" => name.to_uppercase(),
        "r2" => "R2".into(),
        _ => name.replace('_', " "),
    }
}

/// A figure as it is shown.
pub fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(v) if v.fract() == 0.0 && v.abs() < 1e15 => thousands(v as i64),
        Some(v) if v.abs() >= 1000.0 => format!("{v:.1}"),
        Some(v) => format!("{v:.5}"),
    }
}

/// A whole number with separators: 12,330.
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    format!("{}{}", if number < 0 { "-" } else { "" }, groups.join(","))
}

/// Writes a whole file of text.
pub fn write_text(file: &str, text: &str) -> Result<()> {
    write_whole(file, |out| out.write_all(text.as_bytes()).map_err(|e| Error::io(file, e)))
}
