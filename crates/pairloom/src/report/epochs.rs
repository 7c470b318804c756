//! The history of a model as the page shows it.

use super::Epoch;
use crate::metric::Metrics;
use crate::model::Model;

/// Figures of an epoch that have a column in the table.
const SHOWN: [&str; 13] = [
    "log_loss",
    "auc",
    "accuracy",
    "macro_f1",
    "poisson_deviance",
    "huber_loss",
    "quantile_loss",
    "rmse",
    "mae",
    "r2",
    "loss",
    "ndcg",
    "mrr",
];

/// What each epoch of a model brought.
pub fn epochs(model: &Model) -> Vec<Epoch> {
    let loss = model.config.resolved_loss();
    let epoch = |epoch: &crate::fit::Epoch| {
        let shown = |(name, value): (&str, Option<f64>)| Some((metric_title(name), value?));
        let valid = epoch.valid.iter().flat_map(Metrics::iter);
        Epoch {
            epoch: epoch.epoch,
            train_loss: loss.shown(epoch.train_loss),
            valid: valid.filter(|pair| SHOWN.contains(&pair.0)).filter_map(shown).collect(),
            learning_rate: epoch.learning_rate,
        }
    };
    model.history.iter().map(epoch).collect()
}

/// The name of a metric as it is shown.
pub fn metric_title(name: &str) -> String {
    match name {
        "auc" | "rmse" | "mae" | "ndcg" | "map" | "mrr" => name.to_uppercase(),
        "grouped_auc" => "grouped AUC".into(),
        "r2" => "R2".into(),
        "brier_score" => "Brier score".into(),
        "macro_f1" => "macro F1".into(),
        "poisson_deviance" => "Poisson deviance".into(),
        "huber_loss" => "Huber loss".into(),
        _ => name.replace('_', " "),
    }
}
