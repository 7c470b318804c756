//! Flags of figures that only some models have.

use pairloom::metric::{DEFAULT_AT, DEFAULT_THRESHOLD};
use pairloom::{Error, Model, Result};

/// How figures are measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FigureArgs {
    /// Where a row counts as predicted positive.
    #[arg(long, value_name = "P", help = format!(
        "Probability from which a row counts as predicted positive, for accuracy, precision and recall of two \
         classes [default: {DEFAULT_THRESHOLD}]"
    ))]
    threshold: Option<f64>,
    /// Where lists end.
    #[arg(long, value_name = "N", help = format!(
        "Place at which ranked lists end, for NDCG, recall, precision and hit rate [default: {DEFAULT_AT}]"
    ))]
    at: Option<usize>,
}

impl FigureArgs {
    /// The probability from which a row counts as predicted positive.
    pub fn threshold(&self) -> f64 {
        self.threshold.unwrap_or(DEFAULT_THRESHOLD)
    }

    /// The place at which ranked lists end.
    pub fn at(&self) -> usize {
        self.at.unwrap_or(DEFAULT_AT)
    }

    /// Refuses a flag that means nothing to a model, or where `items` are ranked.
    pub fn check(&self, model: &Model, items: bool) -> Result<()> {
        let loss = model.config.resolved_loss();
        let ranks = items || loss.is_ranking();
        let has_two = model.encoding.target.is_binary() && !ranks;
        let (flag, is_for) = match (self.threshold, self.at) {
            (Some(_), _) if !has_two => ("--threshold", "the probability of one of two classes"),
            (_, Some(_)) if !ranks => ("--at", "ranked lists"),
            _ => return Ok(()),
        };
        let what = match items {
            true => "with --items ranks are measured".into(),
            false => format!("the model was trained with --loss {}", loss.name()),
        };
        Err(Error::usage(format!("{flag} is for {is_for}, and {what}")))
    }
}
