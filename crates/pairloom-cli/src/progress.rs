//! Progress of training, on standard error and only where that is a terminal.

use crate::live::{Course, Done, Live, Window};
use crate::screen::figure;
use crate::tell::{loss_name, qualities, quality_names};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use pairloom::fit::{Epoch, FitEvent};
use pairloom::loss::Loss;
use pairloom::train::{Event, Start};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// A bar for the epoch in progress, or charts of all of them.
pub struct Progress {
    bar: ProgressBar,
    /// Where charts will be, until training starts; and the most epochs.
    window: Option<Window>,
    epochs: u32,
    live: Option<Live>,
    shown: bool,
    loss: Loss,
    epoch: u32,
    rows: usize,
    /// Rows of the epoch that were learned from before a run that goes on, and when it began.
    before: usize,
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
            window: None,
            epochs: 0,
            live: None,
            shown,
            loss: Loss::Logistic,
            epoch: 0,
            rows: 0,
            before: 0,
            begun,
            rows_per_second: 0.0,
        }
    }

    /// The same with charts in the window, if there is one, of a training of so many epochs at the most.
    pub fn live(self, window: Option<Window>, epochs: u32) -> Self {
        Progress { window, epochs, ..self }
    }

    /// Takes note of an event.
    pub fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Schema(_) | Event::Encoding => {}
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
                (self.rows, self.loss, self.begun) = (start.train, start.loss, Instant::now());
                self.live = self.window.take().map(|window| self.charts(window, start));
            }
            Event::Fit(FitEvent::Resumed { rows, .. }) => self.before = *rows,
            Event::Fit(FitEvent::Batch { epoch, rows, loss }) => self.batch(*epoch, *rows, *loss),
            Event::Fit(FitEvent::Epoch(epoch)) => {
                self.bar.finish_and_clear();
                let seconds = self.begun.elapsed().as_secs_f64().max(1e-9);
                self.rows_per_second = self.rows.saturating_sub(self.before) as f64 / seconds;
                (self.before, self.begun) = (0, Instant::now());
                self.done(epoch);
            }
        }
    }

    /// Leaves nothing of it on the terminal but the charts.
    pub fn end(&mut self) {
        self.bar.finish_and_clear();
        if let Some(live) = &mut self.live {
            live.end();
        }
    }

    fn charts(&self, window: Window, start: &Start) -> Live {
        let course = Course {
            loss: loss_name(start.loss),
            quality: quality_names(start),
            has_valid: start.valid > 0,
            most: self.epochs,
            rows: start.train,
            ..Course::default()
        };
        Live::new(window, course)
    }

    fn done(&mut self, epoch: &Epoch) {
        let Some(live) = &mut self.live else { return };
        let done = Done {
            epoch: epoch.epoch,
            train: self.loss.shown(epoch.train_loss),
            valid: epoch.valid.as_ref().map(|valid| self.loss.shown(valid.loss())),
            quality: qualities(epoch),
        };
        live.epoch(done, self.rows_per_second);
    }

    fn batch(&mut self, epoch: u32, rows: usize, loss: f64) {
        let is_new = epoch != self.epoch;
        self.epoch = epoch;
        let loss = self.loss.shown(loss);
        if let Some(live) = &mut self.live {
            return live.batch(epoch, rows, loss);
        }
        if is_new {
            self.start(Some(self.rows as u64), "epoch {prefix}  {wide_bar}  {rate:>14}  {msg}");
            self.bar.set_prefix(format!("{epoch:>3}"));
        }
        self.bar.set_position(rows as u64);
        self.bar.set_message(format!("{} {}", loss_name(self.loss), figure(Some(loss))));
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
        // The first moments say nothing of the rest.
        if state.elapsed() >= Duration::from_millis(500) {
            let _ = write!(out, "{} rows/s", HumanCount(state.per_sec() as u64));
        }
    };
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("rate", rate)
}
