//! Progress of training, on standard error and only where that is a terminal.

use crate::screen::figure;
use crate::tell::loss_name;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use pairloom::fit::FitEvent;
use pairloom::loss::Loss;
use pairloom::train::Event;
use std::fmt::Write;
use std::time::Instant;

/// A bar for the epoch in progress.
pub struct Progress {
    bar: ProgressBar,
    shown: bool,
    loss: Loss,
    epoch: u32,
    rows: usize,
    begun: Instant,
    /// Rows per second of the last finished epoch.
    pub rows_per_second: f64,
}

impl Progress {
    /// Nothing is shown before the first event, and nothing at all unless `shown`.
    pub fn new(shown: bool) -> Self {
        let (bar, begun) = (ProgressBar::hidden(), Instant::now());
        Progress {
            bar,
            shown,
            loss: Loss::Logistic,
            epoch: 0,
            rows: 0,
            begun,
            rows_per_second: 0.0,
        }
    }

    /// Takes note of an event.
    pub fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Schema(_) | Event::Fit(FitEvent::Resumed { .. }) => {}
            Event::Revised { .. } | Event::Cache { .. } | Event::Skipped(_) | Event::Unseen(_) => {
                self.bar.finish_and_clear()
            }
            Event::Reading(rows) => {
                if self.bar.position() == 0 {
                    self.start(None, "{spinner} reading  {human_pos} rows  {rate}");
                }
                self.bar.set_position(*rows as u64);
            }
            Event::Start(start) => {
                self.bar.finish_and_clear();
                (self.rows, self.loss) = (start.train, start.loss);
            }
            Event::Fit(FitEvent::Batch { epoch, rows, loss }) => self.batch(*epoch, *rows, *loss),
            Event::Fit(FitEvent::Epoch(_)) => {
                self.bar.finish_and_clear();
                self.rows_per_second =
                    self.rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
            }
        }
    }

    /// Leaves nothing of it on the terminal.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn batch(&mut self, epoch: u32, rows: usize, loss: f64) {
        if epoch != self.epoch {
            (self.epoch, self.begun) = (epoch, Instant::now());
            self.start(Some(self.rows as u64), "epoch {prefix}  {wide_bar}  {rate:>14}  {msg}");
            self.bar.set_prefix(format!("{epoch:>3}"));
        }
        self.bar.set_position(rows as u64);
        let (name, loss) = (loss_name(self.loss), self.loss.shown(loss));
        self.bar.set_message(format!("{name} {}", figure(Some(loss))));
    }

    fn start(&mut self, length: Option<u64>, template: &str) {
        let target = match self.shown {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        self.bar = ProgressBar::with_draw_target(length, target).with_style(style(template));
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{} rows/s", HumanCount(state.per_sec() as u64));
    };
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}
