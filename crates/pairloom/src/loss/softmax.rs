//! Softmax over the scores of several classes, `p_c = e^(s_c) / sum_d e^(s_d)`, and its loss, `-ln p_y` of the
//! class `y` of a row: multinomial logistic regression (Bishop 2006, "Pattern Recognition and Machine
//! Learning", equations 4.104 and 4.108). The derivative by `s_c` is `p_c`, less 1 for the class of the row.

/// The probabilities of classes with these scores.
pub fn probabilities(scores: &[f32]) -> impl Iterator<Item = f64> {
    let (greatest, sum) = sum(scores);
    scores.iter().map(move |&score| (f64::from(score) - greatest).exp() / sum)
}

/// The loss of a row with these scores, whose class is number `label`; NaN if there is no such class. The
/// scores become its derivatives, times a weight.
#[inline(always)]
pub(crate) fn to_slopes(scores: &mut [f32], label: f64, weight: f64) -> f64 {
    let class = label as usize;
    let (greatest, sum) = sum(scores);
    let value = match scores.get(class) {
        Some(&score) if class as f64 == label => sum.ln() + (greatest - f64::from(score)),
        _ => f64::NAN,
    };
    for (at, slope) in scores.iter_mut().enumerate() {
        let probability = (f64::from(*slope) - greatest).exp() / sum;
        *slope = (weight * (probability - f64::from(u8::from(at == class)))) as f32;
    }
    value
}

/// The greatest of the scores, and the sum of `e^s` over all, where it is taken from each: nothing overflows
/// then.
#[inline(always)]
fn sum(scores: &[f32]) -> (f64, f64) {
    let greatest = scores.iter().fold(f32::NEG_INFINITY, |most, &score| most.max(score));
    let greatest = f64::from(greatest);
    (greatest, scores.iter().map(|&score| (f64::from(score) - greatest).exp()).sum())
}
