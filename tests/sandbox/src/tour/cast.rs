//! Who plays which part: Acme's people by name where they are as expected,
//! else whoever is in the right state.

use std::collections::BTreeMap;

use sandbox::company::Company;
use serde_json::Value;

use super::Failure;

/// A person, and the match that the operator made for them.
#[derive(Clone, Debug)]
pub struct Player {
    /// The Okta id.
    pub user: String,
    /// The EmployeeMatch's name.
    pub object: String,
    /// The person's name.
    pub name: String,
    /// The employee that the match proposes.
    pub employee: String,
}

/// Two people, one of whom is taken for the other.
pub struct Confused {
    /// Who is matched wrongly.
    pub mistaken: Player,
    /// With whose employee.
    pub overlooked: Player,
}

/// The parts.
pub struct Cast {
    /// Waits for review, and is somebody whom Insightful has.
    pub matched: Player,
    /// Two more of them, if there are.
    pub confused: Option<Confused>,
    /// Is nobody whom Insightful has, and gets invited.
    pub created: Player,
    /// Is left alone.
    pub ignored: Player,
    /// Matched without doubt; is renamed later.
    pub renamed: Player,
    /// Matched without doubt; leaves later.
    pub leaver: Player,
}

impl Cast {
    /// Casts everybody.
    ///
    /// # Errors
    /// When nobody is in a state that a part needs.
    pub fn of(company: &Company, is_acme: bool, matches: &[Value]) -> Result<Self, Failure> {
        let mut casting = Casting {
            company,
            is_acme,
            matches,
            proposed: proposals(matches),
            taken: Vec::new(),
        };
        Ok(Self {
            matched: casting.choose(
                "somebody to match",
                &["anna.becker", "robert.miller", "tom.hardy", "susan.clark"],
                Casting::is_in_review_alone,
            )?,
            created: casting.choose("somebody to invite", &["nick.newcomer"], |_, object| {
                state(object) == "Unmatched" && object["status"]["person"]["status"] == "ACTIVE"
            })?,
            ignored: casting.choose(
                "somebody to ignore",
                &["sina.shared", "walter.noemail"],
                |_, object| ["Review", "Unmatched"].contains(&state(object)),
            )?,
            renamed: casting.choose("somebody to rename", &["jane.doe"], is_certain)?,
            leaver: casting.choose("somebody to leave", &["frank.nowak"], is_certain)?,
            confused: casting.confused()?,
        })
    }
}

struct Casting<'a> {
    company: &'a Company,
    is_acme: bool,
    matches: &'a [Value],
    /// How many people each employee is proposed to.
    proposed: BTreeMap<String, usize>,
    taken: Vec<String>,
}

impl Casting<'_> {
    fn choose(
        &mut self,
        part: &str,
        handles: &[&str],
        fits: impl Fn(&Self, &Value) -> bool,
    ) -> Result<Player, Failure> {
        let by_name = handles.iter().filter(|_| self.is_acme).filter_map(|handle| {
            let user = self.company.user(handle);
            self.matches
                .iter()
                .find(|object| object["spec"]["oktaUserId"] == user)
        });
        let player = by_name
            .chain(self.matches)
            .filter(|object| fits(self, object))
            .map(player)
            .find(|player| !self.taken.contains(&player.user));
        match player {
            Some(player) => {
                self.taken.push(player.user.clone());
                Ok(player)
            }
            None => Err(Failure::Expectation(format!("the company has nobody for {part}"))),
        }
    }

    /// Acme has such two. In a company of another size there may not be enough
    /// people in review.
    fn confused(&mut self) -> Result<Option<Confused>, Failure> {
        let in_review = Self::is_in_review_alone;
        let mistaken = self.choose("somebody to match wrongly", &["robert.miller"], in_review);
        let overlooked = self.choose("somebody to be taken for", &["tom.hardy"], in_review);
        match (mistaken, overlooked) {
            (Ok(mistaken), Ok(overlooked)) => Ok(Some(Confused { mistaken, overlooked })),
            (Err(failure), _) | (_, Err(failure)) if self.is_acme => Err(failure),
            _ => Ok(None),
        }
    }

    /// Waits for review, and nobody else is proposed the same employee.
    fn is_in_review_alone(&self, object: &Value) -> bool {
        let employee = player(object).employee;
        state(object) == "Review" && self.proposed.get(&employee) == Some(&1)
    }
}

fn is_certain(_: &Casting<'_>, object: &Value) -> bool {
    state(object) == "Proposed"
        && object["status"]["person"]["status"] == "ACTIVE"
        && object["status"]["proposal"]["confidence"].as_u64() >= Some(95)
}

fn player(object: &Value) -> Player {
    let text = |pointer: &str| {
        let value = object.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Player {
        user: text("/spec/oktaUserId"),
        object: text("/metadata/name"),
        name: text("/status/person/name"),
        employee: text("/status/proposal/employeeIds/0"),
    }
}

fn proposals(matches: &[Value]) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for object in matches {
        let candidates = object["status"]["proposal"]["candidates"].as_array();
        for candidate in candidates.into_iter().flatten() {
            let id = candidate["employeeId"].as_str().unwrap_or_default();
            *count.entry(id.to_owned()).or_default() += 1;
        }
    }
    count
}

/// The state of a match.
pub fn state(object: &Value) -> &str {
    object["status"]["state"].as_str().unwrap_or_default()
}
