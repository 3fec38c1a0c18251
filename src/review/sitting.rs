//! The decisions that a reviewer makes in one sitting: staged until they are saved, and undone afterwards.

use std::collections::BTreeMap;

use super::{Choice, Decided, PersonView, decided::ChoiceError};
use crate::{api::Decision, model::text::shown};

/// A decision that is not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    pub name: String,
    /// The decision that the reviewer saw.
    pub seen: Decided,
    pub to: Decided,
    /// Why the last attempt to save it failed.
    pub conflict: Option<Conflict>,
}

impl Staged {
    /// The commands that make the decision.
    pub fn commands(&self, okta_user_id: &str, integration: &str, in_namespace: &str) -> Vec<String> {
        let Decided {
            decision,
            employee_ids,
            rejected_employee_ids,
            note,
        } = &self.to;
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let command = |action: &str, employees: &[String]| {
            let employees: String = employees.iter().map(|id| format!(" {}", quoted(id))).collect();
            format!(
                "kubectl insightful decide {} {action}{employees} --integration {integration}{in_namespace}",
                quoted(okta_user_id)
            )
        };
        let rejected = rejected_employee_ids
            .iter()
            .filter(|id| !self.seen.rejected_employee_ids.contains(id))
            .map(|id| command("reject", std::slice::from_ref(id)));
        let mut commands: Vec<String> = rejected.collect();
        let action = match decision {
            Decision::Auto if self.seen.decision == Decision::Auto => None,
            Decision::Auto => Some("reset"),
            Decision::Match => Some("match"),
            Decision::Create => Some("create"),
            Decision::Ignore => Some("ignore"),
            Decision::Deactivate => Some("deactivate"),
        };
        commands.extend(action.map(|action| command(action, employee_ids)));
        if let (Some(note), Some(last)) = (note, commands.last_mut()) {
            *last += &format!(" --note {}", quoted(note));
        }
        commands
    }
}

/// Why a decision was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Somebody decided something else in the meantime.
    Changed { theirs: Decided },
    /// A manifest declares the decision, and its tool would put it back.
    Declared { manager: String },
    /// The API server refused it.
    Refused { message: String },
}

/// A decision that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub okta_user_id: String,
    pub name: String,
    pub before: Decided,
    pub after: Decided,
    /// When, as people read it.
    pub at: String,
}

/// The decisions of one sitting.
#[derive(Clone, Debug, Default)]
pub struct Sitting {
    staged: BTreeMap<String, Staged>,
    saved: Vec<Saved>,
}

impl Sitting {
    pub fn staged(&self) -> &BTreeMap<String, Staged> {
        &self.staged
    }

    pub fn is_staged(&self, okta_user_id: &str) -> bool {
        self.staged.contains_key(okta_user_id)
    }

    /// The saved decisions, the latest last.
    pub fn saved(&self) -> &[Saved] {
        &self.saved
    }

    /// The last saved decision about a person.
    pub fn last_saved(&self, okta_user_id: &str) -> Option<&Saved> {
        self.saved
            .iter()
            .rev()
            .find(|saved| saved.okta_user_id == okta_user_id)
    }

    /// The decision about a person as the reviewer wants it.
    pub fn wanted(&self, person: PersonView<'_>) -> Decided {
        self.staged
            .get(person.id())
            .map_or_else(|| person.decided(), |staged| staged.to.clone())
    }

    /// Stages a choice. One that leads back to the decision that stands unstages the person.
    ///
    /// # Errors
    /// The choice makes no decision.
    pub fn stage(
        &mut self,
        person: PersonView<'_>,
        choice: &Choice,
        note: Option<&str>,
    ) -> Result<(), ChoiceError> {
        let to = self.wanted(person).after(choice, note)?;
        self.stage_decision(person, to);
        Ok(())
    }

    /// Whether a field shows this text for the person's note as it is wanted: a decision that is sent with it changes no
    /// note, although codes stand for its line breaks.
    pub fn shows_note(&self, person: PersonView<'_>, text: &str) -> bool {
        self.wanted(person).note.is_some_and(|note| shown(&note) == text)
    }

    /// Stages another note and nothing else.
    ///
    /// # Errors
    /// The note is too long.
    pub fn stage_note(&mut self, person: PersonView<'_>, note: &str) -> Result<(), ChoiceError> {
        let to = self.wanted(person).with_note(note)?;
        self.stage_decision(person, to);
        Ok(())
    }

    /// Stages a whole decision.
    pub fn stage_decision(&mut self, person: PersonView<'_>, to: Decided) {
        self.staged.remove(person.id());
        self.stage_again(person, person.decided(), to);
    }

    /// Stages a decision over one that was saved in this sitting, which the list of people may not show yet.
    pub fn stage_again(&mut self, person: PersonView<'_>, seen: Decided, to: Decided) {
        if seen != to {
            let staged = Staged {
                name: person.name().to_owned(),
                seen,
                to,
                conflict: None,
            };
            self.staged.insert(person.id().to_owned(), staged);
        }
    }

    pub fn unstage(&mut self, okta_user_id: &str) {
        self.staged.remove(okta_user_id);
    }

    pub fn discard(&mut self) {
        self.staged.clear();
    }

    /// Records that a staged decision was saved.
    pub fn saved_now(&mut self, okta_user_id: &str, at: &str) {
        if let Some(staged) = self.staged.remove(okta_user_id) {
            self.saved.push(Saved {
                okta_user_id: okta_user_id.to_owned(),
                name: staged.name,
                before: staged.seen,
                after: staged.to,
                at: at.to_owned(),
            });
        }
    }

    /// Records why a staged decision was not saved.
    pub fn not_saved(&mut self, okta_user_id: &str, conflict: Conflict) {
        if let Some(staged) = self.staged.get_mut(okta_user_id) {
            staged.conflict = Some(conflict);
        }
    }

    /// Goes on with the reviewer's decision after somebody else decided: theirs has been seen now.
    pub fn overrule(&mut self, okta_user_id: &str) {
        if let Some(staged) = self.staged.get_mut(okta_user_id)
            && let Some(Conflict::Changed { theirs }) = staged.conflict.take()
        {
            staged.seen = theirs;
        }
    }

    /// The staged decisions whose last attempt to be saved failed.
    pub fn conflicts(&self) -> impl Iterator<Item = (&String, &Staged, &Conflict)> {
        self.staged
            .iter()
            .filter_map(|(id, staged)| Some((id, staged, staged.conflict.as_ref()?)))
    }

    /// The other person for whom an employee is staged.
    pub fn staged_for(&self, employee: &str, besides: &str) -> Option<(&str, &Staged)> {
        let others = self.staged.iter().filter(|(id, _)| id.as_str() != besides);
        let mut taking = others.filter(|(_, staged)| staged.to.employee_ids.iter().any(|id| id == employee));
        taking.next().map(|(id, staged)| (id.as_str(), staged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::example::person;

    #[test]
    fn a_decision_is_staged_until_it_is_saved_or_led_back() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let jane = PersonView::new(&object);
        let mut sitting = Sitting::default();
        sitting
            .stage(jane, &Choice::Match(vec!["w1".into()]), Some("sure"))
            .unwrap();
        assert_eq!(sitting.wanted(jane).to_string(), "Match w1");
        assert!(sitting.staged_for("w1", "00u2").is_some() && sitting.staged_for("w1", "00u1").is_none());
        sitting.stage(jane, &Choice::Reset, None).unwrap();
        assert!(!sitting.is_staged("00u1"), "this is how it stands");
        sitting.stage(jane, &Choice::Create, None).unwrap();
        sitting.saved_now("00u1", "09:30");
        assert!(!sitting.is_staged("00u1"));
        let saved = sitting.last_saved("00u1").unwrap();
        assert_eq!(
            (
                saved.before.to_string().as_str(),
                saved.after.to_string().as_str()
            ),
            ("Auto", "Create")
        );
    }

    #[test]
    fn a_decision_made_in_the_meantime_is_overruled_only_when_it_was_seen() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let jane = PersonView::new(&object);
        let mut sitting = Sitting::default();
        sitting.stage(jane, &Choice::Ignore, None).unwrap();
        let theirs = Decided::default().after(&Choice::Create, None).unwrap();
        sitting.not_saved(
            "00u1",
            Conflict::Changed {
                theirs: theirs.clone(),
            },
        );
        assert_eq!(sitting.conflicts().count(), 1);
        assert_eq!(sitting.staged()["00u1"].seen, Decided::default());
        sitting.overrule("00u1");
        assert_eq!(
            (sitting.conflicts().count(), &sitting.staged()["00u1"].seen),
            (0, &theirs)
        );
    }

    #[test]
    fn what_is_not_saved_can_be_made_by_commands() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let jane = PersonView::new(&object);
        let mut sitting = Sitting::default();
        sitting.stage(jane, &Choice::Reject("w1".into()), None).unwrap();
        sitting
            .stage(jane, &Choice::Match(vec!["w2".into()]), Some("Ann's"))
            .unwrap();
        assert_eq!(
            sitting.staged()["00u1"].commands("00u1", "acme", " -n people"),
            [
                "kubectl insightful decide '00u1' reject 'w1' --integration acme -n people",
                r"kubectl insightful decide '00u1' match 'w2' --integration acme -n people --note 'Ann'\''s'",
            ]
        );
    }

    #[test]
    fn a_note_of_several_lines_is_shown_with_codes_and_stays() {
        let mut object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        object.spec.note = Some("ask Ann\nor Bob".to_owned());
        let jane = PersonView::new(&object);
        let mut sitting = Sitting::default();
        assert!(sitting.shows_note(jane, r"ask Ann\u{a}or Bob"));
        assert!(!sitting.shows_note(jane, "ask Ann") && !sitting.shows_note(jane, ""));
        sitting.stage(jane, &Choice::Ignore, None).unwrap();
        assert_eq!(sitting.staged()["00u1"].to.note, object.spec.note);
    }

    #[test]
    fn a_note_alone_is_a_decision_to_save() {
        let object = person("00u1", "Jane Doe", "Review", Some("w1"), 80);
        let jane = PersonView::new(&object);
        let mut sitting = Sitting::default();
        sitting.stage_note(jane, "ask Ann").unwrap();
        assert_eq!(sitting.staged()["00u1"].to.note.as_deref(), Some("ask Ann"));
        sitting.stage_note(jane, " ").unwrap();
        assert!(!sitting.is_staged("00u1"));
    }
}
