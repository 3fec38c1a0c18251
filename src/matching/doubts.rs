//! The doubts that keep a pair from being automatic.

use super::{
    comparison::{AddressAgreement, Comparison},
    features::Features,
    learned::Learned,
    name_similarity::{Agreement, NameMatch},
    numbering::Mail,
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};

/// Bits by which the best pair must be ahead of the runner-up of either side.
pub(super) const MIN_MARGIN_BITS: f64 = 8.0;
/// The same where several people or employees share the address.
const MIN_SHARED_MARGIN_BITS: f64 = 16.0;
/// Evidence of teams and dates that supports a partial name beside an equal address.
const MIN_SUPPORT_BITS: f64 = 3.0;
/// The same beside a full name without an equal address.
const MIN_NAME_SUPPORT_BITS: f64 = 4.0;
/// The same beside an account name that is not a full name.
const MIN_ACCOUNT_SUPPORT_BITS: f64 = 7.0;
/// Evidence of the dates alone that supports a pair: a namesake may be in the same team.
const MIN_DATE_SUPPORT_BITS: f64 = 2.0;
/// Evidence of dates above which an address was not reassigned.
const MIN_SAME_HOLDER_BITS: f64 = -1.0;
/// Evidence of teams or dates that contradicts a pair.
const MAX_CONTRADICTION_BITS: f64 = -2.5;
/// Longer family names hardly differ in just one letter, as Chen and Cheng or Xu and Xue do.
const MAX_SHORT_NAME_LEN: usize = 4;

/// A reason to ask an admin, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    GivenNamesDiffer,
    FamilyNamesDiffer,
    GenerationsDiffer,
    GenerationOnOneSide,
    MiddleNamesDiffer,
    AddressNameDiffers,
    AddressOfAnotherPerson,
    AddressOfAnotherEmployee,
    SharedByPeople,
    SharedByEmployees,
    RoleMailbox,
    Deactivated,
    DatesContradict,
    TeamsContradict,
    EmailsDiffer,
    PartialName,
    MissingName,
    SharedFamilyAndInitial,
    Namesakes,
    AccountShared,
    AccountOnly,
    NameOnly,
    RunnerUpEmployee,
    RunnerUpPerson,
    CloserPerson,
    MayBeCurrentPerson,
}

impl Doubt {
    /// Describes the doubt for a people-ops admin.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::GivenNamesDiffer => "different first names",
            Self::FamilyNamesDiffer => "different last names",
            Self::GenerationsDiffer => "different suffixes (Jr., Sr., III)",
            Self::GenerationOnOneSide => {
                "only one side has a suffix (Jr., Sr., III): they may be parent and child"
            }
            Self::MiddleNamesDiffer => "different middle names",
            Self::AddressNameDiffers => "the employee's email contains a different first name",
            Self::AddressOfAnotherPerson => "the employee has an email of another person in Okta",
            Self::AddressOfAnotherEmployee => "the person has an email of another employee in Insightful",
            Self::SharedByPeople => "another person in Okta has the same email",
            Self::SharedByEmployees => "another employee in Insightful has the same email",
            Self::RoleMailbox => "the email is a shared mailbox",
            Self::Deactivated => "the person works here, but the employee is deactivated",
            Self::DatesContradict => "the creation dates of the records do not match",
            Self::TeamsContradict => "the person's team does not match the employee's team",
            Self::EmailsDiffer => "different emails",
            Self::PartialName => "the names match only in part",
            Self::MissingName => "one side has no usable name",
            Self::SharedFamilyAndInitial => "several people have this last name and initial",
            Self::Namesakes => "several people or employees have this name",
            Self::AccountShared => "the account name matches several people",
            Self::AccountOnly => "only the account name matches",
            Self::NameOnly => "only the name matches",
            Self::RunnerUpEmployee => "another employee is almost as likely",
            Self::RunnerUpPerson => "another person is almost as likely",
            Self::CloserPerson => "another person is a better match for this employee",
            Self::MayBeCurrentPerson => {
                "the person departed, and the employee may be someone who works here now"
            }
        }
    }
}

/// A compared pair, and the doubts found so far.
struct Pair<'a> {
    features: &'a Features<'a>,
    person: &'a PersonFeatures<'a>,
    employee: &'a EmployeeFeatures<'a>,
    comparison: &'a Comparison,
    /// Whether the dates show that the employee's address was not reassigned.
    not_reassigned: bool,
    doubts: Vec<Doubt>,
}

/// Returns the doubts about a pair, gravest first, except for those about other pairs.
/// `margin` is the number of bits by which the pair is ahead of every other pair of
/// either side.
pub(super) fn doubts(
    features: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
    margin: f64,
) -> Vec<Doubt> {
    let not_reassigned = learned.dates_reveal_reassignment()
        && comparison.date.is_some_and(|bits| bits >= MIN_SAME_HOLDER_BITS);
    let mut pair = Pair {
        features,
        person,
        employee,
        comparison,
        not_reassigned,
        doubts: Vec::new(),
    };
    pair.check_contradictions();
    if comparison.address <= AddressAgreement::UnusualLocalPart {
        let is_clear = margin >= MIN_SHARED_MARGIN_BITS && pair.has_full_name();
        if !is_clear {
            pair.check_shared_address();
        }
        match comparison.account {
            Some(account) => pair.check_account_at_same_address(account),
            None => {
                pair.check_changed_domain();
                pair.check_reassigned_address();
                pair.check_namesakes_at_same_address();
                pair.check_name_parts();
            }
        }
    } else {
        if matches!(
            comparison.address,
            AddressAgreement::SisterDomain | AddressAgreement::Different
        ) {
            pair.doubts.push(Doubt::EmailsDiffer);
        }
        match comparison.account {
            Some(account) => pair.check_account_only(account),
            None => pair.check_name_only(),
        }
    }
    pair.doubts.sort_unstable();
    pair.doubts.dedup();
    pair.doubts
}

impl Pair<'_> {
    fn doubt_if(&mut self, condition: bool, doubt: Doubt) {
        if condition {
            self.doubts.push(doubt);
        }
    }

    /// Contradictions that no evidence outweighs.
    fn check_contradictions(&mut self) {
        let (comparison, name) = (self.comparison, &self.comparison.name);
        // An account name in one word has no first name that could contradict.
        let account_agrees = comparison.account.is_some_and(|account| {
            account != AccountAgreement::LocalPart || self.employee.name.words.len() < 2
        });
        let contradicts = |bits: Option<f64>| bits.is_some_and(|bits| bits <= MAX_CONTRADICTION_BITS);
        let generation_on_one_side =
            comparison.generation == Some(false) && !comparison.generation_contradicts;
        let deactivated = self.employee.deactivated && !self.person.record.departed;
        // A person with a unique name and address has moved to another team.
        let has_moved = || self.not_reassigned && self.is_unique();
        for (condition, doubt) in [
            (
                name.given == Agreement::Different && !account_agrees,
                Doubt::GivenNamesDiffer,
            ),
            (name.family_contradicts, Doubt::FamilyNamesDiffer),
            (name.middle_contradicts, Doubt::MiddleNamesDiffer),
            (comparison.generation_contradicts, Doubt::GenerationsDiffer),
            (generation_on_one_side, Doubt::GenerationOnOneSide),
            (comparison.address_name_contradicts, Doubt::AddressNameDiffers),
            (
                comparison.has_address_of_another_person,
                Doubt::AddressOfAnotherPerson,
            ),
            (
                comparison.has_address_of_another_employee,
                Doubt::AddressOfAnotherEmployee,
            ),
            (comparison.role, Doubt::RoleMailbox),
            (deactivated, Doubt::Deactivated),
            (contradicts(comparison.date), Doubt::DatesContradict),
            (
                contradicts(comparison.team) && !has_moved(),
                Doubt::TeamsContradict,
            ),
        ] {
            self.doubt_if(condition, doubt);
        }
    }

    /// Whether nobody else has the equal email and the equal name.
    fn is_unique(&self) -> bool {
        self.comparison.address == AddressAgreement::Email
            && self.comparison.shared == 1
            && self.has_equal_name()
            && self.features.people_with_name_of(self.person) == 1
            && self
                .features
                .employees_with_name(&self.person.name.words(), self.employee)
                == 1
            && !self.features.is_name_of_another(self.person, self.employee)
    }

    fn has_equal_name(&self) -> bool {
        let name = &self.comparison.name;
        name.given == Agreement::Equal && name.family == Agreement::Equal
    }

    fn has_full_name(&self) -> bool {
        self.comparison.name.given.is_full() && self.comparison.name.family.is_full()
    }

    /// The employee's address that agrees.
    fn common_address(&self) -> Option<Mail> {
        self.employee
            .mails()
            .find(|mail| self.person.mails().any(|own| own.id == mail.id))
            .or(self.employee.email)
            .or(self.employee.identifier)
    }

    /// The local part of the common address, without punctuation; empty if there is none.
    fn local_part(&self) -> &str {
        self.common_address()
            .map_or("", |mail| self.features.keys.text(mail.squeezed))
    }

    fn has_number_in_local_part(&self) -> bool {
        self.local_part().bytes().any(|b| b.is_ascii_digit())
    }

    /// Whether the common local part contains all words.
    fn local_part_contains(&self, words: &[Option<u32>]) -> bool {
        let local = self.local_part();
        words
            .iter()
            .all(|word| word.is_some_and(|word| self.features.lexicon.is_contained_in(local, word)))
    }

    fn local_part_contains_given_name(&self) -> bool {
        let name = &self.comparison.name;
        self.local_part_contains(&[name.given_word]) || self.local_part_contains(&[name.employee_given_word])
    }

    fn local_part_is_of_person(&self) -> bool {
        let words = self.person.name.words();
        self.features.lexicon.is_composed_of(self.local_part(), &words)
    }

    fn local_part_is_of_employee(&self) -> bool {
        let words = &self.employee.name.words;
        self.features.lexicon.is_composed_of(self.local_part(), words)
    }

    fn is_supported(&self) -> bool {
        self.not_reassigned || self.comparison.circumstances() >= MIN_SUPPORT_BITS
    }

    fn check_shared_address(&mut self) {
        let Some(mail) = self.common_address() else { return };
        let counts = &self.features.address_counts;
        let (people, employees) = (counts.people(mail.id), counts.rivals(mail.id, self.employee));
        self.doubt_if(people > 1, Doubt::SharedByPeople);
        self.doubt_if(employees > 1, Doubt::SharedByEmployees);
    }

    /// The account name repeats the address, so that it is weak evidence of the name.
    fn check_account_at_same_address(&mut self, account: AccountAgreement) {
        let is_enough = match account {
            AccountAgreement::FullName | AccountAgreement::EmployeeNumber => true,
            AccountAgreement::LocalPart => self.not_reassigned,
            AccountAgreement::InitialFamily | AccountAgreement::GivenInitial => self.is_supported(),
            AccountAgreement::Family | AccountAgreement::Given => false,
        };
        self.doubt_if(!is_enough, Doubt::PartialName);
    }

    /// An address in another domain needs a full name.
    fn check_changed_domain(&mut self) {
        let name = &self.comparison.name;
        let former_domain = self.comparison.address == AddressAgreement::FormerDomain;
        let unusual = self.comparison.address == AddressAgreement::UnusualLocalPart;
        let numbered = self.has_number_in_local_part();
        let or_typo = |part: Agreement| part.agrees() || part == Agreement::Typo;
        // Hardly anybody else has the same number in the local part.
        let numbered_with_typo =
            former_domain && numbered && self.not_reassigned && or_typo(name.given) && or_typo(name.family);
        let name_is_enough = self.has_full_name() || numbered_with_typo;
        let min_bits = if numbered { MAX_CONTRADICTION_BITS } else { 0.0 };
        let contradicts = former_domain && self.comparison.circumstances() < min_bits;
        self.doubt_if(
            ((former_domain || unusual) && !name_is_enough) || contradicts,
            Doubt::EmailsDiffer,
        );
    }

    /// If the names are not equal, the address may have been another person's before.
    fn check_reassigned_address(&mut self) {
        if self.not_reassigned {
            return;
        }
        let name = &self.comparison.name;
        // Linda and Lynda may be two people; the romanization of a name is no choice.
        let other_spelling = name.given == Agreement::Spelling && !self.person.other_script;
        // An address derived from the person's name only was never another person's.
        let is_of_person_only = || self.local_part_is_of_person() && !self.local_part_is_of_employee();
        let may_be_another = may_be_another_given_name(self.features, name)
            && !self.local_part_contains_given_name()
            && !is_of_person_only();
        self.doubt_if(other_spelling || may_be_another, Doubt::PartialName);
    }

    fn check_namesakes_at_same_address(&mut self) {
        use Agreement::{Middle, Nickname, Spelling, Typo};
        let name = &self.comparison.name;
        let is_similar = |part| matches!(part, Spelling | Nickname | Typo | Middle);
        // A person with exactly the employee's name may be meant, unless they have
        // another employee and the address was not theirs.
        let may_be_namesake = (is_similar(name.given) || is_similar(name.family))
            && match self.features.has_unidentified_namesake(self.employee) {
                Some(true) => true,
                Some(false) => !(self.not_reassigned || self.local_part_contains_given_name()),
                None => false,
            };
        let may_be_of_namesake = match self.comparison.address {
            // Private addresses consist of the name and are noted down by hand.
            AddressAgreement::SecondaryEmail => true,
            AddressAgreement::FormerDomain => !self.has_number_in_local_part(),
            _ => false,
        };
        let namesakes = may_be_namesake
            || (may_be_of_namesake && self.features.is_name_of_another(self.person, self.employee));
        self.doubt_if(namesakes, Doubt::Namesakes);
    }

    /// Both parts of the name must agree, so that the address was not reassigned. If
    /// they agree only in part, dates or the address must support them.
    fn check_name_parts(&mut self) {
        use Agreement::{Compound, Different, Equal, Initial, Middle, Missing, Nickname, Spelling, Typo};
        let name = &self.comparison.name;
        let (is_enough, doubt) = match (name.given, name.family) {
            // `check_contradictions` decides.
            (Different, _) => (true, Doubt::GivenNamesDiffer),
            (Equal | Spelling | Nickname | Middle | Typo, Equal)
            | (Equal | Spelling | Nickname | Middle, Compound) => (true, Doubt::PartialName),
            (Equal | Spelling, Typo) | (Equal | Spelling | Nickname | Middle | Typo, Spelling) => {
                (self.family_spelling_is_enough(), Doubt::FamilyNamesDiffer)
            }
            (Nickname | Middle | Typo, Typo) => (
                self.not_reassigned && self.comparison.shared == 1,
                Doubt::PartialName,
            ),
            (Initial, Equal | Spelling) => {
                let given = self.person.name.given.first().copied();
                let is_enough = self.not_reassigned || self.local_part_contains(&[given]);
                (is_enough, self.initial_doubt())
            }
            (Equal | Spelling, Initial | Missing) => (self.family_initial_is_enough(), Doubt::PartialName),
            (Equal | Spelling, Different) => (self.is_married_name(), Doubt::FamilyNamesDiffer),
            (_, Different) => (false, Doubt::FamilyNamesDiffer),
            (Missing, Equal | Spelling) => {
                let words = &self.employee.name.words;
                let spelled_out =
                    || self.local_part_contains(&words.iter().copied().map(Some).collect::<Vec<_>>());
                let is_enough = words.len() >= 2 && (self.not_reassigned || spelled_out());
                (is_enough, Doubt::MissingName)
            }
            (Missing, Missing) => {
                let is_enough = self.not_reassigned
                    && self.employee.account.is_none()
                    && (self.local_part_is_of_employee() || self.local_part_is_of_person());
                (is_enough, Doubt::MissingName)
            }
            _ => (false, Doubt::PartialName),
        };
        self.doubt_if(!is_enough, doubt);
    }

    fn family_spelling_is_enough(&self) -> bool {
        let is_long = self
            .comparison
            .name
            .family_word
            .is_some_and(|word| self.features.lexicon.get(word).text.len() > MAX_SHORT_NAME_LEN);
        is_long || self.not_reassigned || self.person.other_script
    }

    fn initial_doubt(&self) -> Doubt {
        if self.features.people_with_family_and_initial(&self.person.name) > 1 {
            Doubt::SharedFamilyAndInitial
        } else {
            Doubt::PartialName
        }
    }

    fn family_initial_is_enough(&self) -> bool {
        let name = &self.person.name;
        let full = [name.given.first().copied(), name.family.last().copied()];
        self.local_part_contains(&full)
            || (self.is_supported() && self.comparison.name.family == Agreement::Initial)
    }

    /// Whether the family name may have changed: the address was not reassigned and is
    /// derived from the former name, or both records were created together.
    fn is_married_name(&self) -> bool {
        let given = self.comparison.name.given_word;
        let mut words = self.employee.name.words.iter().rev().copied();
        let former = words.find(|word| Some(*word) != given);
        let created_together = self.comparison.shared == 1
            && self
                .comparison
                .date
                .is_some_and(|bits| bits >= MIN_DATE_SUPPORT_BITS);
        let is_of_former_name = || !self.local_part_is_of_person() && self.local_part_contains(&[former]);
        self.not_reassigned && (created_together || is_of_former_name())
    }

    fn check_account_only(&mut self, account: AccountAgreement) {
        let support = self.comparison.circumstances();
        let (whole, without_number) = self.employee.account.unwrap_or_default();
        let counts = &self.features.key_counts;
        let is_shared = counts.people(whole).max(counts.people(without_number)) > 1
            || counts.rivals(whole, self.employee) > 1;
        let is_enough = match account {
            AccountAgreement::EmployeeNumber => true,
            AccountAgreement::FullName => self.is_name_supported(),
            AccountAgreement::LocalPart | AccountAgreement::InitialFamily => {
                self.is_name_supported() && support >= MIN_ACCOUNT_SUPPORT_BITS
            }
            AccountAgreement::GivenInitial | AccountAgreement::Family | AccountAgreement::Given => false,
        };
        self.doubt_if(is_shared, Doubt::AccountShared);
        self.doubt_if(!is_enough, Doubt::AccountOnly);
    }

    /// Without a common address, only a unique full name with supporting teams and dates is enough.
    fn check_name_only(&mut self) {
        let (name, address) = (&self.comparison.name, self.comparison.address);
        // In Latin letters another spelling is another name: Gary and Garry.
        let is_full = self.has_equal_name() || (self.person.other_script && self.has_full_name());
        let name_doubt = match (name.given, name.family) {
            (_, Agreement::Different) => Doubt::FamilyNamesDiffer,
            (Agreement::Missing, _) | (_, Agreement::Missing) => Doubt::MissingName,
            _ => Doubt::PartialName,
        };
        let people = self.features.people_with_name_of(self.person);
        let employees = self
            .features
            .employees_with_name(&self.employee.name.words, self.employee);
        let is_typo_in_address = address == AddressAgreement::Typo && self.has_equal_name();
        let is_missing = !is_full && name_doubt == Doubt::MissingName;
        let is_supported = self.is_name_supported() || is_typo_in_address || is_missing;
        let support_doubt = if matches!(address, AddressAgreement::LocalPart | AddressAgreement::Typo) {
            Doubt::EmailsDiffer
        } else {
            Doubt::NameOnly
        };
        self.doubt_if(!is_full, name_doubt);
        self.doubt_if(people > 1 || employees > 1, Doubt::Namesakes);
        self.doubt_if(!is_supported, support_doubt);
    }

    fn is_name_supported(&self) -> bool {
        self.comparison.circumstances() >= MIN_NAME_SUPPORT_BITS
            && self
                .comparison
                .date
                .is_some_and(|bits| bits >= MIN_DATE_SUPPORT_BITS)
    }
}

/// Whether given names that are not equal may be two people's: two names in their
/// own right (Jane and Jean), a middle name, or one letter of an unlisted name
/// (Rajesh and Rakesh). Nicknames from Okta's own fields are not.
fn may_be_another_given_name(features: &Features<'_>, name: &NameMatch) -> bool {
    let (Some(own), Some(theirs)) = (name.given_word, name.employee_given_word) else {
        return matches!(name.given, Agreement::Middle | Agreement::Typo);
    };
    match name.given {
        Agreement::Nickname => features.lexicon.are_distinct_names(own, theirs) && own != theirs,
        Agreement::Typo => !features.lexicon.is_certain_typo(own, theirs),
        Agreement::Middle => true,
        _ => false,
    }
}
