//! Why a pair is not automatic. A pair without a doubt is.

use super::{
    accounts::Fit,
    compare::{Comparison, Link},
    features::{EmployeeFeatures, Features, Mail, PersonFeatures},
    learned::Learned,
    name_similarity::{NameMatch, Part},
};

/// Bits by which the best must be ahead of the runner-up, on both sides.
pub(super) const MARGIN: f64 = 8.0;
/// Bits by which it must be ahead where several share the address.
const MARGIN_SHARED: f64 = 16.0;
/// Bits that teams and dates together must say beside a weak name.
const SUPPORT: f64 = 3.0;
/// Bits that they must say where nothing but the name speaks for a pair.
const SUPPORT_OF_NAME: f64 = 4.0;
/// The same beside an account name that is not a whole name.
const SUPPORT_OF_ACCOUNT: f64 = 7.0;
/// Of these, the bits that the dates must say: a namesake may be in the same team.
const DATES_OF_NAME: f64 = 2.0;
/// Dates that say less than this do not rule out a re-used address.
const DATES_FIT: f64 = -1.0;
/// Dates or teams that say this or less contradict.
const CONTRADICTION: f64 = -2.5;

/// A reason to ask a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    GivenNamesDiffer,
    FamilyNamesDiffer,
    GenerationsDiffer,
    GenerationOnOneSide,
    MiddleNamesDiffer,
    AddressSpellsAnother,
    AddressOfAnotherPerson,
    AddressOfAnotherEmployee,
    SharedByPeople,
    SharedByEmployees,
    RoleMailbox,
    SwitchedOff,
    DatesContradict,
    TeamsContradict,
    EmailsDiffer,
    NameNotWhole,
    NameUnknown,
    Relatives,
    Namesakes,
    AccountShared,
    AccountOnly,
    NothingElse,
    RunnerUpEmployee,
    RunnerUpPerson,
    AnotherIsCloser,
    WorksHereNow,
}

impl Doubt {
    /// In plain words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::GivenNamesDiffer => "the names do not agree: the first names are two names",
            Self::FamilyNamesDiffer => "the names do not agree: the last names are two names",
            Self::GenerationsDiffer => "one is Sr. and the other Jr.",
            Self::GenerationOnOneSide => "only one side says Jr. or Sr.: it may be a parent or a child",
            Self::MiddleNamesDiffer => "the middle names differ",
            Self::AddressSpellsAnother => "the employee's email spells another first name",
            Self::AddressOfAnotherPerson => "the employee has an address that is another person's in Okta",
            Self::AddressOfAnotherEmployee => "the person's address is another employee's in Insightful",
            Self::SharedByPeople => "another person in Okta has the same email",
            Self::SharedByEmployees => "another employee in Insightful has the same email",
            Self::RoleMailbox => "the email is a shared mailbox's, not a person's",
            Self::SwitchedOff => "the person works here, the employee is deactivated",
            Self::DatesContradict => "the employee's record is from another time than the person's",
            Self::TeamsContradict => "people of this team are not in the employee's team",
            Self::EmailsDiffer => "the emails differ",
            Self::NameNotWhole => "the names agree only in part",
            Self::NameUnknown => "one side has no name to compare",
            Self::Relatives => "several people here have this last name and initial",
            Self::Namesakes => "several people or employees have this name",
            Self::AccountShared => "the account name would fit several people",
            Self::AccountOnly => "only an account name speaks for it",
            Self::NothingElse => "nothing but the name speaks for it",
            Self::RunnerUpEmployee => "another employee is nearly as likely",
            Self::RunnerUpPerson => "another person is nearly as likely",
            Self::WorksHereNow => "the person left, and somebody who works here now may be this employee",
            Self::AnotherIsCloser => "another person is closer to this employee",
        }
    }
}

/// All doubts about one pair, the gravest first; competitors aside.
/// `ahead` is by how many bits the pair is ahead of every other of either side.
pub(super) fn doubts(
    facts: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
    ahead: f64,
) -> Vec<Doubt> {
    let mut doubts = contradictions(person, employee, found);
    let not_reused = learned.dates_tell() && found.date.is_some_and(|bits| bits >= DATES_FIT);
    if found.team.is_some_and(|bits| bits <= CONTRADICTION)
        && !(not_reused && is_beyond_doubt(facts, person, employee, found))
    {
        doubts.push(Doubt::TeamsContradict);
    }
    match found.link {
        Link::Current | Link::Login | Link::First | Link::Second | Link::Moved | Link::OddLocal => {
            let told_by_name =
                ahead >= MARGIN_SHARED && found.name.given.is_whole() && found.name.family.is_whole();
            if !told_by_name {
                shared_address(facts, person, employee, &mut doubts);
            }
            same_address(facts, person, employee, found, not_reused, &mut doubts);
        }
        Link::Near | Link::Local | Link::Sister | Link::Unknown | Link::Differs => {
            other_address(facts, person, employee, found, &mut doubts);
        }
    }
    doubts.sort_unstable();
    doubts.dedup();
    doubts
}

/// Vetoes: what no weight may outvote.
fn contradictions(
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
) -> Vec<Doubt> {
    // An account name in one word has no first name to contradict with.
    let accounts_fit = found
        .account
        .is_some_and(|fit| fit != Fit::Local || employee.name.words.len() < 2);
    let mut doubts = Vec::new();
    let mut veto = |holds: bool, doubt: Doubt| {
        if holds {
            doubts.push(doubt);
        }
    };
    veto(
        found.name.given == Part::Different && !accounts_fit,
        Doubt::GivenNamesDiffer,
    );
    veto(found.generation_contradicts, Doubt::GenerationsDiffer);
    veto(
        found.generation == Some(false) && !found.generation_contradicts,
        Doubt::GenerationOnOneSide,
    );
    veto(found.name.middle_differs, Doubt::MiddleNamesDiffer);
    veto(found.spelt_contradicts, Doubt::AddressSpellsAnother);
    veto(found.of_another, Doubt::AddressOfAnotherPerson);
    veto(found.has_another, Doubt::AddressOfAnotherEmployee);
    veto(
        employee.object.employee.deactivated && !person.subject.departed,
        Doubt::SwitchedOff,
    );
    veto(found.role, Doubt::RoleMailbox);
    veto(
        found.date.is_some_and(|bits| bits <= CONTRADICTION),
        Doubt::DatesContradict,
    );
    veto(found.name.family_contradicts, Doubt::FamilyNamesDiffer);
    doubts
}

/// One address and one name that are nobody else's on either side: who is in
/// another team in Okta has moved, which is what a sync is there to tell.
fn is_beyond_doubt(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
) -> bool {
    let (people, employees) = facts.bearers(&person.name);
    found.link == Link::Current
        && found.shared == 1
        && found.name.given == Part::Equal
        && found.name.family == Part::Equal
        && people == 1
        && employees == 1
        && !facts.others_named(person, employee)
}

fn support(found: &Comparison) -> f64 {
    found.team.unwrap_or(0.0) + found.date.unwrap_or(0.0)
}

/// The employee's address that links the pair.
fn linking(person: &PersonFeatures<'_>, employee: &EmployeeFeatures<'_>) -> Option<Mail> {
    employee
        .mails()
        .find(|mail| person.mails().any(|own| own.id == mail.id))
        .or(employee.email)
        .or(employee.identifier)
}

/// Others who have the address that links the pair.
fn shared_address(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    doubts: &mut Vec<Doubt>,
) {
    let Some(mail) = linking(person, employee) else {
        return;
    };
    if facts.by_mail.people(mail.id) > 1 {
        doubts.push(Doubt::SharedByPeople);
    }
    if facts.by_mail.employees(mail.id) > 1 {
        doubts.push(Doubt::SharedByEmployees);
    }
}

/// They share an address: the names must agree, so that it is not a re-used
/// one; where they agree in part only, the dates must tell that it is not.
fn same_address(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
    not_reused: bool,
    doubts: &mut Vec<Doubt>,
) {
    let linking = linking(person, employee);
    let name = &found.name;
    let says = |words: &[Option<u32>]| linking.is_some_and(|mail| spells(facts, mail, words));
    let supported = not_reused || support(found) >= SUPPORT;
    if let Some(fit) = found.account {
        // The account's name repeats the address; it is no name of its own.
        match fit {
            Fit::Full | Fit::Number => {}
            Fit::Local if not_reused => {}
            Fit::InitialFamily | Fit::GivenInitial if supported => {}
            _ => doubts.push(Doubt::NameNotWhole),
        }
        return;
    }
    let whole = name.given.is_whole() && name.family.is_whole();
    let numbered =
        linking.is_some_and(|mail| facts.keys.text(mail.local).bytes().any(|b| b.is_ascii_digit()));
    // A number before the @ is one person's, so that a slip in the name is one.
    let slip_of_numbered = found.link == Link::Moved
        && numbered
        && not_reused
        && [name.given, name.family]
            .iter()
            .all(|part| part.agrees() || *part == Part::Slip);
    if matches!(found.link, Link::Moved | Link::OddLocal) && !(whole || slip_of_numbered) {
        doubts.push(Doubt::EmailsDiffer);
    }
    if found.link == Link::Moved && support(found) < if numbered { CONTRADICTION } else { 0.0 } {
        doubts.push(Doubt::EmailsDiffer);
    }
    // Where the names are not equal, letter for letter, somebody else's may be.
    // Linda and Lynda may be two; in another script the spelling is no choice.
    if name.given == Part::Spelling && !not_reused && !person.other_script {
        doubts.push(Doubt::NameNotWhole);
    }
    let spells_given = || says(&[name.given_word]) || says(&[name.given_theirs]);
    // An address that is made of the person's name and not of the employee's was never a leaver's.
    let of_person_alone = || {
        linking.is_some_and(|mail| {
            let local = facts.keys.text(mail.local);
            facts.lexicon.is_made_of(local, &person.name.words())
                && !facts.lexicon.is_made_of(local, &employee.name.words)
        })
    };
    if may_be_another(facts, name) && !not_reused && !spells_given() && !of_person_alone() {
        doubts.push(Doubt::NameNotWhole);
    }
    let unlike = |part: Part| matches!(part, Part::Spelling | Part::Nickname | Part::Slip | Part::Middle);
    // Who has the employee's very name may be meant, unless they have an employee
    // at their own address and this address was not theirs before.
    let named_so = facts.another_written_so(employee);
    let may_be_theirs = named_so == Some(true) || (named_so.is_some() && !(not_reused || spells_given()));
    if (unlike(name.given) || unlike(name.family)) && may_be_theirs {
        doubts.push(Doubt::Namesakes);
    }
    // A private address is made of the name; a namesake's may be noted down.
    if found.link == Link::Second && facts.others_named(person, employee) {
        doubts.push(Doubt::Namesakes);
    }
    if found.link == Link::Moved && !numbered && facts.others_named(person, employee) {
        doubts.push(Doubt::Namesakes);
    }
    match (name.given, name.family) {
        (Part::Equal | Part::Spelling | Part::Nickname | Part::Middle | Part::Slip, Part::Equal)
        | (Part::Equal | Part::Spelling | Part::Nickname | Part::Middle, Part::Compound) => {}
        (Part::Equal | Part::Spelling, Part::Slip)
        | (Part::Equal | Part::Spelling | Part::Nickname | Part::Middle | Part::Slip, Part::Spelling) => {
            // Short family names differ in one letter easily: Chen and Cheng, Xu and Xue.
            let long = name
                .family_word
                .is_some_and(|word| facts.lexicon.get(word).text.len() > 4);
            if !(long || not_reused || person.other_script) {
                doubts.push(Doubt::FamilyNamesDiffer);
            }
        }
        // Two slips, or a slip beside a nickname, where the dates rule out another.
        (Part::Nickname | Part::Middle | Part::Slip, Part::Slip) if not_reused && found.shared == 1 => {}
        (Part::Initial, Part::Equal | Part::Spelling) => {
            if !says(&[person.name.given.first().copied()]) && !not_reused {
                doubts.push(if facts.relatives(&person.name) > 1 {
                    Doubt::Relatives
                } else {
                    Doubt::NameNotWhole
                });
            }
        }
        (Part::Equal | Part::Spelling, Part::Initial | Part::Missing) => {
            let family = person.name.family.last().copied();
            let whole = says(&[person.name.given.first().copied(), family]);
            if !(whole || (supported && name.family == Part::Initial)) {
                doubts.push(Doubt::NameNotWhole);
            }
        }
        // A married name: the address is still made of the old one. That a
        // newcomer of the same first name got it is for the dates to rule out.
        (Part::Equal | Part::Spelling, Part::Different) => {
            let old = employee
                .name
                .words
                .iter()
                .rev()
                .copied()
                .find(|word| Some(*word) != name.given_word);
            // Made when the person's was, as few records are, it is no leaver's.
            let of_one_time = found.shared == 1 && found.date.is_some_and(|bits| bits >= DATES_OF_NAME);
            let of_old_name = || linking.is_some_and(|mail| is_of_old_name(facts, mail, person, old));
            if !(not_reused && (of_one_time || of_old_name())) {
                doubts.push(Doubt::FamilyNamesDiffer);
            }
        }
        (Part::Missing, Part::Equal | Part::Spelling) => {
            let spelt = says(&employee.name.words.iter().copied().map(Some).collect::<Vec<_>>());
            if employee.name.words.len() < 2 || !(spelt || not_reused) {
                doubts.push(Doubt::NameUnknown);
            }
        }
        (Part::Missing, Part::Missing)
            if not_reused
                && employee.account.is_none()
                && linking.is_some_and(|mail| {
                    let local = facts.keys.text(mail.local);
                    facts.lexicon.is_made_of(local, &employee.name.words)
                        || facts.lexicon.is_made_of(local, &person.name.words())
                }) => {}
        (Part::Missing, Part::Missing) => doubts.push(Doubt::NameUnknown),
        (Part::Different, _) => {}
        (_, Part::Different) => doubts.push(Doubt::FamilyNamesDiffer),
        _ => doubts.push(Doubt::NameNotWhole),
    }
}

/// Whether given names that are not equal may well be two people's: two names in
/// their own right of which one may be short for the other (Jane and Jean), a
/// middle name, or one letter of a name that no list tells from another (Rajesh
/// and Rakesh). What Okta says that the person goes by is no such thing.
fn may_be_another(facts: &Features<'_>, name: &NameMatch) -> bool {
    let (Some(own), Some(theirs)) = (name.given_word, name.given_theirs) else {
        return matches!(name.given, Part::Middle | Part::Slip);
    };
    match name.given {
        Part::Nickname => facts.lexicon.are_two_names(own, theirs) && own != theirs,
        Part::Slip => !facts.lexicon.is_sure_slip(own, theirs),
        Part::Middle => true,
        _ => false,
    }
}

/// Whether an address is made of the employee's former family name and not of
/// the person's present one, as it would be for a newcomer.
fn is_of_old_name(facts: &Features<'_>, mail: Mail, person: &PersonFeatures<'_>, old: Option<u32>) -> bool {
    let made_of_present = facts
        .lexicon
        .is_made_of(facts.keys.text(mail.local), &person.name.words());
    !made_of_present && spells(facts, mail, &[old])
}

/// Whether the local part of an address has all these words in it.
fn spells(facts: &Features<'_>, mail: Mail, words: &[Option<u32>]) -> bool {
    let local = facts.keys.text(mail.local);
    words
        .iter()
        .all(|word| word.is_some_and(|word| facts.lexicon.spells(local, word)))
}

/// No address in common: only a whole name that nobody else has, with
/// something that is not the name beside it.
fn other_address(
    facts: &Features<'_>,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    found: &Comparison,
    doubts: &mut Vec<Doubt>,
) {
    let name = &found.name;
    let supported = support(found) >= SUPPORT_OF_NAME && found.date.is_some_and(|bits| bits >= DATES_OF_NAME);
    if matches!(found.link, Link::Sister | Link::Differs) {
        doubts.push(Doubt::EmailsDiffer);
    }
    if let Some(fit) = found.account {
        let (whole_account, bare) = employee.account.unwrap_or_default();
        if facts.by_key.people(whole_account).max(facts.by_key.people(bare)) > 1
            || facts.by_key.employees(whole_account) > 1
        {
            doubts.push(Doubt::AccountShared);
        }
        match fit {
            Fit::Number => {}
            Fit::Full if supported => {}
            // An initial is anybody's: the team, too, must say so clearly.
            Fit::Local | Fit::InitialFamily if supported && support(found) >= SUPPORT_OF_ACCOUNT => {}
            _ => doubts.push(Doubt::AccountOnly),
        }
        return;
    }
    // In Latin letters another spelling is another name: Gary and Garry.
    let equal = name.given == Part::Equal && name.family == Part::Equal;
    let whole = equal || (person.other_script && name.given.is_whole() && name.family.is_whole());
    if !whole {
        doubts.push(match (name.given, name.family) {
            (_, Part::Different) => Doubt::FamilyNamesDiffer,
            (Part::Missing, _) | (_, Part::Missing) => Doubt::NameUnknown,
            _ => Doubt::NameNotWhole,
        });
    }
    let (people, _) = facts.bearers(&person.name);
    let (_, employees) = facts.bearers_of_employee(&employee.name);
    if people > 1 || employees > 1 {
        doubts.push(Doubt::Namesakes);
    }
    // A slip in an address is one only where the employee's name does not have it, too.
    let slip = found.link == Link::Near && equal;
    let unnamed = doubts.contains(&Doubt::NameUnknown);
    if !(supported || slip || unnamed) {
        doubts.push(if matches!(found.link, Link::Local | Link::Near) {
            Doubt::EmailsDiffer
        } else {
            Doubt::NothingElse
        });
    }
}
