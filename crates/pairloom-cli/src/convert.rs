//! `pairloom convert`.

use crate::args::JobArgs;
use crate::output;
use crate::progress::Progress;
use crate::screen::{Screen, notice, thousands};
use crate::signals::Signals;
use crate::tell;
use pairloom::input;
use pairloom::memory::gib;
use pairloom::train::{Converted, Job, convert};
use pairloom::{Config, Error, Result};
use std::process::ExitCode;

/// Arguments of `pairloom convert`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("threads", |threads| {
    threads.help("Threads, 0 for one a core; the file does not depend on it")
}))]
pub struct Args {
    /// Rows: a file of Parquet, or of CSV, TSV, libsvm or libffm in UTF-8, plain or compressed with gzip or zstd; - for
    /// standard input
    data: String,
    /// File to write them to, for pairloom train, evaluate and predict
    #[arg(long, short, value_name = "ROWS")]
    output: String,
    #[command(flatten)]
    job: JobArgs,
}

/// Runs `pairloom convert`.
pub fn run(args: &Args) -> Result<ExitCode> {
    // Settings are for who trains on the rows.
    let job = Job { config: Config::default(), ..args.job.job(&args.data)? };
    let save_schema = &args.job.schema.save_schema;
    let outputs: Vec<_> = std::iter::once(&args.output).chain(save_schema).collect();
    output::check(&outputs, &[&args.data])?;
    let mut screen = args.job.screen();
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
    tell::save_schema(&schema, save_schema.as_deref())?;
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
