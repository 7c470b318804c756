//! What `pairloom train` says on the way: the schema and its reasons, the sizes, a line an epoch.

use crate::describe::spread;
use crate::screen::{Screen, figure, one_line, thousands};
use pairloom::Result;
use pairloom::encode::Target;
use pairloom::fit::Epoch;
use pairloom::metric::Metrics;
use pairloom::schema::{Column, Role, Schema};
use pairloom::train::Start;

/// What the loss is called: that of a label of two values, and that of numbers.
pub const LOSSES: [&str; 2] = ["log loss", "RMSE"];

/// The training loss of an epoch as it is shown: a mean squared error as its root, in the unit of
/// the target.
pub fn shown_loss(epoch: &Epoch, binary: bool) -> f64 {
    if binary { epoch.train_loss } else { epoch.train_loss.sqrt() }
}

/// The schema, with the reason for each guess.
pub fn schema(schema: &Schema, screen: &mut Screen) -> Result<()> {
    let mut rows = vec![["column", "role", "because"].map(String::from).to_vec()];
    let row = |column: &Column| {
        let why = if column.why.is_empty() { "given" } else { &column.why };
        let positive = schema.positive.as_ref().filter(|_| column.role == Role::Label);
        let positive = positive
            .map_or(String::new(), |value| format!("; '{}' is positive", one_line(value, 40)));
        vec![one_line(&column.name, 40), column.role.name().into(), format!("{why}{positive}")]
    };
    rows.extend(schema.columns.iter().map(row));
    screen.table(&rows, false)?;
    screen.text("")?;
    screen.json(&serde_json::json!({ "event": "schema", "schema": schema }))
}

/// What is predicted, from how much; and the heading of the epochs.
pub fn start(start: &Start, screen: &mut Screen) -> Result<()> {
    let spread = spread(&start.constant, start.target.is_binary());
    screen.text(&match &start.target {
        Target::Binary { positive, negative } => {
            let [positive, others] = [Some(positive), negative.as_ref()].map(|class| {
                class.map_or("all others".into(), |name| format!("'{}'", one_line(name, 40)))
            });
            format!("predicting the probability of {positive} against {others} ({spread})")
        }
        Target::Real { .. } => format!("predicting a number ({spread})"),
    })?;
    screen.text(&format!(
        "{} training rows, {} validation rows, {} features, {:.1} MiB of rows and model\n",
        thousands(start.train as i64),
        thousands(start.valid as i64),
        thousands(start.features as i64),
        start.bytes as f64 / (1 << 20) as f64,
    ))?;
    let [loss, quality, second] = match start.target {
        Target::Binary { .. } => [LOSSES[0], "AUC", "accuracy"],
        Target::Real { .. } => [LOSSES[1], "MAE", "R2"],
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

/// Where a run goes on that was stopped before.
pub fn resumed(epoch: u32, rows: usize, file: &str, screen: &mut Screen) -> Result<()> {
    let rows_done = thousands(rows as i64);
    screen.text(&format!("going on from {file}: epoch {epoch}, after {rows_done} rows of it"))?;
    screen.json(&serde_json::json!({
        "event": "resume", "checkpoint": file, "epoch": epoch, "rows": rows,
    }))
}

/// One epoch.
pub fn epoch(epoch: &Epoch, binary: bool, rows_per_second: f64, screen: &mut Screen) -> Result<()> {
    let [valid, quality, second] = match &epoch.valid {
        None => [None; 3],
        Some(Metrics::Binary(m)) => [Some(m.log_loss), m.auc, Some(m.accuracy)],
        Some(Metrics::Regression(m)) => [Some(m.rmse), Some(m.mae), m.r2],
    };
    screen.text(&line([
        epoch.epoch.to_string(),
        rate(epoch.learning_rate),
        figure(Some(shown_loss(epoch, binary))),
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

/// A learning rate in six places.
fn rate(rate: f64) -> String {
    if rate < 0.001 { format!("{rate:.0e}") } else { format!("{rate:.4}") }
}

/// Narrow enough for a window of 60 places.
fn line([epoch, rate, train, valid, quality, second, speed]: [String; 7]) -> String {
    let line = format!(
        "{epoch:>5} {rate:>6}  {train:>8}  {valid:>8}  {quality:>7}  {second:>8}  {speed:>7}"
    );
    line.trim_end().into()
}
