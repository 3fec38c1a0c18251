//! The doubts that keep a pair from being automatic.

mod thresholds;

pub(super) use self::thresholds::MIN_MARGIN_BITS;
use self::thresholds::*;
use super::{
    calibration,
    comparison::{AddressAgreement, Comparison, MIN_NAME_SUPPORT_BITS},
    features::Features,
    learned::Learned,
    login::{self, LoginAgreement},
    name_similarity::{Agreement, NameMatch},
    numbering::Mail,
    record_features::{AccountAgreement, EmployeeFeatures, PersonFeatures},
};

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
    MayBeHandedOn,
    DatesContradict,
    TeamsContradict,
    EmailsDiffer,
    PrivateEmail,
    NumbersDiffer,
    PartialName,
    /// Both names agree as far as they go, and one of them is a single name.
    SingleName,
    MissingName,
    OtherScript,
    /// The employee's name is one word, which is taken for an account name.
    AccountName,
    SharedFamilyAndInitial,
    Namesakes,
    NamesakeOfEmployee,
    AccountShared,
    AccountOnly,
    NameOnly,
    /// The person's other account is the one to match.
    AdminAccount,
    /// The person is bound to another employee.
    HasEmployee,
    RunnerUpEmployee,
    /// This person.
    RunnerUpPerson(u32),
    CloserPerson(u32),
    MayBeCurrentPerson(u32),
    /// The first round, which compares what is likely, did not find the pair.
    FoundLate,
}

impl Doubt {
    /// Describes the doubt for a people-ops admin. If it is about another record, that one is named after it.
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
            Self::SharedByPeople => "another person in Okta uses the same mailbox",
            Self::SharedByEmployees => "another employee in Insightful uses the same mailbox",
            Self::RoleMailbox => "the email looks like a shared mailbox",
            Self::Deactivated => "the employee is deactivated, and the person has not departed",
            Self::MayBeHandedOn => {
                "the person departed, and the employee has not their email: it may be somebody else's now"
            }
            Self::DatesContradict => "the creation dates of the records do not match",
            Self::TeamsContradict => "the person's team does not match the employee's team",
            Self::EmailsDiffer => "different emails",
            Self::PrivateEmail => "the person has another private email in Okta",
            Self::NumbersDiffer => "the numbers in the emails or logins differ, as those of namesakes do",
            Self::PartialName => "the names match only in part",
            Self::SingleName => "only one name to compare, which others may have, too",
            Self::MissingName => "one side has no usable name",
            Self::OtherScript => "the names are in different scripts",
            Self::AccountName => "the employee has only an account name or a single name",
            Self::SharedFamilyAndInitial => "several people have this last name and initial",
            Self::Namesakes => "several people or employees have this name",
            Self::NamesakeOfEmployee => "another person in Okta has the employee's name",
            Self::AccountShared => "the account name or single name matches several people or employees",
            Self::AccountOnly => "no equal email confirms the account name or single name",
            Self::NameOnly => "no equal email confirms the name",
            Self::AdminAccount => "the login looks like a second account, for administration",
            Self::HasEmployee => "the person is matched with another employee",
            Self::RunnerUpEmployee => "another employee may be this person, too",
            Self::RunnerUpPerson(_) => "another person may be this employee, too",
            Self::CloserPerson(_) => "another person is a better match for this employee",
            Self::MayBeCurrentPerson(_) => {
                "the person departed, and the employee may be someone who works here now"
            }
            Self::FoundLate => "only the search among the people and employees who are left found this pair",
        }
    }
}

/// A compared pair, and the doubts found so far.
struct Pair<'a> {
    features: &'a Features<'a>,
    learned: &'a Learned,
    person: &'a PersonFeatures<'a>,
    employee: &'a EmployeeFeatures<'a>,
    comparison: &'a Comparison,
    /// Whether the dates show that the employee's address was not reassigned.
    not_reassigned: bool,
    /// Bits by which strength is understated in a small company, where few have a name.
    small_company_bits: f64,
    /// The doubts, each with the strength that outweighs it.
    doubts: Vec<(Doubt, f64)>,
}

/// Returns the doubts about a pair, gravest first, except for those about other pairs.
/// `margin` is the number of bits by which the pair is ahead of every other pair of
/// either side. Unless `strength_counts`, no evidence outweighs a doubt.
pub(super) fn doubts(
    features: &Features<'_>,
    learned: &Learned,
    person: &PersonFeatures<'_>,
    employee: &EmployeeFeatures<'_>,
    comparison: &Comparison,
    margin: f64,
    strength_counts: bool,
) -> Vec<Doubt> {
    let candidates = features.employees.len();
    let prior = calibration::prior(candidates.max(MIN_PRIOR_CANDIDATES));
    let strength = if strength_counts {
        comparison.bits - prior
    } else {
        -NEVER
    };
    let not_reassigned = learned.dates_reveal_reassignment()
        && comparison.date.is_some_and(|bits| bits >= MIN_SAME_HOLDER_BITS);
    let mut pair = Pair {
        features,
        learned,
        person,
        employee,
        comparison,
        not_reassigned,
        small_company_bits: prior - calibration::prior(candidates),
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
        pair.check_different_addresses();
        pair.check_numbers();
        match comparison.account {
            Some(account) => pair.check_account_only(account),
            None => pair.check_name_only(),
        }
    }
    pair.remaining(strength)
}

impl Pair<'_> {
    fn doubt_if(&mut self, condition: bool, doubt: Doubt) {
        self.doubt_below(NEVER, condition, doubt);
    }

    /// Adds a doubt that is outweighed by a pair of that strength, in bits.
    fn doubt_below(&mut self, strength: f64, condition: bool, doubt: Doubt) {
        if condition {
            self.doubts.push((doubt, strength));
        }
    }

    /// Returns the doubts that a pair of that strength does not outweigh, all or none: first the one that takes the
    /// most to be outweighed.
    fn remaining(mut self, strength: f64) -> Vec<Doubt> {
        self.doubts
            .sort_by(|(a, x), (b, y)| a.cmp(b).then(y.total_cmp(x)));
        self.doubts.dedup_by_key(|(doubt, _)| *doubt);
        let is_outweighed = self.doubts.iter().all(|(_, doubt)| strength >= *doubt);
        if is_outweighed {
            return Vec::new();
        }
        self.doubts.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        self.doubts.into_iter().map(|(doubt, _)| doubt).collect()
    }

    /// Different emails at one company, or at another one, need other evidence.
    fn check_different_addresses(&mut self) {
        let Some(theirs) = self.employee.email.filter(|mail| !mail.role) else {
            return;
        };
        if theirs.private {
            let is_of_another = self.person.secondary.is_some_and(|own| own.private);
            self.doubt_if(is_of_another, Doubt::PrivateEmail);
            return;
        }
        let strength = if self.comparison.has_address_of_namesake {
            NEVER
        } else if self.person.mails().any(|own| own.domain == theirs.domain) {
            MIN_NAME_STRENGTH
        } else {
            match self.learned.are_people_of(theirs.domain) {
                Some(true) => MIN_OTHER_DOMAIN_STRENGTH,
                // A sister company has namesakes of its own.
                _ => NEVER,
            }
        };
        let is_typo = self.comparison.address == AddressAgreement::Typo;
        self.doubt_below(strength, !is_typo, Doubt::EmailsDiffer);
    }

    /// A number in an address or account name tells namesakes apart: `jdoe`, `jdoe2` and `u104233`.
    fn check_numbers(&mut self) {
        let keys = &self.features.keys;
        let digits = |key: u32| keys.text(key).bytes().filter(u8::is_ascii_digit).count();
        let differs = |own: &Mail, whole: u32, stem: u32| {
            own.squeezed != whole
                && (own.without_number == stem || (digits(own.squeezed) > 2 && digits(whole) > 2))
        };
        let mails = self
            .employee
            .mails()
            .map(|mail| (mail.squeezed, mail.without_number));
        let accounts = self.employee.account.into_iter().chain(self.employee.login);
        let theirs: Vec<(u32, u32)> = mails.chain(accounts).collect();
        let is_other = theirs.iter().any(|(whole, stem)| {
            self.person
                .mails()
                .any(|own| !own.private && differs(&own, *whole, *stem))
        });
        // `jane.doe2`: somebody else had the address without the number, and perhaps the name.
        let numbered = self
            .person
            .email
            .or(self.person.login)
            .filter(|own| own.squeezed != own.without_number);
        let strength = numbered.map(|own| match self.person.account_agreement(own.without_number) {
            Some(AccountAgreement::FullName | AccountAgreement::InitialFamily) => NEVER,
            Some(AccountAgreement::Given) => MIN_NAMESAKE_STRENGTH,
            _ => 0.0,
        });
        let has_number = || {
            theirs
                .iter()
                .any(|(whole, _)| self.person.mails().any(|own| own.squeezed == *whole))
        };
        // `blucas2` of somebody whose login has no number.
        let is_numbered_login =
            login::has_number_of_another(self.person, self.employee, self.comparison.login);
        self.doubt_if(is_other || is_numbered_login, Doubt::NumbersDiffer);
        if let Some(strength) = strength.filter(|strength| *strength > 0.0) {
            self.doubt_below(strength, !has_number(), Doubt::Namesakes);
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
        let has_moved = self.not_reassigned && self.is_unique();
        let is_own_now = comparison.address == AddressAgreement::Email && self.has_equal_name();
        let same_team = comparison.team.is_some_and(|bits| bits >= MIN_NAME_SUPPORT_BITS);
        // Their employee would be deactivated.
        let leaves = self.person.record.departed && !self.employee.deactivated;
        let has_namesake = self.features.people_with_name_of(self.person) > 1;
        let if_moved = if leaves || has_namesake {
            NEVER
        } else if comparison.address <= AddressAgreement::UnusualLocalPart {
            MIN_MOVED_STRENGTH
        } else {
            MIN_MOVED_NAME_STRENGTH
        };
        self.doubt_below(
            if is_own_now { MIN_ADDRESS_STRENGTH } else { NEVER },
            comparison.has_address_of_another_person,
            Doubt::AddressOfAnotherPerson,
        );
        self.doubt_below(
            if !leaves && same_team && self.is_unique() {
                MIN_ADDRESS_STRENGTH
            } else {
                NEVER
            },
            contradicts(comparison.date),
            Doubt::DatesContradict,
        );
        self.doubt_below(
            if_moved,
            contradicts(comparison.team) && !has_moved,
            Doubt::TeamsContradict,
        );
        let is_own_nickname = self.is_spelled_in_address();
        self.doubt_below(
            if is_own_nickname {
                MIN_NICKNAME_STRENGTH
            } else {
                NEVER
            },
            name.given == Agreement::Different && !account_agrees,
            Doubt::GivenNamesDiffer,
        );
        if leaves && let Some(doubt) = self.doubt_about_leaver(same_team) {
            self.doubt_if(true, doubt);
        }
        for (condition, doubt) in [
            (name.family_contradicts, Doubt::FamilyNamesDiffer),
            (name.middle_contradicts, Doubt::MiddleNamesDiffer),
            (comparison.generation_contradicts, Doubt::GenerationsDiffer),
            (generation_on_one_side, Doubt::GenerationOnOneSide),
            (comparison.address_name_contradicts, Doubt::AddressNameDiffers),
            (
                comparison.has_address_of_another_employee,
                Doubt::AddressOfAnotherEmployee,
            ),
            (comparison.role, Doubt::RoleMailbox),
            (self.person.is_second_account, Doubt::AdminAccount),
            (deactivated, Doubt::Deactivated),
        ] {
            self.doubt_if(condition, doubt);
        }
    }

    /// The doubt whether the active employee of a leaver is somebody else's: the record or the computer may have
    /// been handed on, and the deactivation would be theirs.
    fn doubt_about_leaver(&self, same_team: bool) -> Option<Doubt> {
        let (comparison, name) = (self.comparison, &self.comparison.name);
        let has_name = comparison.account.is_none();
        let has_current_email =
            self.employee.email.is_some() && comparison.address <= AddressAgreement::FormerDomain;
        // No address and no computer shows in whose hands the record was.
        let is_unmarked = self.employee.mails().next().is_none() && self.employee.login.is_none();
        match (name.given, name.family) {
            (_, Agreement::Different) if has_name => Some(Doubt::FamilyNamesDiffer),
            (Agreement::Missing, Agreement::Missing) if has_name => Some(self.missing_name()),
            _ if has_current_email || (same_team && is_unmarked) => None,
            _ => Some(Doubt::MayBeHandedOn),
        }
    }

    /// Whether an equal email is the person's full name, and the employee has the last name and another form of the
    /// first name, which nobody in Okta has: Zbyszek for Zbigniew, but not a sibling's.
    fn is_spelled_in_address(&self) -> bool {
        self.comparison.address == AddressAgreement::Email
            && self.comparison.shared == 1
            && self.comparison.support() >= MIN_NAME_SUPPORT_BITS
            && self.comparison.name.family.agrees()
            && self.local_part_is_full_name()
            && self.is_form_of_given_name()
            && self.features.has_unidentified_namesake(self.employee).is_none()
    }

    /// Whether a word of the employee's name starts as the person's first name does.
    fn is_form_of_given_name(&self) -> bool {
        let start = |word: u32| self.features.lexicon.get(word).text.as_bytes().first_chunk::<2>();
        let given = self.person.name.given.first().copied().and_then(start);
        let mut words = self.employee.name.words.iter().copied();
        given.is_some() && words.any(|word| start(word) == given)
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

    /// Whether the employee's login is this person's and nobody else's.
    fn has_login_of_one_human(&self) -> bool {
        self.comparison.account.is_none() && self.comparison.login <= LoginAgreement::OwnInDomain
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

    /// Whether the common local part contains the person's first and last name.
    fn local_part_is_full_name(&self) -> bool {
        let name = &self.person.name;
        self.local_part_contains(&[name.given.first().copied(), name.family.last().copied()])
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
            AccountAgreement::Family | AccountAgreement::Given => self.local_part_is_full_name(),
        };
        let strength = if account == AccountAgreement::LocalPart {
            NEVER
        } else {
            MIN_REASSIGNED_STRENGTH
        };
        let is_enough = is_enough || self.person.has_same_single_name(self.employee);
        self.doubt_below(strength, !is_enough, Doubt::AccountName);
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
        self.doubt_below(
            MIN_UNSUPPORTED_FORMER_DOMAIN_STRENGTH - self.small_company_bits,
            former_domain && !numbered && self.comparison.support() < MIN_FORMER_DOMAIN_SUPPORT_BITS,
            Doubt::EmailsDiffer,
        );
        let strength = if self.has_equal_name() {
            MIN_FORMER_DOMAIN_STRENGTH
        } else {
            MIN_REASSIGNED_STRENGTH
        };
        self.doubt_below(
            strength,
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
        self.doubt_below(
            self.strength_of_partial_name(),
            other_spelling || may_be_another,
            Doubt::PartialName,
        );
    }

    /// The strength that a name which agrees in part takes beside an equal address: the team has to agree, too.
    fn strength_of_partial_name(&self) -> f64 {
        if self.is_supported() {
            MIN_ADDRESS_STRENGTH
        } else {
            NEVER
        }
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
        // The addresses of the two may have been exchanged.
        let may_be_namesake = may_be_namesake
            || (name.family == Agreement::Different
                && self.features.has_unidentified_namesake(self.employee) == Some(true));
        let may_be_of_namesake = match self.comparison.address {
            // Private addresses consist of the name and are noted down by hand.
            AddressAgreement::SecondaryEmail => true,
            AddressAgreement::FormerDomain => !self.has_number_in_local_part(),
            _ => false,
        };
        self.doubt_if(may_be_namesake, Doubt::NamesakeOfEmployee);
        let strength = if self.comparison.address == AddressAgreement::FormerDomain {
            MIN_UNSUPPORTED_FORMER_DOMAIN_STRENGTH
        } else {
            NEVER
        };
        self.doubt_below(
            strength,
            may_be_of_namesake && self.features.is_name_of_another(self.person, self.employee),
            Doubt::Namesakes,
        );
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
            (Equal | Spelling, Initial) => (self.family_initial_is_enough(), Doubt::PartialName),
            (Equal | Spelling, Missing) => (self.family_initial_is_enough(), Doubt::SingleName),
            (Equal | Spelling, Different) => (self.is_married_name(), Doubt::FamilyNamesDiffer),
            (_, Different) => (false, Doubt::FamilyNamesDiffer),
            (Missing, Equal | Spelling) => {
                let words = &self.employee.name.words;
                let spelled_out =
                    || self.local_part_contains(&words.iter().copied().map(Some).collect::<Vec<_>>());
                let is_enough = words.len() >= 2 && (self.not_reassigned || spelled_out());
                (is_enough, Doubt::SingleName)
            }
            (Missing, Missing) => {
                let is_enough = self.not_reassigned
                    && self.employee.account.is_none()
                    && (self.local_part_is_of_employee() || self.local_part_is_of_person());
                (is_enough, self.missing_name())
            }
            (given, family)
                if (given == Missing || family == Missing) && (given.agrees() || family.agrees()) =>
            {
                (false, Doubt::SingleName)
            }
            _ => (false, Doubt::PartialName),
        };
        let strength = match doubt {
            Doubt::PartialName if !matches!(name.given, Initial | Missing) => self.strength_of_partial_name(),
            Doubt::FamilyNamesDiffer | Doubt::SingleName if name.given.agrees() => MIN_REASSIGNED_STRENGTH,
            _ => NEVER,
        };
        self.doubt_below(strength, !is_enough, doubt);
    }

    /// The doubt about names of which neither part can be compared.
    fn missing_name(&self) -> Doubt {
        let has_name = !self.person.name.words().is_empty() && !self.employee.name.words.is_empty();
        if has_name {
            Doubt::OtherScript
        } else {
            Doubt::MissingName
        }
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
        let is_of_person = self.local_part_is_of_person();
        let is_of_former_name = || !is_of_person && self.local_part_contains(&[former]);
        // Nobody with the former name was given an address of the present one.
        let is_of_present_name = || is_of_person && !self.local_part_is_of_employee();
        is_of_present_name() || (self.not_reassigned && (created_together || is_of_former_name()))
    }

    fn check_account_only(&mut self, account: AccountAgreement) {
        let accounts = self.employee.account.into_iter().chain(self.employee.login);
        let counts = &self.features.key_counts;
        let is_shared = accounts.into_iter().any(|(whole, without_number)| {
            counts.people(whole).max(counts.people(without_number)) > 1
                || counts.rivals(whole, self.employee) > 1
        });
        let is_one_name = matches!(account, AccountAgreement::Family | AccountAgreement::Given);
        self.doubt_if(is_shared, Doubt::AccountShared);
        if account != AccountAgreement::EmployeeNumber {
            let accounts = self.employee.account.into_iter().chain(self.employee.login);
            let is_login = |(whole, _): (u32, u32)| self.person.has_login(whole);
            let strength = if is_one_name {
                NEVER
            } else if accounts.into_iter().any(is_login) {
                self.strength_of_name(MIN_NAME_STRENGTH)
            } else {
                self.strength_of_name(MIN_ACCOUNT_STRENGTH)
            };
            self.doubt_below(strength, true, Doubt::AccountOnly);
        }
    }

    /// Without a common address, a full name needs support by the team, the dates or a login.
    fn check_name_only(&mut self) {
        let (name, address) = (&self.comparison.name, self.comparison.address);
        // In Latin letters another spelling is another name: Gary and Garry.
        let is_full = self.has_equal_name() || (self.person.other_script && self.has_full_name());
        let is_missing = name.given == Agreement::Missing || name.family == Agreement::Missing;
        let (name_doubt, name_strength) = match (name.given, name.family) {
            (_, Agreement::Different) => (Doubt::FamilyNamesDiffer, NEVER),
            (given, family) if is_missing && (given.agrees() || family.agrees()) => {
                (Doubt::SingleName, NEVER)
            }
            _ if is_missing => (self.missing_name(), NEVER),
            (Agreement::Initial, _) | (_, Agreement::Initial) => (Doubt::PartialName, NEVER),
            _ => (Doubt::PartialName, MIN_PARTIAL_NAME_STRENGTH),
        };
        let people = self.features.people_with_name_of(self.person);
        let employees = self
            .features
            .employees_with_name(&self.employee.name.words, self.employee);
        let is_typo_in_address = address == AddressAgreement::Typo && self.has_equal_name();
        let is_missing = is_missing && !is_full && name_doubt != Doubt::FamilyNamesDiffer;
        let support_doubt = if matches!(address, AddressAgreement::LocalPart | AddressAgreement::Typo) {
            Doubt::EmailsDiffer
        } else {
            Doubt::NameOnly
        };
        let strength = self.strength_of_name(MIN_NAME_STRENGTH);
        self.doubt_below(self.strength_of_name(name_strength), !is_full, name_doubt);
        self.doubt_below(
            if self.has_login_of_one_human() {
                MIN_NAME_STRENGTH
            } else {
                self.strength_of_name(MIN_NAMESAKE_STRENGTH)
            },
            people > 1 || employees > 1,
            Doubt::Namesakes,
        );
        self.doubt_below(strength, !is_typo_in_address && !is_missing, support_doubt);
    }

    /// The strength that a name without a common address takes: more if only a login of the company's domain supports
    /// it. Nothing outweighs the doubt about a name that nothing supports, which a stranger may have: 2 of 1,000 such
    /// pairs are two humans'.
    fn strength_of_name(&self, supported: f64) -> f64 {
        let comparison = self.comparison;
        if comparison.login == LoginAgreement::OfAnother {
            NEVER
        } else if comparison.supports_without_login() {
            supported
        } else if comparison.account.is_none() && comparison.login.supports_name() {
            supported.max(MIN_LOGIN_STRENGTH)
        } else {
            NEVER
        }
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

#[cfg(test)]
mod tests;
