//! Companies of several hands: the generators share neither code nor assumptions, so that matching is judged on data
//! that it was not made for.

use okta_insightful_operator::model::{Employee, Person};

pub mod devices;
pub mod grown;
pub mod hard;
pub mod mixed;
pub mod office;
pub mod reported;

/// The directories of one company, with the truth.
pub struct Company {
    /// With their teams.
    pub people: Vec<(Person, Option<String>)>,
    /// With their teams.
    pub employees: Vec<(Employee, String)>,
    /// One for each person.
    pub truths: Vec<Truth>,
}

/// The truth about one person.
pub struct Truth {
    pub person: String,
    /// The person's records in use, the one to propose first.
    pub records: Vec<String>,
    /// Older records of the same human: neither right nor wrong beside one in use, and wrong alone.
    pub old: Vec<String>,
    /// Whether a careful human could decide with the same data.
    pub decidable: bool,
    /// How the records came to be, or which trap they are.
    pub class: &'static str,
}

/// A family of companies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Family {
    /// Hard cases of every kind, made with the engine (tuned on even seeds).
    Hard,
    /// Insightful filled by HR exports, invitations and a directory (tuned on seeds below 100).
    Office,
    /// Insightful filled by the agent on computers (tuned on seeds below 100).
    Devices,
    /// International groups. No threshold was set on them; the false matches of seeds 2001 to 2040 were read.
    Mixed,
    /// Companies simulated over years. Made last, by somebody who had not read the engine; nothing was tuned on it.
    Grown,
    /// One company, always the same: cases of public reports and of recordings.
    Reported,
}

impl Family {
    pub fn generate(self, seed: u64, size: usize) -> Company {
        match self {
            Self::Hard => hard::generate(seed, size),
            Self::Office => office::generate(seed, size),
            Self::Devices => devices::generate(seed, size),
            Self::Mixed => mixed::generate(seed, size),
            Self::Grown => grown::generate(seed, size),
            Self::Reported => reported::generate(),
        }
    }
}
