//! `train --live`: charts of the training on standard error, drawn again in their place.
//!
//! The picture is text made of what was told so far (`frame`, of `course`), and `window` alone knows
//! the terminal.

mod axis;
mod canvas;
mod chart;
mod course;
mod frame;
#[cfg(test)]
mod tests;
mod window;

pub use course::{Course, Done};
pub use window::Window;

use std::time::{Duration, Instant};

/// Time between two pictures.
const EVERY: Duration = Duration::from_millis(100);

/// A picture of the training in progress.
pub struct Live {
    window: Window,
    course: Course,
    drawn: Option<Instant>,
    begun: Option<Instant>,
    /// When the epoch began, and with how many rows where it was begun by another run.
    epoch_begun: (Instant, usize),
}

impl Live {
    /// Of a training of which is known what figures it will have.
    pub fn new(window: Window, course: Course) -> Self {
        Live { window, course, drawn: None, begun: None, epoch_begun: (Instant::now(), 0) }
    }

    /// The mean loss of the rows of an epoch so far.
    pub fn batch(&mut self, epoch: u32, rows: usize, loss: f64) {
        let now = Instant::now();
        self.begun.get_or_insert(now);
        if epoch != self.course.epoch {
            (self.course.epoch, self.epoch_begun) = (epoch, (now, rows));
        }
        if self.is_due(now) {
            let (begun, before) = self.epoch_begun;
            let seconds = now.duration_since(begun).as_secs_f64();
            if seconds > 0.0 {
                self.course.rate = rows.saturating_sub(before) as f64 / seconds;
            }
            self.course.batch(epoch, rows, loss);
            self.draw(now);
        }
    }

    /// An epoch is over.
    pub fn epoch(&mut self, done: Done, rows_per_second: f64) {
        self.course.rate = rows_per_second;
        self.course.epoch(done);
        let now = Instant::now();
        if self.is_due(now) {
            self.draw(now);
        }
    }

    /// Leaves the last picture standing.
    pub fn end(&mut self) {
        let Some(begun) = self.begun else { return };
        self.course.over = Some(begun.elapsed().as_secs_f64());
        self.draw(Instant::now());
    }

    fn is_due(&self, now: Instant) -> bool {
        self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= EVERY)
    }

    fn draw(&mut self, now: Instant) {
        self.drawn = Some(now);
        let course = &self.course;
        // A terminal that is gone is no reason to stop.
        let _ = self.window.draw(|columns, rows, paint| frame::frame(course, columns, rows, paint));
    }
}
