//! How sure figures are: the bootstrap (Efron 1979, "Bootstrap Methods: Another Look at the Jackknife").
//!
//! Rows are drawn again, each as often as a Poisson variable of mean 1 says (Hanley and MacGibbon 2006,
//! "Creating non-parametric bootstrap samples using Poisson frequencies"), which is as good as drawing with
//! replacement and needs one pass: a row's weight times how often it was drawn.

use super::Measure;
use crate::batch::Outcomes;
use crate::parallel::Threads;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Between what the figure of this name is; nothing, if it is defined in no sample.
pub type Interval = (&'static str, Option<[f64; 2]>);

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The share of the samples that an interval holds: 0.95.
    pub level: f64,
    /// How many samples are drawn.
    pub samples: usize,
    /// What they are drawn by.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { level: 0.95, samples: 1000, seed: 0 }
    }
}

impl Bootstrap {
    /// Intervals of all figures of [`Measure::measure`] on these rows, by name: the percentiles over the
    /// samples, of those in which a figure is defined; `None` if it is in none.
    ///
    /// # Errors
    /// [`Error::Usage`] for a level outside (0, 1) or no samples; errors of measuring the rows themselves.
    pub fn intervals(
        &self,
        measure: &Measure,
        predictions: &[f64],
        rows: &Outcomes,
        threads: &Threads,
    ) -> Result<Vec<Interval>> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::setting("ci", "between 0 and 1"));
        }
        if self.samples == 0 {
            return Err(Error::usage("an interval needs at least 1 sample"));
        }
        let measured = measure.measure(predictions, rows)?;
        let sample = |sample: usize| {
            let rows = self.drawn(rows, sample as u64);
            // A sample may have drawn no row at all.
            let found = measure.measure(predictions, &rows).ok()?;
            Some(found.iter().collect::<Vec<_>>())
        };
        let samples = threads.map((0..self.samples).collect(), sample);
        // A sample may lack a figure that the rows have.
        let of = |(name, _): (&'static str, Option<f64>)| {
            let found = |sample: &Vec<(&str, Option<f64>)>| sample.iter().find(|f| f.0 == name)?.1;
            (name, self.interval(samples.iter().flatten().filter_map(found).collect()))
        };
        let sizes = ["rows", "weight", "threshold", "at", "groups", "groups_left_out"];
        let figures = measured.iter().filter(|(name, _)| !sizes.contains(name));
        Ok(figures.map(of).collect())
    }

    /// Rows with weights that say how often each was drawn, or where they belong together each group.
    fn drawn(&self, rows: &Outcomes, sample: u64) -> Outcomes {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed ^ sample.rotate_left(32));
        let groups = rows.groups().iter().max().map_or(0, |&last| last as usize + 1);
        let of_groups: Vec<f32> = (0..groups).map(|_| times(random.random())).collect();
        rows.weighing(|row, weight| {
            let group = rows.groups().get(row).map(|&group| of_groups[group as usize]);
            weight * group.unwrap_or_else(|| times(random.random()))
        })
    }

    fn interval(&self, mut values: Vec<f64>) -> Option<[f64; 2]> {
        values.sort_unstable_by(f64::total_cmp);
        let most = values.len().checked_sub(1)? as f64;
        let outside = (1.0 - self.level) / 2.0;
        Some([outside, 1.0 - outside].map(|share| values[(share * most).round() as usize]))
    }
}

/// A Poisson variable of mean 1 from one between 0 and 1.
fn times(uniform: f64) -> f32 {
    let (mut term, mut below, mut times) = ((-1f64).exp(), 0.0, 0);
    // Less than 1e-17 is beyond.
    while uniform >= below + term && times < 18 {
        below += term;
        times += 1;
        term /= f64::from(times);
    }
    times as f32
}
