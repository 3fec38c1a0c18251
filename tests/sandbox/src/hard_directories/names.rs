//! Names of several languages, from lists with their source and licence.

use std::{collections::BTreeMap, sync::LazyLock};

use fastrand::Rng;

/// Given names by sex and family names of one language, the most frequent first.
pub struct Language {
    pub name: &'static str,
    given: [Vec<&'static str>; 2],
    family: Vec<&'static str>,
}

macro_rules! languages {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("names/", $name, ".txt")))),*]
    };
}

static LANGUAGES: LazyLock<BTreeMap<&'static str, Language>> = LazyLock::new(|| {
    languages![
        "arabic",
        "british",
        "chinese",
        "czech",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "hungarian",
        "indian",
        "indonesian",
        "italian",
        "norwegian",
        "polish",
        "portuguese",
        "romanian",
        "russian",
        "spanish",
        "swedish",
        "turkish",
        "vietnamese",
        "yoruba",
    ]
    .into_iter()
    .map(|(name, text)| {
        let list = |key: &str| -> Vec<&'static str> {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .map(|line| line.split(", ").map(str::trim).collect())
                .unwrap_or_default()
        };
        let language = Language {
            name,
            given: [list("female: "), list("male: ")],
            family: list("family: "),
        };
        (name, language)
    })
    .collect()
});

/// Returns a language by name; English if there is none.
pub fn language(name: &str) -> &'static Language {
    LANGUAGES.get(name).unwrap_or(&LANGUAGES["english"])
}

/// Returns the names of all languages.
pub fn all() -> impl Iterator<Item = &'static str> {
    LANGUAGES.keys().copied()
}

/// Draws from a list in which the frequency decreases with the rank.
fn skewed<'a>(rng: &mut Rng, list: &[&'a str], skew: f64) -> &'a str {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let rank = (list.len() as f64 * rng.f64().powf(skew)) as usize;
    list[rank.min(list.len() - 1)]
}

impl Language {
    /// Draws a given name of one sex (0 female, 1 male).
    pub fn given(&self, rng: &mut Rng, sex: usize, skew: f64) -> &'static str {
        skewed(rng, &self.given[sex], skew)
    }

    /// Returns all given names of one sex.
    pub fn givens(&self, sex: usize) -> &[&'static str] {
        &self.given[sex]
    }

    /// Draws a family name: often two in Spanish and Portuguese.
    pub fn family(&self, rng: &mut Rng, skew: f64) -> String {
        let one = skewed(rng, &self.family, skew).to_owned();
        match self.name {
            "spanish" | "portuguese" if rng.f64() < 0.6 => {
                format!("{one} {}", skewed(rng, &self.family, skew))
            }
            "german" | "british" | "french" | "dutch" if rng.f64() < 0.04 => {
                format!("{one}-{}", skewed(rng, &self.family, skew))
            }
            _ => one,
        }
    }
}
