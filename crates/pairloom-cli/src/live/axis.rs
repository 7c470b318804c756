//! The numbers along a side of a chart.

/// A range that begins and ends where its numbers do, or at whole epochs.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// Around the values, in about so many steps.
    pub fn around(values: impl Iterator<Item = f64>, steps: usize) -> Self {
        let ends = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
        let (low, high) = match values.fold((f64::INFINITY, f64::NEG_INFINITY), ends) {
            (low, high) if low <= high => (low, high),
            _ => (0.0, 1.0),
        };
        // Differences of less than this would take numbers of too many digits.
        let least = (1e-3 * low.abs().max(high.abs())).max(1e-9);
        let step = rounded((high - low).max(least) / steps.max(1) as f64);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Axis { low, high: high.max(low + step), step }
    }

    /// From one epoch to another, with so many numbers at the most.
    pub fn epochs(low: u32, high: u32, most: usize) -> Self {
        let step = rounded(f64::from(high - low) / most.max(1) as f64).max(1.0);
        Axis { low: low.into(), high: high.into(), step }
    }

    /// Where a value lies, from 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The values that have a number, ends first: where there is room for few, these are kept.
    pub fn ticks(&self) -> Vec<f64> {
        let (first, last) = (self.low / self.step - 1e-9, self.high / self.step + 1e-9);
        let first = first.ceil();
        let count = (last.floor() - first).clamp(0.0, 99.0) as usize;
        let inner = (1..count).map(|i| first + i as f64);
        let all = [first, first + count as f64].into_iter().chain(inner);
        // Adding 0 takes the sign from -0.
        all.map(|at| at * self.step + 0.0).collect()
    }

    /// A value with the digits that tell it from its neighbours.
    pub fn label(&self, value: f64) -> String {
        let decimals = (-self.step.log10() - 1e-9).ceil().max(0.0) as usize;
        match decimals > 6 || value.abs() >= 1e7 {
            true => format!("{value:.3e}"),
            false => format!("{value:.decimals$}"),
        }
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `step`.
fn rounded(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let fits = |times: &f64| times * power >= step * (1.0 - 1e-9);
    [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn numbers_are_round_and_hold_all_values() {
        let cases: [(&[f64], &[&str]); 6] = [
            (&[0.2, 0.431], &["0.20", "0.45", "0.25", "0.30", "0.35", "0.40"]),
            (&[-1.0, 1.0], &["-1.0", "1.0", "-0.5", "0.0", "0.5"]),
            (&[3.0], &["3.000", "3.001"]),
            (&[0.0, 0.0], &["0.000e0", "2.000e-10"]),
            (&[], &["0.0", "1.0", "0.2", "0.4", "0.6", "0.8"]),
            (&[2e8, 1e9], &["2.000e8", "1.000e9", "4.000e8", "6.000e8", "8.000e8"]),
        ];
        for (values, expected) in cases {
            let axis = Axis::around(values.iter().copied(), 5);
            let found = labels(axis);
            assert!(values.iter().all(|v| (0.0..=1.0).contains(&axis.share(*v))), "{values:?}");
            assert_eq!(found, expected, "{values:?}");
        }
    }

    #[test]
    fn epochs_are_whole() {
        assert_eq!(labels(Axis::epochs(1, 4, 9)), ["1", "4", "2", "3"]);
        assert_eq!(labels(Axis::epochs(1, 50, 5)), ["10", "50", "20", "30", "40"]);
        assert_eq!(labels(Axis::epochs(0, 1, 1)), ["0", "1"]);
    }
}
