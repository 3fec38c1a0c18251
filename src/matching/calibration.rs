//! Converts odds to a calibrated confidence.

use super::proposal::Confidence;
use crate::model::EvidenceKind;

/// Returns the prior bits against a pair: it is one of so many candidates.
pub(super) fn prior(candidates: usize) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of employees are far below 2^52"
    )]
    let candidates = candidates.max(1) as f64;
    candidates.log2()
}

/// Returns the odds of a pair, prior included.
pub(super) fn odds(bits: f64, candidates: usize) -> f64 {
    (bits - prior(candidates)).exp2()
}

/// Measured points: the probability by the odds, and the share of true pairs
/// among such candidates in review. From directories with even seeds, by
/// `evaluate_matching --seed 2 --companies 80 --size 3000 --curve 24` without this
/// curve. The ceiling is below 1 because pairs in review have a doubt.
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

/// Calibrates the probability of a pair with a kind of evidence. An account name and a name that agrees in part are
/// right more often than their odds, in all families of companies: what is missing of the name mostly agrees, too.
/// Those that are hardly likely remain so. Automatic matches, which are hardly ever false, get
/// at least 99 %, all others less.
pub(super) fn confidence(probability: f64, automatic: bool, evidence: EvidenceKind) -> Confidence {
    let probability = probability.clamp(0.0, 1.0);
    let at = CURVE
        .partition_point(|(from, _)| *from <= probability)
        .clamp(1, CURVE.len() - 1);
    let ((x0, y0), (x1, y1)) = (CURVE[at - 1], CURVE[at]);
    let measured = y0 + (y1 - y0) * (probability - x0) / (x1 - x0);
    let measured = match evidence {
        EvidenceKind::AccountName | EvidenceKind::PartialName => {
            measured + measured.powi(2) * (1.0 - measured)
        }
        _ => measured,
    };
    Confidence::from_fraction(if automatic {
        measured.max(0.99)
    } else {
        measured.min(0.989)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_partial_names_are_likelier_than_their_odds() {
        let shown = |probability, kind| confidence(probability, false, kind).fraction();
        for kind in [EvidenceKind::AccountName, EvidenceKind::PartialName] {
            let plain = |probability| shown(probability, EvidenceKind::SameNameOnly);
            assert!(shown(0.3, kind) > plain(0.3) + 0.1, "{kind:?}");
            assert!(shown(0.0003, kind) < plain(0.0003) + 0.001, "{kind:?}");
            let mut last = 0.0;
            for step in 0..=100 {
                let next = shown(f64::from(step) / 100.0, kind);
                assert!(next >= last, "{kind:?} {step}");
                last = next;
            }
        }
    }
}
