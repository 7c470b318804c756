//! `pairloom convert`.

use crate::args::{ColumnArgs, InputArgs, SchemaArgs};
use crate::output;
use crate::progress::Progress;
use crate::screen::{Screen, notice, thousands};
use crate::signals::Signals;
use crate::tell;
use pairloom::input;
use pairloom::memory::gib;
use pairloom::train::{Converted, Job, convert};
use pairloom::{Error, Result};
use std::process::ExitCode;

/// Arguments of `pairloom convert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rows: a file of CSV, TSV, libsvm or libffm in UTF-8, plain or compressed with gzip or zstd; - for
    /// standard input
    data: String,
    /// File to write them to, for pairloom train, evaluate and predict
    #[arg(long, short, value_name = "ROWS")]
    output: String,
    #[command(flatten)]
    schema: SchemaArgs,
    /// Threads, 0 for one a core; the file does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Write one JSON object a line instead of text
    #[arg(long)]
    json: bool,
    /// Write nothing but warnings and errors
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    columns: ColumnArgs,
}

/// Runs `pairloom convert`.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (schema, _) = args.schema.source(&args.columns)?;
    let (open, on_error) = (args.input.open(), args.input.on_error());
    let job = Job { schema, open, on_error, threads: args.threads, ..Job::new(&args.data) };
    let outputs: Vec<_> = std::iter::once(&args.output).chain(&args.schema.save_schema).collect();
    output::check(&outputs, &[&args.data])?;
    let mut screen = Screen::new(args.json, false).quiet(args.quiet);
    let mut progress = Progress::new(screen.is_text());
    let mut told = Ok(());
    let signals = Signals::default();
    signals.listen()?;
    let converted = convert(&job, &args.output, &mut |event| {
        progress.show(&event);
        told = tell::reading(&event, &mut screen);
        told.is_ok() && signals.status().is_none()
    });
    progress.end();
    told?;
    if let (Err(Error::Interrupted), Some(status)) = (&converted, signals.status()) {
        notice("stopped; nothing is kept");
        return Ok(ExitCode::from(status));
    }
    let Converted { schema, rows } = converted?;
    tell::save_schema(&schema, args.schema.save_schema.as_deref())?;
    end(args, rows, &mut screen).map(|()| ExitCode::SUCCESS)
}

/// What was written.
fn end(args: &Args, rows: usize, screen: &mut Screen) -> Result<()> {
    let size = |file: &str| std::fs::metadata(file).map(|meta| meta.len());
    let bytes = size(&args.output).map_err(|e| Error::io(&args.output, e))?;
    let before = size(&args.data).ok().filter(|&bytes| bytes > 0 && args.data != "-");
    let before =
        before.map_or(String::new(), |bytes| format!(" (the text: {})", gib(bytes.into())));
    let rows_shown = thousands(rows as i64);
    let from = input::name(&args.data);
    screen.text(&format!("{rows_shown} rows of {from} in {}{before}\n", gib(bytes.into())))?;
    screen.text(&format!("wrote {}", args.output))?;
    screen.text(&format!("next: pairloom train {}", args.output))?;
    screen.json(&serde_json::json!({
        "event": "end", "rows": rows, "bytes": bytes, "output": args.output,
    }))
}
