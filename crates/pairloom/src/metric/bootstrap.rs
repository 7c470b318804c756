//! How sure figures are: the bootstrap (Efron 1979, "Bootstrap Methods: Another Look at the Jackknife").
//!
//! Rows are drawn again, each as often as a Poisson variable of mean 1 says (Hanley and MacGibbon 2006,
//! "Creating non-parametric bootstrap samples using Poisson frequencies"), which is as good as drawing with
//! replacement and needs one pass: a row's weight times how often it was drawn.
//!
//! The calibration error is a mean of distances, which chance makes greater and never less: that of some rows is
//! greater than that of all there could be (Roelofs, Cain, Shlens and Mozer 2022, "Mitigating Bias in Calibration
//! Error Estimation"), and that of rows drawn from them greater still, often in nearly every sample. What drawing adds
//! is about the same both times in its square, as variances add up: so its ends are those of the reversed interval
//! (Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 5.2) of the squares.

use super::again::Again;
use super::{Measure, Metrics};
use crate::batch::Outcomes;
use crate::parallel::Threads;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::HashSet;

/// Between what the figure of this name is; nothing, if it is defined in no sample.
pub type Interval = (&'static str, Option<[f64; 2]>);

/// A figure by name; nothing, where it is undefined.
type Figure = (&'static str, Option<f64>);

/// Of fewer rows than this, or groups where rows have them, an interval says little: what was not among them
/// cannot be drawn.
pub const LEAST_DRAWN: usize = 30;

/// How many rows of some weight are drawn from, or how many groups of them.
pub fn drawn_from(rows: &Outcomes) -> usize {
    let weighs = |row: &usize| rows.outcome(*row).1 > 0.0;
    let weighing = (0..rows.len()).filter(weighs);
    match rows.groups().is_empty() {
        true => weighing.count(),
        false => weighing.map(|row| rows.group(row)).collect::<HashSet<_>>().len(),
    }
}

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
    /// samples, of those in which a figure is defined; `None` if it is in none. Of the calibration error `c`, with
    /// percentiles `a` and `b`, it is from `sqrt(2 c^2 - b^2)`, or 0, to `sqrt(2 c^2 - a^2)`, and as far as `c`.
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
        self.check()?;
        let again = Again::new(measure, predictions, rows)?;
        let measure = |rows: &Outcomes| Ok(figures(&again.measure(rows)?));
        self.over(rows, threads, measure, |(name, value), found| {
            let ends = self.interval(found)?;
            let is_biased = name == "expected_calibration_error";
            Some(value.filter(|_| is_biased).map_or(ends, |value| reversed(value, ends)))
        })
    }

    /// Intervals of the differences of all figures that two predictions of the same rows have in common, the second
    /// less the first: each sample draws the same rows for both, so that what makes rows hard for both is in neither
    /// (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 8 on paired data).
    ///
    /// # Errors
    /// As for [`Bootstrap::intervals`].
    pub fn differences(
        &self,
        measures: [&Measure; 2],
        predictions: [&[f64]; 2],
        rows: &Outcomes,
        threads: &Threads,
    ) -> Result<Vec<Interval>> {
        self.check()?;
        let again = |at: usize| Again::new(measures[at], predictions[at], rows);
        let (one, other) = (again(0)?, again(1)?);
        let measure = |rows: &Outcomes| Ok(differences(&one.measure(rows)?, &other.measure(rows)?));
        self.over(rows, threads, measure, |_, found| self.interval(found))
    }

    fn check(&self) -> Result<()> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::setting("ci", "between 0 and 1"));
        }
        if self.samples == 0 {
            return Err(Error::usage("an interval needs at least 1 sample"));
        }
        Ok(())
    }

    /// Intervals of what `measure` finds of the rows, by a figure of them and those of the samples.
    fn over(
        &self,
        rows: &Outcomes,
        threads: &Threads,
        measure: impl Fn(&Outcomes) -> Result<Vec<Figure>> + Sync + Send,
        interval: impl Fn(Figure, Vec<f64>) -> Option<[f64; 2]>,
    ) -> Result<Vec<Interval>> {
        let measured = measure(rows)?;
        // A sample may have drawn no row at all.
        let sample = |sample: usize| measure(&self.drawn(rows, sample as u64)).ok();
        let samples = threads.map((0..self.samples).collect(), sample);
        // A sample may lack a figure that the rows have.
        let of = |figure: Figure| {
            let found = |sample: &Vec<Figure>| sample.iter().find(|f| f.0 == figure.0)?.1;
            (figure.0, interval(figure, samples.iter().flatten().filter_map(found).collect()))
        };
        Ok(measured.into_iter().map(of).collect())
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

/// The interval of a figure that drawing makes greater, by its percentiles over the samples.
fn reversed(figure: f64, [from, to]: [f64; 2]) -> [f64; 2] {
    let end = |percentile: f64| (2.0 * figure.powi(2) - percentile.powi(2)).max(0.0).sqrt();
    [end(to).min(figure), end(from).max(figure)]
}

/// All figures but those that say how many rows there are, or where something ends.
fn figures(metrics: &Metrics) -> Vec<Figure> {
    let sizes = ["rows", "weight", "threshold", "at", "groups", "groups_left_out"];
    metrics.iter().filter(|(name, _)| !sizes.contains(name)).collect()
}

/// Those of the second less those of the first, of figures that both have.
pub(crate) fn differences(one: &Metrics, other: &Metrics) -> Vec<Figure> {
    let others = figures(other);
    let difference = |(name, value): Figure| {
        let (_, other) = others.iter().find(|(known, _)| *known == name)?;
        Some((name, value.zip(*other).map(|(one, other)| other - one)))
    };
    figures(one).into_iter().filter_map(difference).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;

    /// The truth is known: labels are drawn by the predictions, or by what these are off by.
    #[test]
    fn the_calibration_error_of_drawn_rows_is_not_that_of_the_rows() {
        let measure = Measure::new(Loss::Logistic, 1.0);
        let (threads, trials) = (Threads::new(2).unwrap(), 40);
        for (off, truth) in [(0.0, 0.0), (0.2, 0.2)] {
            let (mut held, mut plain) = (0, 0);
            for seed in 0..trials {
                let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
                let predictions: Vec<f64> =
                    (0..300).map(|_| 0.8 * random.random::<f64>()).collect();
                let label = |p: &f64| f32::from(u8::from(random.random::<f64>() < p + off));
                let rows: Outcomes = predictions.iter().map(label).map(|y| (y, 1.0)).collect();
                let bootstrap = Bootstrap { samples: 80, ..Bootstrap::default() };
                let found = bootstrap.intervals(&measure, &predictions, &rows, &threads).unwrap();
                let of = |(name, _): &&Interval| *name == "expected_calibration_error";
                let [from, to] = found.iter().find(of).unwrap().1.unwrap();
                let error = |rows: &Outcomes| {
                    let Metrics::Binary(found) = measure.measure(&predictions, rows).unwrap()
                    else {
                        return f64::NAN;
                    };
                    found.expected_calibration_error
                };
                let figure = error(&rows);
                assert!(from <= figure && figure <= to, "{from} {figure} {to}");
                held += usize::from((from..=to).contains(&truth));
                let samples = (0..80).map(|sample| error(&bootstrap.drawn(&rows, sample)));
                let [from, to] = bootstrap.interval(samples.collect()).unwrap();
                plain += usize::from((from..=to).contains(&truth));
            }
            assert!(held >= 34, "{off}: {held} of {trials}");
            assert!(off > 0.0 || plain == 0, "plain percentiles never come to 0: {plain}");
        }
        // Squares by hand: 2 * 25 - 49 = 1 and 2 * 25 - 1 = 49; and no root of less than 0.
        assert_eq!(reversed(5.0, [1.0, 7.0]), [1.0, 7.0]);
        assert_eq!(reversed(5.0, [6.0, 8.0]), [0.0, 5.0]);
    }

    #[test]
    fn differences_are_of_the_same_rows() {
        let measure = Measure::new(Loss::Logistic, 1.0);
        let rows: Outcomes =
            (0..60).map(|i| (f32::from(u8::from(i * 7 % 3 == 0)), 1.0 + (i % 4) as f32)).collect();
        let a: Vec<f64> = (0..60).map(|i| 0.1 + f64::from(i * 11 % 17) / 20.0).collect();
        let b: Vec<f64> = (0..60).map(|i| 0.2 + f64::from(i * 5 % 13) / 20.0).collect();
        let bootstrap = Bootstrap { level: 0.9, samples: 40, seed: 5 };
        let threads = Threads::new(2).unwrap();
        let found = bootstrap.differences([&measure; 2], [&a, &b], &rows, &threads).unwrap();
        // Written out: the loss of each sample for both, their differences in order, and 5% cut off at each end.
        let log_loss = |predictions: &[f64], rows: &Outcomes| {
            let of = |(p, (y, w)): (&f64, (f32, f32))| {
                (-f64::from(w) * (if y == 1.0 { *p } else { 1.0 - p }).ln(), f64::from(w))
            };
            let terms: Vec<(f64, f64)> = predictions.iter().zip(rows.iter()).map(of).collect();
            terms.iter().map(|t| t.0).sum::<f64>() / terms.iter().map(|t| t.1).sum::<f64>()
        };
        let sample = |sample: u64| {
            let drawn = bootstrap.drawn(&rows, sample);
            log_loss(&b, &drawn) - log_loss(&a, &drawn)
        };
        let mut differences: Vec<f64> = (0..40).map(sample).collect();
        differences.sort_by(f64::total_cmp);
        let [from, to] = found[0].1.unwrap();
        assert_eq!(found[0].0, "log_loss");
        assert!((from - differences[2]).abs() < 1e-12 && (to - differences[37]).abs() < 1e-12);
        // The interval of a difference is not that of the figures, whose rows are hard for both.
        let same = bootstrap.differences([&measure; 2], [&a, &a], &rows, &threads).unwrap();
        assert!(same.iter().all(|(_, ends)| *ends == Some([0.0, 0.0])), "{same:?}");
    }
}
