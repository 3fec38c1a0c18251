//! The people who appear in the tour: certain people of Acme, or anybody in the right state.

use std::collections::BTreeMap;

use sandbox::company::Company;
use serde_json::Value;

use super::Failure;

/// A person and their EmployeeMatch.
#[derive(Clone, Debug)]
pub struct Player {
    /// The Okta id.
    pub user: String,
    /// The name of the EmployeeMatch.
    pub object: String,
    pub name: String,
    /// The id of the proposed employee.
    pub employee: String,
}

/// Two people in review. `mistaken` is matched with the employee of `overlooked` by mistake.
pub struct Confused {
    pub mistaken: Player,
    pub overlooked: Player,
}

pub struct Cast {
    /// In review; is matched with the proposed employee.
    pub matched: Player,
    /// None if too few people are in review.
    pub confused: Option<Confused>,
    /// Has no employee; is invited.
    pub created: Player,
    pub ignored: Player,
    /// Matched with certainty; is renamed in Okta.
    pub renamed: Player,
    /// Matched with certainty; departs.
    pub departed: Player,
}

impl Cast {
    /// Fails if nobody is in a required state.
    pub fn of(company: &Company, is_acme: bool, matches: &[Value]) -> Result<Self, Failure> {
        let mut casting = Casting {
            company,
            is_acme,
            matches,
            proposed: proposals(matches),
            used: Vec::new(),
        };
        Ok(Self {
            matched: casting.choose(
                "a person to match",
                &["anna.becker", "robert.miller", "tom.hardy", "susan.clark"],
                Casting::is_in_review_alone,
            )?,
            created: casting.choose("a person to invite", &["nick.newcomer"], |_, object| {
                state(object) == "Unmatched" && object["status"]["person"]["status"] == "ACTIVE"
            })?,
            ignored: casting.choose(
                "a person to ignore",
                &["sina.shared", "walter.noemail"],
                |_, object| ["Review", "Unmatched"].contains(&state(object)),
            )?,
            renamed: casting.choose("a person to rename", &["jane.doe"], is_certain)?,
            departed: casting.choose("a person to depart", &["frank.nowak"], is_certain)?,
            confused: casting.confused()?,
        })
    }
}

struct Casting<'a> {
    company: &'a Company,
    is_acme: bool,
    matches: &'a [Value],
    /// The number of people who have each employee as a candidate.
    proposed: BTreeMap<String, usize>,
    used: Vec<String>,
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
            .find(|player| !self.used.contains(&player.user));
        match player {
            Some(player) => {
                self.used.push(player.user.clone());
                Ok(player)
            }
            None => Err(Failure::Expectation(format!("the company lacks {part}"))),
        }
    }

    /// Acme has two such people. A generated company may have too few people in review.
    fn confused(&mut self) -> Result<Option<Confused>, Failure> {
        let in_review = Self::is_in_review_alone;
        let mistaken = self.choose("a person to match wrongly", &["robert.miller"], in_review);
        let overlooked = self.choose(
            "a person whose employee is matched wrongly",
            &["tom.hardy"],
            in_review,
        );
        match (mistaken, overlooked) {
            (Ok(mistaken), Ok(overlooked)) => Ok(Some(Confused { mistaken, overlooked })),
            (Err(failure), _) | (_, Err(failure)) if self.is_acme => Err(failure),
            _ => Ok(None),
        }
    }

    /// In review, and the employee is nobody else's candidate.
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

pub fn state(object: &Value) -> &str {
    object["status"]["state"].as_str().unwrap_or_default()
}
