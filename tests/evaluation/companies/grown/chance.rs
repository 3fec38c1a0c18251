//! Draws from a seeded generator: the only source of chance.

use fastrand::Rng;

pub fn chance(rng: &mut Rng, probability: f64) -> bool {
    rng.f64() < probability
}

/// One of a list that is not empty.
pub fn pick<'a, T>(rng: &mut Rng, list: &'a [T]) -> &'a T {
    &list[rng.usize(..list.len())]
}

/// The index of a weight, as often as the weight is large.
pub fn weighted(rng: &mut Rng, weights: &[f64]) -> usize {
    let total: f64 = weights.iter().sum();
    let mut left = rng.f64() * total;
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len() - 1
}

/// One of a list of values with weights.
pub fn one_of<T: Copy>(rng: &mut Rng, list: &[(T, f64)]) -> T {
    let weights: Vec<f64> = list.iter().map(|&(_, weight)| weight).collect();
    list[weighted(rng, &weights)].0
}

pub fn between(rng: &mut Rng, low: f64, high: f64) -> f64 {
    low + rng.f64() * (high - low)
}

/// Months until something happens that happens in a month with the given probability; at least one.
pub fn months_until(rng: &mut Rng, probability: f64) -> usize {
    if probability <= 0.0 {
        return usize::MAX / 2;
    }
    let months = (1.0 - rng.f64()).ln() / (1.0 - probability.min(0.99)).ln();
    1 + months as usize
}
