//! `pairloom synth`: writes a synthetic click log whose best possible score is known.
//!
//! Settings, defaults and checks are the library's; here is only what a command line adds.

use crate::parse;
use crate::screen::{Screen, notice};
use pairloom::input::{Format, FormatName};
use pairloom::parallel::Threads;
use pairloom::synth::{Synth, SynthConfig, SynthSummary};
use pairloom::{Error, Result};

/// Write a synthetic click log whose best possible score is known
///
/// Labels are drawn from a planted factorization machine, values by Zipf's law. The same seed
/// gives the same rows everywhere; another sample gives other rows of the same planted model, so a
/// training and a test set are `--sample 0` and `--sample 1`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rows to write; 1_000_000, 1e6 and 1M are the same
    #[arg(long, value_name = "N", value_parser = count, default_value_t = SynthConfig::default().rows)]
    rows: u64,
    /// Columns beside the label
    #[arg(long, value_name = "N", default_value_t = SynthConfig::default().fields)]
    fields: usize,
    /// Different values of all columns together, spread geometrically over them
    #[arg(long, value_name = "TOTAL", value_parser = count,
          default_value_t = SynthConfig::default().features)]
    features: u64,
    /// Number of values of each column, instead of --fields and --features
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = count,
          conflicts_with_all = ["fields", "features"])]
    cardinalities: Vec<u64>,
    /// Zipf exponent of the columns, or a range to draw each column's from [default: 1.05,1.3]
    #[arg(long, value_name = "E|LOW,HIGH", value_parser = range)]
    zipf: Option<(f64, f64)>,
    /// Share of positive rows
    #[arg(long, value_name = "P", default_value_t = SynthConfig::default().positives)]
    positives: f64,
    /// Factors of the planted model
    #[arg(long, value_name = "K", default_value_t = SynthConfig::default().factors)]
    factors: usize,
    /// How much the values say one by one
    #[arg(long, value_name = "SD", default_value_t = SynthConfig::default().linear_spread)]
    linear_spread: f64,
    /// How much the pairs of values say
    #[arg(long, value_name = "SD", default_value_t = SynthConfig::default().interaction_spread)]
    interaction_spread: f64,
    /// What the planted model is drawn from
    #[arg(long, value_name = "S", default_value_t = SynthConfig::default().seed)]
    seed: u64,
    /// Which rows of the planted model
    #[arg(long, value_name = "I", default_value_t = SynthConfig::default().sample)]
    sample: u64,
    /// Format of the rows: csv, tsv, libsvm or libffm
    #[arg(long, value_name = "FORMAT", value_parser = parse::format, default_value_t = FormatName::Tsv)]
    format: FormatName,
    /// Name the columns in a first line (csv and tsv): label, c1, c2, ..
    #[arg(long)]
    header: bool,
    /// File to write, - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: String,
    /// Threads, 0 for one a core; the rows do not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Summarise in one line of JSON: on standard output, or on standard error if the rows go there
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Those of the settings and of writing. A reader that goes away is none.
pub fn run(args: &Args) -> Result<()> {
    let format = args.format()?;
    let synth = Synth::new(&args.config(), Threads::new(args.threads)?)?;
    let summary = synth.write_file(format, &args.output)?;
    report(&summary, args.json, args.output == "-")
}

impl Args {
    fn config(&self) -> SynthConfig {
        let usual = SynthConfig::default();
        SynthConfig {
            rows: self.rows,
            fields: self.fields,
            features: self.features,
            cardinalities: self.cardinalities.clone(),
            zipf: self.zipf.unwrap_or(usual.zipf),
            positives: self.positives,
            factors: self.factors,
            linear_spread: self.linear_spread,
            interaction_spread: self.interaction_spread,
            seed: self.seed,
            sample: self.sample,
        }
    }

    fn format(&self) -> Result<Format> {
        let header = self.header;
        match self.format {
            FormatName::Csv => Ok(Format::Csv { delimiter: ',', header }),
            FormatName::Tsv => Ok(Format::Csv { delimiter: '\t', header }),
            FormatName::Libsvm | FormatName::Libffm if header => {
                Err(Error::usage("--header: libsvm and libffm text has none; take csv or tsv"))
            }
            FormatName::MovieLens(_) | FormatName::Parquet => {
                Err(Error::usage("--format: made up are csv, tsv, libsvm and libffm"))
            }
            FormatName::Libsvm => Ok(Format::Libsvm),
            FormatName::Libffm => Ok(Format::Libffm),
        }
    }
}

fn report(summary: &SynthSummary, json: bool, to_stdout: bool) -> Result<()> {
    if json {
        let summary = serde_json::to_value(summary).unwrap_or_default();
        return Screen::new(json, to_stdout).json(&summary);
    }
    notice(&readable(summary));
    Ok(())
}

fn readable(s: &SynthSummary) -> String {
    let figure = |x: Option<f64>| x.map_or("-".to_string(), |x| format!("{x:.5}"));
    let binned = if s.auc_exact { "" } else { " (of scores in 65,536 bins)" };
    format!(
        "{} rows, {} fields, {} features, share of positives {}\n\
         log loss: best possible {} ({} with the labels drawn), constant {}\n\
         AUC: best possible {}{binned}",
        s.rows,
        s.fields,
        s.features,
        figure(s.positives),
        figure(s.best_log_loss),
        figure(s.drawn_log_loss),
        figure(s.constant_log_loss),
        figure(s.best_auc),
    )
}

/// A whole number: 1000000, 1_000_000, 1e6 or 1M (k, M, G are thousands).
fn count(text: &str) -> std::result::Result<u64, String> {
    let plain = text.replace('_', "");
    let (digits, zeros) = match plain.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()),
        None => match plain.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']) {
            Some(digits) => (digits, Some(3 * unit(&plain))),
            None => (&plain[..], Some(0)),
        },
    };
    let scale = zeros.and_then(|z| 10u64.checked_pow(z));
    let product = digits.parse().ok().zip(scale).and_then(|(n, s): (u64, u64)| n.checked_mul(s));
    product
        .ok_or_else(|| "not a whole number under 2^64, like 250000, 250_000, 25e4 or 250k".into())
}

/// Thousands to the power of what a suffix stands for.
fn unit(text: &str) -> u32 {
    match text.as_bytes().last().map(u8::to_ascii_lowercase) {
        Some(b'k') => 1,
        Some(b'm') => 2,
        _ => 3,
    }
}

/// One number, or two with a comma.
fn range(text: &str) -> std::result::Result<(f64, f64), String> {
    let (low, high) = text.split_once(',').unwrap_or((text, text));
    let number = |t: &str| t.trim().parse().map_err(|_| format!("{t:?} is not a number"));
    Ok((number(low)?, number(high)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_people_write_them() {
        for text in ["1000000", "1_000_000", "1e6", "1E6", "1M", "1m", "1000k"] {
            assert_eq!(count(text), Ok(1_000_000), "{text}");
        }
        assert_eq!((count("0"), count("2G")), (Ok(0), Ok(2_000_000_000)));
        for text in ["", "k", "-1", "1.5", "1e", "e3", "1e30", "20000000000G", "1kk", "1e-3", "x"] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_are_one_number_or_two() {
        assert_eq!(range("1.1"), Ok((1.1, 1.1)));
        assert_eq!(range("1.05,1.3"), Ok((1.05, 1.3)));
        assert!(range("1,2,3").is_err() && range("a").is_err());
    }
}
