//! `pairloom predict`.

use crate::args::InputArgs;
use crate::output;
use crate::screen::{notice_skipped, notice_unseen};
use pairloom::file::{self, write_whole};
use pairloom::input;
use pairloom::parallel::Threads;
use pairloom::predict::{Piece, PredictOptions};
use pairloom::reading::{self, Outcome};
use pairloom::{Error, Model, Result};
use std::io::Write;

/// Arguments of `pairloom predict`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model
    model: String,
    /// Rows in the format of the training rows, with or without labels, or a file that pairloom convert
    /// has made; - for standard input, which may be endless: its rows are predicted and written in
    /// pieces of some thousand
    data: String,
    /// File to write to; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: String,
    /// Columns of the rows to write before the prediction; the output is then a CSV with a header.
    /// Converted rows hold those that the schema uses, but groups, with numbers in their shortest form
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    /// Threads, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Write one JSON object a line: {"prediction": 0.25}, with the kept columns in it; JSON is UTF-8,
    /// and bytes of a cell that are not are replaced
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom predict`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&[&args.output], &[&args.model, &args.data])?;
    check_keep(&args.keep)?;
    let model = Model::load(&args.model)?;
    let outcome = write_whole(&args.output, |out| predict(args, &model, out))?;
    notice_skipped(&outcome.skipped);
    notice_unseen(&outcome.unseen);
    Ok(())
}

/// Refuses columns that would be one in what is written.
fn check_keep(keep: &[String]) -> Result<()> {
    let twice = keep.iter().enumerate().find(|(at, name)| keep[..*at].contains(name));
    if let Some((_, name)) = twice {
        return Err(Error::usage(format!("--keep names column '{name}' twice")));
    }
    if keep.iter().any(|name| name == "prediction") {
        let message = "--keep prediction: what is predicted is called so; rename that column";
        return Err(Error::usage(message));
    }
    Ok(())
}

/// Predicts piece by piece: a reader at the other end of a pipe need not wait for the last row.
fn predict(args: &Args, model: &Model, out: &mut dyn Write) -> Result<Outcome> {
    let options = PredictOptions {
        labelled: false,
        groups: false,
        keep: args.keep.clone(),
        on_error: args.input.on_error(),
    };
    let threads = Threads::new(args.threads)?;
    let reader = reading::open(&args.data, &args.input.open(), &model.schema)?;
    let mut reader = reading::ahead(reader, &threads)?;
    let mut lines = Vec::new();
    if !args.keep.is_empty() && !args.json {
        let names = args.keep.iter().map(|name| name.as_bytes());
        write_csv(names, b"prediction", &mut lines);
    }
    model.predict_rows(&mut *reader, input::name(&args.data), &options, &threads, |piece| {
        for (row, prediction) in piece.predictions.iter().enumerate() {
            write_row(args, piece, row, *prediction, &mut lines);
        }
        out.write_all(&lines)
            .and_then(|()| out.flush())
            .map_err(|e| Error::io(file::name(&args.output), e))?;
        lines.clear();
        Ok(())
    })
}

fn write_row(args: &Args, piece: &Piece, row: usize, prediction: f64, lines: &mut Vec<u8>) {
    let kept = piece.kept(row, args.keep.len());
    if args.json {
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned().into();
        let kept = args.keep.iter().cloned().zip(kept.map(text));
        let mut object: serde_json::Map<String, serde_json::Value> = kept.collect();
        object.insert("prediction".into(), prediction.into());
        lines.extend_from_slice(serde_json::Value::from(object).to_string().as_bytes());
        lines.push(b'\n');
    } else {
        write_csv(kept, prediction.to_string().as_bytes(), lines);
    }
}

/// A line of CSV, quoted where RFC 4180 asks for it.
pub fn write_csv<'a>(cells: impl Iterator<Item = &'a [u8]>, last: &[u8], lines: &mut Vec<u8>) {
    for cell in cells {
        if cell.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            lines.push(b'"');
            for &byte in cell {
                lines.extend_from_slice(if byte == b'"' {
                    b"\"\""
                } else {
                    std::slice::from_ref(&byte)
                });
            }
            lines.push(b'"');
        } else {
            lines.extend_from_slice(cell);
        }
        lines.push(b',');
    }
    lines.extend_from_slice(last);
    lines.push(b'\n');
}
