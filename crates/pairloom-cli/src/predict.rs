//! `pairloom predict`.

use crate::args::{InputArgs, ThreadArgs};
use crate::output;
use crate::parse;
use crate::screen::{notice_skipped, notice_unseen};
use pairloom::backend::DeviceName;
use pairloom::encode::Target;
use pairloom::file::{self, write_whole};
use pairloom::input;
use pairloom::metric::predicted_class;
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
    /// Columns of the rows to write before the prediction; the output is then a CSV with a header, as it
    /// always is for several classes: prediction, and p_CLASS for each of them.
    /// Converted rows hold those that the schema uses, but groups, with numbers in their shortest form
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    #[command(flatten)]
    threads: ThreadArgs,
    /// What scores are worked out on: cpu, cuda (NVIDIA's GPUs; see pairloom devices), or auto, which is the
    /// processor, since encoding rows takes longer
    #[arg(long, value_name = "DEVICE", value_parser = parse::device, default_value = DeviceName::default().name())]
    device: DeviceName,
    /// Write one JSON object a line: {"prediction": 0.25}, with the kept columns in it, and the probabilities
    /// of several classes; JSON is UTF-8, and bytes of a cell that are not are replaced
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    input: InputArgs,
}

/// Runs `pairloom predict`.
pub fn run(args: &Args) -> Result<()> {
    output::check(&[&args.output], &[&args.model, &args.data])?;
    let model = Model::load(&args.model)?;
    check_keep(&args.keep, &names(&model))?;
    let outcome = write_whole(&args.output, |out| predict(args, &model, out))?;
    notice_skipped(&outcome.skipped);
    notice_unseen(&outcome.unseen);
    Ok(())
}

/// What the columns of the output are called beside those that are kept: the prediction, and of several
/// classes the probability of each.
fn names(model: &Model) -> Vec<String> {
    let classes = match &model.encoding.target {
        Target::Classes { names } => &names[..],
        _ => &[],
    };
    let probability = |name: &String| format!("p_{name}");
    std::iter::once("prediction".into()).chain(classes.iter().map(probability)).collect()
}

/// Refuses columns that would be one in what is written.
fn check_keep(keep: &[String], names: &[String]) -> Result<()> {
    let twice = keep.iter().enumerate().find(|(at, name)| keep[..*at].contains(name));
    if let Some((_, name)) = twice {
        return Err(Error::usage(format!("--keep names column '{name}' twice")));
    }
    let is_taken =
        |name: &&String| names.contains(name) || (names.len() > 1 && *name == "probabilities");
    match keep.iter().find(is_taken) {
        Some(name) => {
            let message = "what is predicted is called so; rename that column";
            Err(Error::usage(format!("--keep {name}: {message}")))
        }
        None => Ok(()),
    }
}

/// Predicts piece by piece: a reader at the other end of a pipe need not wait for the last row.
fn predict(args: &Args, model: &Model, out: &mut dyn Write) -> Result<Outcome> {
    let options = PredictOptions {
        keep: args.keep.clone(),
        on_error: args.input.on_error(),
        device: args.device,
        ..PredictOptions::default()
    };
    let threads = args.threads.start()?;
    let reader = reading::open(&args.data, &args.input.open(), &model.schema)?;
    let mut reader = reading::ahead(reader, &threads)?;
    let (mut lines, names) = (Vec::new(), names(model));
    if (names.len() > 1 || !args.keep.is_empty()) && !args.json {
        write_csv(args.keep.iter().chain(&names).map(String::as_bytes), &mut lines);
    }
    model.predict_rows(&mut *reader, input::name(&args.data), &options, &threads, |piece| {
        for (row, prediction) in piece.rows().enumerate() {
            write_row(args, model, piece, (row, prediction), &mut lines);
        }
        out.write_all(&lines)
            .and_then(|()| out.flush())
            .map_err(|e| Error::io(file::name(&args.output), e))?;
        lines.clear();
        Ok(())
    })
}

fn write_row(
    args: &Args,
    model: &Model,
    piece: &Piece,
    (row, prediction): (usize, &[f64]),
    lines: &mut Vec<u8>,
) {
    let kept = piece.kept(row, args.keep.len());
    let classes = match &model.encoding.target {
        Target::Classes { names } => Some(names),
        _ => None,
    };
    let class = classes.map(|names| names[predicted_class(prediction)].as_str());
    if args.json {
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned().into();
        let kept = args.keep.iter().cloned().zip(kept.map(text));
        let mut object: serde_json::Map<String, serde_json::Value> = kept.collect();
        match class {
            Some(class) => object.insert("prediction".into(), class.into()),
            None => object.insert("prediction".into(), prediction[0].into()),
        };
        if let Some(names) = classes {
            let each = names.iter().cloned().zip(prediction.iter().map(|&p| p.into()));
            object.insert("probabilities".into(), each.collect::<serde_json::Map<_, _>>().into());
        }
        lines.extend_from_slice(serde_json::Value::from(object).to_string().as_bytes());
        lines.push(b'\n');
    } else {
        let numbers: Vec<String> = prediction.iter().map(f64::to_string).collect();
        let cells = class.into_iter().chain(numbers.iter().map(String::as_str));
        let kept: Vec<&[u8]> = kept.collect();
        write_csv(kept.into_iter().chain(cells.map(str::as_bytes)), lines);
    }
}

/// A line of CSV, quoted where RFC 4180 asks for it.
pub fn write_csv<'a>(cells: impl Iterator<Item = &'a [u8]>, lines: &mut Vec<u8>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            lines.push(b',');
        }
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
    }
    lines.push(b'\n');
}
