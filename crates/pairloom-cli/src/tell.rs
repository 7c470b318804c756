//! What `pairloom train` says on the way: the schema and its reasons, the sizes, a line an epoch.

use crate::screen::{Screen, figure, thousands};
use pairloom::Result;
use pairloom::encode::Target;
use pairloom::fit::Epoch;
use pairloom::metric::Metrics;
use pairloom::schema::{Column, Role, Schema};
use pairloom::train::Start;

/// The schema, with the reason for each guess.
pub fn schema(schema: &Schema, screen: &mut Screen) -> Result<()> {
    let mut rows = vec![["column", "role", "because"].map(String::from).to_vec()];
    let row = |column: &Column| {
        let why = if column.why.is_empty() { "given" } else { &column.why };
        let positive = schema.positive.as_ref().filter(|_| column.role == Role::Label);
        let positive = positive.map_or(String::new(), |value| format!("; '{value}' is positive"));
        vec![column.name.clone(), column.role.name().into(), format!("{why}{positive}")]
    };
    rows.extend(schema.columns.iter().map(row));
    screen.table(&rows, false)?;
    screen.text("")?;
    screen.json(&serde_json::json!({ "event": "schema", "schema": schema }))
}

/// What is predicted, from how much; and the heading of the epochs.
pub fn start(start: &Start, screen: &mut Screen) -> Result<()> {
    screen.text(&match &start.target {
        Target::Binary { positive, negative } => {
            let others = negative.as_ref().map_or("all others".into(), |n| format!("'{n}'"));
            format!("predicting the probability of '{positive}' against {others}")
        }
        Target::Real { mean, scale } => {
            let (mean, scale) = (figure(Some(*mean)), figure(Some(*scale)));
            format!("predicting a number (mean {mean}, standard deviation {scale})")
        }
    })?;
    screen.text(&format!(
        "{} training rows, {} validation rows, {} features, {:.1} MiB of rows and model\n",
        thousands(start.train as i64),
        thousands(start.valid as i64),
        thousands(start.features as i64),
        start.bytes as f64 / (1 << 20) as f64,
    ))?;
    let [loss, quality, second] = match start.target {
        Target::Binary { .. } => ["log loss", "AUC", "accuracy"],
        Target::Real { .. } => ["RMSE", "MAE", "R2"],
    };
    screen
        .text(&line(["epoch", "rate", loss, loss, quality, second, "rows/s"].map(String::from)))?;
    screen.text(&line(["", "", "train", "valid", "valid", "valid", ""].map(String::from)))?;
    let Start { target, train, valid, features, .. } = start;
    screen.json(&serde_json::json!({
        "event": "start", "target": target,
        "train_rows": train, "valid_rows": valid, "features": features,
    }))
}

/// One epoch.
pub fn epoch(epoch: &Epoch, binary: bool, rows_per_second: f64, screen: &mut Screen) -> Result<()> {
    let [valid, quality, second] = match &epoch.valid {
        None => [None; 3],
        Some(Metrics::Binary(m)) => [Some(m.log_loss), m.auc, Some(m.accuracy)],
        Some(Metrics::Regression(m)) => [Some(m.rmse), Some(m.mae), m.r2],
    };
    // A mean squared error is shown as its root, in the unit of the target.
    let train = if binary { epoch.train_loss } else { epoch.train_loss.sqrt() };
    screen.text(&line([
        epoch.epoch.to_string(),
        format!("{:.4}", epoch.learning_rate),
        figure(Some(train)),
        figure(valid),
        figure(quality),
        figure(second),
        thousands(rows_per_second as i64),
    ]))?;
    let mut line = serde_json::to_value(epoch).unwrap_or_default();
    line["event"] = "epoch".into();
    line["rows_per_second"] = rows_per_second.into();
    screen.json(&line)
}

fn line([epoch, rate, train, valid, quality, second, speed]: [String; 7]) -> String {
    let line = format!(
        "{epoch:>5}  {rate:>7}  {train:>9}  {valid:>9}  {quality:>8}  {second:>8}  {speed:>10}"
    );
    line.trim_end().into()
}
