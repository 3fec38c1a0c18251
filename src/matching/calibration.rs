//! From odds to the share of such pairs that are true.

use super::Confidence;

/// Bits that speak against any pair: it is one of so many.
pub(super) fn prior(candidates: usize) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of employees are far below 2^52"
    )]
    let candidates = candidates.max(1) as f64;
    candidates.log2()
}

/// The odds of a pair with so many bits, the prior taken off.
pub(super) fn odds(bits: f64, candidates: usize) -> f64 {
    (bits - prior(candidates)).exp2()
}

/// Points of the measured curve: the share that the odds give, and the share
/// that was true among such candidates in review, of 80 directories with even
/// seeds (`evaluate_matching --seed 2 --companies 80 --size 3000 --curve 24`,
/// with this curve put aside). What the weights call sure and yet waits for
/// review has something against it, hence the ceiling.
const CURVE: &[(f64, f64)] = &[
    (0.0, 0.0),
    (0.0003, 0.007),
    (0.042, 0.242),
    (0.225, 0.556),
    (0.439, 0.731),
    (0.638, 0.858),
    (0.793, 0.915),
    (0.930, 0.934),
    (0.974, 0.950),
    (1.0, 0.966),
];

/// The calibrated confidence of a share. What is automatic is shown as 99 at
/// the least: of such pairs hardly one of 100,000 is false.
pub(super) fn confidence(share: f64, automatic: bool) -> Confidence {
    let share = share.clamp(0.0, 1.0);
    let at = CURVE
        .partition_point(|(from, _)| *from <= share)
        .clamp(1, CURVE.len() - 1);
    let ((x0, y0), (x1, y1)) = (CURVE[at - 1], CURVE[at]);
    let measured = y0 + (y1 - y0) * (share - x0) / (x1 - x0);
    Confidence::from_fraction(if automatic {
        measured.max(0.99)
    } else {
        measured.min(0.989)
    })
}
