//! Writing results: text for people or one JSON object a line for programs.

use crate::live::Window;
use pairloom::encode::Unseen;
use pairloom::file::{name, write_whole};
use pairloom::metric::{LEAST_DRAWN, Metrics};
use pairloom::reading::Skipped;
pub use pairloom::report::metric_title;
use pairloom::{Error, Result};
use std::io::{self, IsTerminal, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where results go.
pub struct Screen {
    out: Box<dyn Write>,
    text: bool,
    json: bool,
    is_window: bool,
    /// Whether charts of the epochs are on standard error.
    has_charts: bool,
    /// Places that the cell of a table may take.
    cell: usize,
}

impl Screen {
    /// Standard output, or standard error while standard output carries something else.
    pub fn new(json: bool, stdout_is_taken: bool) -> Self {
        let (out, is_window): (Box<dyn Write>, bool) = match stdout_is_taken {
            true => (Box::new(io::stderr()), io::stderr().is_terminal()),
            false => (Box::new(io::stdout()), io::stdout().is_terminal()),
        };
        let cell = if is_window { CELL } else { WIDE_CELL };
        Screen { out, text: !json, json, is_window, has_charts: false, cell }
    }

    /// The same without text for people.
    pub fn quiet(self, quiet: bool) -> Self {
        Screen { text: self.text && !quiet, ..self }
    }

    /// A window for charts of the epochs, if they are wanted and there is one for people to see them.
    pub fn charts(&mut self, wanted: bool) -> Option<Window> {
        let window = if wanted && self.text { Window::open() } else { None };
        self.has_charts = window.is_some();
        window
    }

    /// Whether people read along.
    pub fn is_text(&self) -> bool {
        self.text
    }

    /// Whether only what must be said is.
    pub fn is_quiet(&self) -> bool {
        !self.text && !self.json
    }

    /// A line for people.
    pub fn text(&mut self, line: &str) -> Result<()> {
        if self.text { self.line(line) } else { Ok(()) }
    }

    /// A line of the table of epochs, which charts stand for where both would be in a window.
    pub fn epoch(&mut self, line: &str) -> Result<()> {
        if self.has_charts && self.is_window { Ok(()) } else { self.text(line) }
    }

    /// A line for programs.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<()> {
        if self.json { self.line(&value.to_string()) } else { Ok(()) }
    }

    /// Columns of text; all but the first are right-aligned if `numbers`.
    pub fn table(&mut self, rows: &[Vec<String>], numbers: bool) -> Result<()> {
        table(rows, numbers, self.cell).iter().try_for_each(|line| self.text(line))
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
        let rows = if skipped.rows == 1 { "row" } else { "rows" };
        notice(&format!("skipped {} {rows} that cannot be used:", skipped.rows));
        skipped.first.iter().for_each(|error| notice(&format!("  {error}")));
        if skipped.rows as usize > skipped.first.len() {
            notice("  ...");
        }
    }
}

/// Says that intervals of so few rows or groups say little.
pub fn notice_few(drawn_from: usize, metrics: &Metrics) {
    if drawn_from < LEAST_DRAWN {
        let what = match (matches!(metrics, Metrics::Ranking(_)), drawn_from) {
            (true, 1) => "group",
            (true, _) => "groups",
            (false, 1) => "row",
            (false, _) => "rows",
        };
        notice(&format!(
            "warning: samples are drawn from {drawn_from} {what}: an interval of fewer than {LEAST_DRAWN} says little"
        ));
    }
}

/// Says which columns have values that the model does not know.
pub fn notice_unseen(unseen: &[Unseen]) {
    unseen.iter().for_each(|unseen| notice(&format!("warning: {unseen}")));
}

/// The same of a file, where there are several.
pub fn notice_unseen_in(file: &str, unseen: &[Unseen]) {
    unseen.iter().for_each(|unseen| notice(&format!("warning: {file}: {unseen}")));
}

/// Places that the cell of a table may take in a window, and where there is none.
const CELL: usize = 60;
const WIDE_CELL: usize = 1000;

fn table(rows: &[Vec<String>], numbers: bool, most: usize) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(cell, most)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column| rows.iter().filter_map(move |row: &Vec<String>| row.get(column));
    let width = |column| cells(column).map(|cell: &String| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let blanks = " ".repeat(width - cell.width());
            if numbers && column > 0 { blanks + cell } else { cell.clone() + &blanks }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// Text out of a file in so many places of one line: it may hold anything, and be of any length.
pub fn one_line(text: &str, most: usize) -> String {
    let (mut line, mut places) = (String::new(), 0);
    for c in text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }) {
        places += c.width().unwrap_or(0);
        if places > most {
            while line.width() >= most {
                line.pop();
            }
            return line + "\u{2026}";
        }
        line.push(c);
    }
    line
}

/// Rows of (name, value) for a table of metrics.
pub fn metric_rows(metrics: &Metrics) -> Vec<Vec<String>> {
    let row = |(name, value): (&str, Option<f64>)| vec![metric_title(name), figure(value)];
    metrics.iter().map(row).collect()
}

/// A figure as it is shown.
pub fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(v) if v.fract() == 0.0 && v.abs() < 1e15 => thousands(v as i64),
        // Neither a row of digits nor a row of zeros.
        Some(v) if v != 0.0 && !(1e-4..1e7).contains(&v.abs()) => format!("{v:.3e}"),
        Some(v) if v.abs() >= 1000.0 => {
            let tenths = (v * 10.0).round() as i64;
            format!("{}.{}", thousands(tenths / 10), (tenths % 10).abs())
        }
        Some(v) => format!("{v:.5}"),
    }
}

/// A share: 15.5%.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = if percent >= 1.0 { 1 } else { 3 };
    format!("{percent:.decimals$}%")
}

/// A whole number with separators: 12,330.
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    format!("{}{}", if number < 0 { "-" } else { "" }, groups.join(","))
}

/// The command line, as a shell takes it.
pub fn command_line(words: impl Iterator<Item = String>) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%".contains(c);
    let quoted = |word: String| match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// The words of this command, as `pairloom` wherever it lies.
pub fn own_words() -> impl Iterator<Item = String> {
    std::iter::once("pairloom".into()).chain(std::env::args().skip(1))
}

/// Writes a whole file of text.
pub fn write_text(file: &str, text: &str) -> Result<()> {
    write_whole(file, |out| out.write_all(text.as_bytes()).map_err(|e| Error::io(name(file), e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_line_of_limited_width() {
        let cases = [
            ("plain", "plain"),
            ("exactly8", "exactly8"),
            ("nine long", "nine lo\u{2026}"),
            ("\u{65e5}\u{672c}\u{6a4b}\u{99c5}", "\u{65e5}\u{672c}\u{6a4b}\u{99c5}"),
            ("\u{65e5}\u{672c}\u{6a4b}\u{99c5}!", "\u{65e5}\u{672c}\u{6a4b}\u{2026}"),
            ("two\nlines", "two\u{fffd}lin\u{2026}"),
            ("\u{1b}[31m", "\u{fffd}[31m"),
        ];
        for (text, expected) in cases {
            assert_eq!(one_line(text, 8), expected);
        }
    }

    #[test]
    fn columns_stay_in_line_whatever_is_in_them() {
        let row = |cells: [&str; 2]| cells.map(String::from).to_vec();
        let rows =
            [row(["\u{65e5}\u{672c}", "1"]), row(["e\u{301}", "20"]), row([&"x".repeat(99), ""])];
        let lines = table(&rows, true, CELL);
        assert!(lines[..2].iter().all(|line| line.width() == 64), "{lines:?}");
        assert_eq!(lines[2].width(), 60);
    }

    #[test]
    fn figures_show_digits_that_count() {
        let figures = [
            (0.5, "0.50000"),
            (12_330.0, "12,330"),
            (1234.56, "1,234.6"),
            (-9999.97, "-10,000.0"),
            (0.0, "0"),
        ];
        for (value, expected) in
            figures.into_iter().chain([(2.5e-7, "2.500e-7"), (1.5e9 + 0.5, "1.500e9")])
        {
            assert_eq!(figure(Some(value)), expected);
        }
        assert_eq!(figure(None), "-");
    }
}
