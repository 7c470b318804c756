//! What the runs of a study say, and how sure it is.
//!
//! Figures of runs on random parts of the same rows are not independent: their training rows overlap. The variance of
//! their mean is taken to be `s^2 (1/n + n_test / n_train)` instead of `s^2 / n` (Nadeau and Bengio 2003, "Inference
//! for the Generalization Error", section 3; for repeated folds Bouckaert and Frank 2004, "Evaluating the Replicability of
//! Significance Tests for Comparing Learning Algorithms"). Where all runs have the same test rows it is `s^2 / n`, and
//! tells of other seeds only.

use super::{Figures, Outcome, Point, Studied, Study, check_level};
use crate::metric::is_loss;
use crate::{Error, Result};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// How far the ends of its interval are from it; nothing of one run.
    pub margin: Option<f64>,
}

/// What a point has more than the baseline, run for run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean and its interval.
    #[serde(flatten)]
    pub of: Estimate,
    /// The chance of a mean as far from 0 if there were no difference (two-sided paired t-test).
    pub p: Option<f64>,
}

/// What a point came to.
#[derive(Debug, Clone, Serialize)]
pub struct OfPoint {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// Length of the factor vectors.
    pub factors: usize,
    /// Runs that were measured.
    pub runs: usize,
    /// The figure that points are compared by.
    pub figure: Option<Estimate>,
    /// The same less that of the baseline, over the runs that both have.
    pub difference: Option<Difference>,
    /// The mean of every figure, by name.
    pub figures: Vec<(&'static str, f64)>,
    /// Mean seconds of training.
    pub seconds: Option<f64>,
    /// Mean epochs.
    pub epochs: Option<f64>,
    /// Mean numbers in the model.
    pub weights: Option<f64>,
    /// Runs that failed.
    pub failed: usize,
    /// Why the first of them did.
    pub failure: Option<String>,
}

/// What a study came to.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The figure that points are compared by.
    pub metric: String,
    /// Whether more of it is better.
    pub is_greater_better: bool,
    /// The share of intervals that hold what they are of.
    pub level: f64,
    /// Which of the points the others are compared with.
    pub baseline: usize,
    /// The points.
    pub points: Vec<OfPoint>,
}

/// What intervals are made of.
#[derive(Clone, Copy)]
struct Interval {
    level: f64,
    /// What is added to `1/n`.
    overlap: f64,
}

impl Study {
    /// Compares the points with one of them, at this level of intervals.
    ///
    /// # Errors
    /// [`Error::Usage`] for a figure that the runs do not have, a level outside (0, 1), and a baseline or outcomes that
    /// are not of this study; [`Error::Data`] with the first reason if all runs have failed.
    pub fn summary(&self, studied: &Studied, baseline: usize, level: f64) -> Result<Summary> {
        check_level(level)?;
        if studied.outcomes.len() != self.points.len() || baseline >= self.points.len() {
            return Err(Error::usage("the baseline or the outcomes are of another study"));
        }
        let Some(first) = studied.outcomes.iter().flatten().find_map(figures) else {
            let why = studied.outcomes.iter().flatten().flatten().find_map(Outcome::failure);
            let why = why.unwrap_or("none was done");
            return Err(Error::data("all runs failed", why));
        };
        // Points of other losses may have other figures.
        let wanted = self.metric.as_deref();
        let mut all = studied.outcomes.iter().flatten().filter_map(figures);
        let metric = match all.find_map(|figures| figures.metrics.chosen(wanted).ok()) {
            Some(metric) => metric.to_string(),
            None => first.metrics.chosen(wanted)?.to_string(),
        };
        let summary = |(at, point): (usize, &Point)| {
            let overlap = self.overlap(&studied.outcomes[at]);
            let interval = Interval { level, overlap };
            let baseline = (at != baseline).then(|| &studied.outcomes[baseline][..]);
            of_point(point, &studied.outcomes[at], baseline, &metric, interval)
        };
        let points = self.points.iter().enumerate().map(summary).collect();
        let is_greater_better = !is_loss(&metric);
        Ok(Summary { is_greater_better, metric, level, baseline, points })
    }

    /// Test rows for each row that was learned from, where they are drawn anew.
    fn overlap(&self, outcomes: &[Option<Outcome>]) -> f64 {
        let ratio = |figures: &Figures| {
            let [train, valid, test] = figures.rows.map(|rows| rows as f64);
            test / (train + valid).max(1.0)
        };
        let ratios: Vec<f64> = outcomes.iter().filter_map(figures).map(ratio).collect();
        if self.draws_rows() { mean(&ratios).unwrap_or(0.0) } else { 0.0 }
    }
}

pub(super) fn figures(outcome: &Option<Outcome>) -> Option<&Figures> {
    match outcome {
        Some(Outcome::Done(figures)) => Some(figures),
        _ => None,
    }
}

impl Outcome {
    /// Why it was not measured, if it was not.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Failed(why) => Some(why),
            Outcome::Done(_) => None,
        }
    }
}

fn of_point(
    point: &Point,
    outcomes: &[Option<Outcome>],
    baseline: Option<&[Option<Outcome>]>,
    metric: &str,
    interval: Interval,
) -> OfPoint {
    let done: Vec<&Figures> = outcomes.iter().filter_map(figures).collect();
    let value = |figures: &Figures| figures.metrics.find(metric);
    let values: Vec<f64> = done.iter().filter_map(|figures| value(figures)).collect();
    let pair = |(mine, other): (&Option<Outcome>, &Option<Outcome>)| {
        Some(value(figures(mine)?)? - value(figures(other)?)?)
    };
    let paired = baseline.map(|baseline| outcomes.iter().zip(baseline).filter_map(pair).collect());
    let mean_of =
        |of: &dyn Fn(&Figures) -> f64| mean(&done.iter().map(|f| of(f)).collect::<Vec<_>>());
    let failures = || outcomes.iter().flatten().filter_map(Outcome::failure);
    OfPoint {
        name: point.name(),
        model: point.config.model.name().into(),
        factors: point.config.resolved_factors(),
        runs: done.len(),
        figure: interval.estimate(&values),
        difference: paired.and_then(|differences: Vec<f64>| interval.difference(&differences)),
        figures: means(&done),
        seconds: mean_of(&|f| f.seconds),
        epochs: mean_of(&|f| f64::from(f.epochs)),
        weights: mean_of(&|f| f.weights as f64),
        failed: failures().count(),
        failure: failures().next().map(String::from),
    }
}

/// The mean of each figure, over the runs that have it.
fn means(done: &[&Figures]) -> Vec<(&'static str, f64)> {
    let names = done.first().map(|first| first.metrics.iter().map(|(name, _)| name));
    let of = |name| {
        let values: Vec<f64> = done.iter().filter_map(|f| f.metrics.find(name)).collect();
        mean(&values).map(|mean| (name, mean))
    };
    names.into_iter().flatten().filter_map(of).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

impl Interval {
    /// The mean of figures of several runs.
    fn estimate(self, values: &[f64]) -> Option<Estimate> {
        let mean = mean(values)?;
        let (error, t) = (self.error(values, mean), students_t(values.len()));
        let margin = error.zip(t).map(|(error, t)| error * t.inverse_cdf(0.5 + self.level / 2.0));
        Some(Estimate { mean, margin })
    }

    fn difference(self, values: &[f64]) -> Option<Difference> {
        let of = self.estimate(values)?;
        let (error, t) = (self.error(values, of.mean), students_t(values.len()));
        let p = error.zip(t).map(|(error, t)| match of.mean == 0.0 {
            true => 1.0,
            false => 2.0 * t.sf((of.mean / error).abs()),
        });
        Some(Difference { of, p })
    }

    /// The standard error of a mean.
    fn error(self, values: &[f64], mean: f64) -> Option<f64> {
        let n = values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (n >= 2.0).then(|| (squares / (n - 1.0) * (1.0 / n + self.overlap)).sqrt())
    }
}

fn students_t(values: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, values.checked_sub(1)? as f64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} {b}");
    }

    /// Figures from R: `t.test(x)` and `t.test(x, y, paired = TRUE)` have, for x and the differences below, these
    /// ends and p; 2.776445 is `qt(.975, 4)`.
    #[test]
    fn without_overlap_it_is_students_test() {
        let values = [0.21, 0.25, 0.22, 0.27, 0.20];
        let plain = Interval { level: 0.95, overlap: 0.0 };
        let Estimate { mean, margin } = plain.estimate(&values).unwrap();
        near(mean, 0.23);
        // The deviation of the values is the root of 0.0034 / 4.
        near(margin.unwrap(), 2.7764451 * (0.0034f64 / 4.0 / 5.0).sqrt());
        let Difference { p, .. } = plain.difference(&[1.0, 2.0, 3.0]).unwrap();
        // Of t = 2 / (1 / sqrt(3)) = 3.464 with two degrees of freedom, whose tail has the closed form
        // (1 - t / sqrt(t^2 + 2)) / 2.
        let t = 12f64.sqrt();
        near(p.unwrap(), 1.0 - t / (t * t + 2.0).sqrt());
    }

    #[test]
    fn rows_that_overlap_make_it_less_sure() {
        let values = [0.21, 0.25, 0.22, 0.27, 0.20];
        let margin = |overlap| Interval { level: 0.9, overlap }.estimate(&values).unwrap().margin;
        // 1/5 + 1/4 beside 1/5.
        near(margin(0.25).unwrap() / margin(0.0).unwrap(), (0.45f64 / 0.2).sqrt());
    }

    #[test]
    fn one_run_has_no_interval_and_none_no_mean() {
        let interval = Interval { level: 0.95, overlap: 0.1 };
        assert_eq!(interval.estimate(&[]), None);
        assert_eq!(interval.estimate(&[2.0]), Some(Estimate { mean: 2.0, margin: None }));
        let equal = interval.difference(&[0.0, 0.0]).unwrap();
        assert_eq!((equal.of.margin, equal.p), (Some(0.0), Some(1.0)));
    }
}
