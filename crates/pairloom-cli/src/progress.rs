//! Progress of training, on standard error and only where that is a terminal.

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use pairloom::fit::FitEvent;
use pairloom::train::Event;
use std::fmt::Write;
use std::time::Instant;

/// A bar for the epoch in progress.
pub struct Progress {
    bar: ProgressBar,
    epoch: u32,
    rows: usize,
    auc: String,
    begun: Instant,
    /// Rows per second of the last finished epoch.
    pub rows_per_second: f64,
}

impl Progress {
    /// Nothing is shown before the first event.
    pub fn new() -> Self {
        let begun = Instant::now();
        let bar = ProgressBar::no_length();
        Progress { bar, epoch: 0, rows: 0, auc: String::new(), begun, rows_per_second: 0.0 }
    }

    /// Takes note of an event.
    pub fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Schema(_) | Event::Fit(FitEvent::Resumed { .. }) => {}
            Event::Skipped(_) => self.bar.finish_and_clear(),
            Event::Reading(rows) => {
                self.bar.set_style(style("{spinner} reading  {human_pos} rows  {rate}"));
                self.bar.set_position(*rows as u64);
            }
            Event::Start(start) => {
                self.bar.finish_and_clear();
                self.rows = start.train;
            }
            Event::Fit(FitEvent::Batch { epoch, rows, loss }) => self.batch(*epoch, *rows, *loss),
            Event::Fit(FitEvent::Epoch(epoch)) => {
                self.bar.finish_and_clear();
                self.rows_per_second =
                    self.rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
                let auc =
                    epoch.valid.as_ref().and_then(|m| m.iter().find(|(name, _)| *name == "auc"));
                self.auc = match auc.and_then(|(_, value)| value) {
                    Some(auc) => format!("  validation AUC {auc:.4}"),
                    None => String::new(),
                };
            }
        }
    }

    fn batch(&mut self, epoch: u32, rows: usize, loss: f64) {
        if epoch != self.epoch {
            self.epoch = epoch;
            self.begun = Instant::now();
            self.bar = ProgressBar::new(self.rows as u64);
            self.bar.set_style(style("epoch {prefix}  [{bar:30}]  {rate:>12}  {msg}"));
            self.bar.set_prefix(format!("{epoch:>3}"));
        }
        self.bar.set_position(rows as u64);
        self.bar.set_message(format!("loss {loss:.5}{}", self.auc));
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{} rows/s", HumanCount(state.per_sec() as u64));
    };
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}
