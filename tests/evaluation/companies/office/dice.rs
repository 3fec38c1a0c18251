//! The one source of chance.

/// Chance, in the forms in which it is needed here.
pub struct Dice(fastrand::Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end.max(1))
    }

    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.i64(least..=most.max(least))
    }

    pub fn share(&mut self, least: f64, most: f64) -> f64 {
        least + self.0.f64() * (most - least)
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of the choices, the first ones far more often, as names are borne.
    pub fn common<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = self.0.f64().powf(1.9) * choices.len() as f64;
        choices[(at as usize).min(choices.len() - 1)]
    }

    pub fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let sum: u32 = choices.iter().map(|choice| choice.0).sum();
        let mut left = self.0.u32(..sum);
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        choices[0].1
    }

    pub fn id(&mut self, start: &str, length: usize, extra: &str) -> String {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let letters: Vec<char> = LETTERS.chars().chain(extra.chars()).collect();
        let rest = (start.len()..length).map(|_| self.pick(&letters));
        start.chars().chain(rest).collect()
    }
}
