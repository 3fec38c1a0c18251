//! Compares a person's name with an employee's, part by part.

use super::{
    lexicon::{Closeness, Lexicon},
    names::{EmployeeName, PersonName},
};

/// How a part of two names agrees, closest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Agreement {
    /// Equal except for marks, spaces and case.
    Equal,
    /// Another spelling of the same name.
    Spelling,
    Nickname,
    /// One side's middle name is the other's given name.
    Middle,
    /// Some words of a compound family name agree.
    Compound,
    Typo,
    Initial,
    /// One side has no such part.
    #[default]
    Missing,
    Different,
}

impl Agreement {
    /// Whether the full names are equal.
    pub(super) fn is_full(self) -> bool {
        matches!(self, Self::Equal | Self::Spelling)
    }

    /// Whether full names agree without a typo.
    pub(super) fn agrees(self) -> bool {
        self <= Self::Compound
    }
}

/// The result of comparing two names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct NameMatch {
    pub(super) given: Agreement,
    pub(super) family: Agreement,
    /// The rarest word of the person's family name that agrees.
    pub(super) family_word: Option<u32>,
    /// The person's given name that agrees.
    pub(super) given_word: Option<u32>,
    pub(super) middle_contradicts: bool,
    pub(super) middle_agrees: bool,
    /// Whether words of two compound family names agree and others contradict.
    pub(super) family_contradicts: bool,
    /// The employee's given name that agrees.
    pub(super) employee_given_word: Option<u32>,
    /// Whether the family name comes first without a comma.
    pub(super) swapped: bool,
}

/// A part of the person's name, found in the employee's name.
struct Found {
    part: Agreement,
    word: Option<u32>,
    at: Option<usize>,
}

impl Found {
    fn new(part: Agreement, word: Option<u32>, at: Option<usize>) -> Self {
        Self { part, word, at }
    }

    fn nothing(part: Agreement) -> Self {
        Self::new(part, None, None)
    }
}

/// Compares a person's name with an employee's.
pub(super) fn compare(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName) -> NameMatch {
    if let Some(found) = compare_unromanized(lexicon, person, employee) {
        return found;
    }
    let family_first = compare_in_order(lexicon, person, employee, true);
    if family_first.given == Agreement::Equal && family_first.family == Agreement::Equal {
        return family_first;
    }
    let given_first = compare_in_order(lexicon, person, employee, false);
    if rank(&given_first) < rank(&family_first) {
        given_first
    } else {
        family_first
    }
}

/// Compares names of which at least one is not romanized. Two scripts cannot be
/// compared; in one script, family and given name may be one word.
fn compare_unromanized(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName) -> Option<NameMatch> {
    let unromanized = |word: &u32| lexicon.get(*word).unromanized;
    let own = || person.given.iter().chain(&person.family);
    if !own().any(unromanized) && !employee.words.iter().any(unromanized) {
        return None;
    }
    let part = if own().all(unromanized) != employee.words.iter().all(unromanized) {
        Agreement::Missing
    } else if let [whole] = employee.words[..]
        && let [given, family] = &person.joined
        && let text = &lexicon.get(whole).text
        && (text.strip_prefix(family.as_str()) == Some(given)
            || text.strip_prefix(given.as_str()) == Some(family))
    {
        Agreement::Equal
    } else {
        return None;
    };
    let word = |words: &[u32]| words.first().copied().filter(|_| part == Agreement::Equal);
    Some(NameMatch {
        given: part,
        family: part,
        family_word: word(&person.family),
        given_word: word(&person.given),
        ..NameMatch::default()
    })
}

/// Whether words of two compound family names contradict: `García López` and
/// `García Fernández`. Other words of the employee's name may be middle names,
/// unless they are in the place of family names or not listed as given names.
fn family_contradicts(
    lexicon: &Lexicon,
    person: &PersonName,
    employee: &EmployeeName,
    used: Used,
    given: &Found,
    family: &Found,
) -> bool {
    if family.part != Agreement::Compound {
        return false;
    }
    let is_word = |word: u32| {
        let word = lexicon.get(word);
        word.text.len() > 1 && !word.particle
    };
    let words = &employee.words;
    let missed = person.family.iter().any(|word| {
        is_word(*word)
            && words
                .iter()
                .all(|other| lexicon.compare_family(*word, *other) == Closeness::Different)
    });
    let first = family.at.unwrap_or(0);
    let among_family = |at: usize| match (employee.before_comma(), given.at) {
        (Some(comma), _) => at < comma,
        (None, Some(given)) if given > first => at < given,
        _ => at > first,
    };
    missed
        && (0..words.len()).any(|at| {
            let word = words[at];
            let of_person = person
                .given_and_middle()
                .chain(person.preferred.iter().copied())
                .any(|own| lexicon.compare_given(own, word) != Closeness::Different);
            !used.has(at) && is_word(word) && !of_person && (among_family(at) || !lexicon.get(word).listed)
        })
}

/// Orders matches, closest first.
fn rank(found: &NameMatch) -> (u8, Agreement, Agreement) {
    let conflicts =
        u8::from(found.given == Agreement::Different) + u8::from(found.family == Agreement::Different);
    (
        conflicts,
        found.given.max(found.family),
        found.given.min(found.family),
    )
}

/// The used words of the employee's name, one bit each. Words after the 64th are ignored.
#[derive(Clone, Copy, Default)]
struct Used(u64);

impl Used {
    fn has(self, at: usize) -> bool {
        at >= 64 || self.0 & (1 << at) != 0
    }

    fn take(&mut self, at: usize) {
        self.0 |= 1 << at.min(63);
    }
}

/// Finds one part first, so that the other part cannot use its words.
fn compare_in_order(
    lexicon: &Lexicon,
    person: &PersonName,
    employee: &EmployeeName,
    family_first: bool,
) -> NameMatch {
    let words = &employee.words;
    let mut used = Used::default();
    let (given, family);
    if family_first {
        family = find_family(lexicon, person, employee, &mut used);
        given = find_given(lexicon, person, employee, &mut used);
    } else {
        given = find_given(lexicon, person, employee, &mut used);
        family = find_family(lexicon, person, employee, &mut used);
    }
    let agree = given.part.agrees() && family.part.agrees();
    let unused = || {
        (0..words.len())
            .filter(|at| agree && !used.has(*at) && !lexicon.get(words[*at]).particle)
            .map(|at| words[at])
    };
    let middles = || person.given_and_middle().filter(|word| Some(*word) != given.word);
    let both = unused().next().is_some() && middles().next().is_some();
    let middle_agrees =
        both && unused().any(|a| middles().any(|b| lexicon.compare_given(a, b) != Closeness::Different));
    NameMatch {
        given: given.part,
        family: family.part,
        family_word: family.word,
        given_word: given.word,
        employee_given_word: given.at.map(|at| words[at]),
        family_contradicts: family_contradicts(lexicon, person, employee, used, &given, &family),
        middle_agrees,
        middle_contradicts: both && !middle_agrees,
        swapped: employee.before_comma().is_none()
            && matches!((given.at, family.at), (Some(g), Some(f)) if f < g),
    }
}

/// Finds joined words in consecutive words of the employee's name: `Xiao Ming` and
/// `Xiaoming`, `De la Cruz` and `Delacruz`.
fn find_joined(lexicon: &Lexicon, joined: &str, words: &[u32], used: &mut Used) -> Option<usize> {
    for from in 0..words.len() {
        let mut remainder = joined;
        for (to, word) in words.iter().enumerate().skip(from) {
            if used.has(to) {
                break;
            }
            let Some(next) = remainder.strip_prefix(&*lexicon.get(*word).text) else {
                break;
            };
            remainder = next;
            if remainder.is_empty() {
                (from..=to).for_each(|at| used.take(at));
                return Some(from);
            }
        }
    }
    None
}

/// Finds the closest unused word.
fn closest(
    words: &[u32],
    used: Used,
    allowed: std::ops::Range<usize>,
    compare: impl Fn(u32) -> Closeness,
) -> Option<(Closeness, usize)> {
    allowed
        .filter(|at| !used.has(*at))
        .map(|at| (compare(words[at]), at))
        .filter(|(closeness, _)| *closeness != Closeness::Different)
        .min()
}

fn find_family(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName, used: &mut Used) -> Found {
    let (sought, words) = (person.family.as_slice(), &employee.words);
    let allowed = 0..employee.before_comma().unwrap_or(words.len());
    if sought.is_empty() || allowed.clone().all(|at| used.has(at)) {
        return Found::nothing(Agreement::Missing);
    }
    if sought.len() > 1
        && let Some(at) = find_joined(lexicon, &person.joined[1], words, used)
    {
        let rarest = sought.iter().copied().reduce(|a, b| {
            if lexicon.family_rarity(b) > lexicon.family_rarity(a) {
                b
            } else {
                a
            }
        });
        return Found::new(Agreement::Equal, rarest, Some(at));
    }
    let mut worst = Agreement::Equal;
    let mut rarest: Option<u32> = None;
    let mut initial = None;
    let mut first = None;
    let mut missed = false;
    let only_particles = sought.iter().all(|word| lexicon.get(*word).particle);
    for word in sought
        .iter()
        .filter(|word| only_particles || !lexicon.get(**word).particle)
    {
        let hit = closest(words, *used, allowed.clone(), |other| {
            lexicon.compare_family(*word, other)
        });
        let part = match hit {
            Some((Closeness::Equal, _)) => Agreement::Equal,
            Some((Closeness::Spelling, _)) => Agreement::Spelling,
            Some((Closeness::Typo, _)) => Agreement::Typo,
            Some((Closeness::Initial, at)) => {
                initial = initial.or(Some(at));
                missed = true;
                continue;
            }
            _ => {
                missed = true;
                continue;
            }
        };
        if let Some((_, at)) = hit {
            used.take(at);
            first = first.or(Some(at));
        }
        if rarest.is_none_or(|other| lexicon.family_rarity(*word) > lexicon.family_rarity(other)) {
            rarest = Some(*word);
        }
        worst = worst.max(part);
    }
    if rarest.is_some() {
        let part = if missed {
            worst.max(Agreement::Compound)
        } else {
            worst
        };
        return Found::new(part, rarest, first);
    }
    // "McDonald" for "Mc Donald".
    if sought.len() == 1 && find_joined(lexicon, &person.joined[1], words, used).is_some() {
        return Found::new(Agreement::Equal, Some(sought[0]), None);
    }
    if let Some(at) = initial {
        used.take(at);
        return Found::new(Agreement::Initial, None, Some(at));
    }
    if allowed.clone().filter(|at| !used.has(*at)).count() == 0 {
        return Found::nothing(Agreement::Missing);
    }
    Found::nothing(Agreement::Different)
}

fn find_given(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName, used: &mut Used) -> Found {
    let (sought, words) = (person.given.as_slice(), &employee.words);
    let allowed = employee.before_comma().unwrap_or(0)..words.len();
    if sought.is_empty() || allowed.clone().all(|at| used.has(at)) {
        return Found::nothing(Agreement::Missing);
    }
    if sought.len() > 1
        && let Some(at) = find_joined(lexicon, &person.joined[0], words, used)
    {
        return Found::new(Agreement::Equal, Some(sought[0]), Some(at));
    }
    let mut best: Option<(Agreement, u32, usize)> = None;
    for (order, word) in person.given_and_middle().enumerate() {
        let hit = closest(words, *used, allowed.clone(), |other| {
            lexicon.compare_given(word, other)
        });
        if let Some((closeness, at)) = hit {
            let part = match (closeness, order) {
                (Closeness::Equal, 0) => Agreement::Equal,
                (Closeness::Spelling, 0) => Agreement::Spelling,
                (Closeness::Nickname, 0) => Agreement::Nickname,
                (Closeness::Typo, 0) => Agreement::Typo,
                (Closeness::Initial, 0) => Agreement::Initial,
                (Closeness::Equal | Closeness::Spelling, _) => Agreement::Middle,
                _ => continue,
            };
            if best.is_none_or(|(other, _, _)| part < other) {
                best = Some((part, word, at));
            }
        }
    }
    for word in &person.preferred {
        let hit = closest(words, *used, allowed.clone(), |other| {
            lexicon.compare_given(*word, other)
        });
        if let Some((Closeness::Equal | Closeness::Spelling, at)) = hit
            && best.is_none_or(|(part, _, _)| Agreement::Nickname < part)
        {
            best = Some((Agreement::Nickname, *word, at));
        }
    }
    if let Some((part, word, at)) = best {
        used.take(at);
        return Found::new(part, Some(word), Some(at));
    }
    if sought.len() == 1
        && let Some(at) = find_joined(lexicon, &person.joined[0], words, used)
    {
        return Found::new(Agreement::Equal, Some(sought[0]), Some(at));
    }
    Found::nothing(Agreement::Different)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{matching::stopwords::Generation, model::OtherNames};

    fn found(given: &str, family: &str, employee: &str) -> NameMatch {
        let mut lexicon = Lexicon::default();
        let person = PersonName::parse(given, family, None).numbered(&mut lexicon);
        let employee = EmployeeName::parse(employee).numbered(&mut lexicon);
        lexicon.link_variants();
        lexicon.count(&person.given, &person.family, true);
        lexicon.compute_rarities();
        compare(&lexicon, &person, &employee)
    }

    #[test]
    fn names_are_compared_in_any_order_and_notation() {
        use Agreement::*;
        for (given, family, employee, expected) in [
            ("Jane", "Doe", "jane DOE", (Equal, Equal)),
            ("Jane", "Doe", "Doe, Jane", (Equal, Equal)),
            ("Jane", "Doe", "Doe Jane", (Equal, Equal)),
            ("Jane", "Doe", "Dr. Jane Doe, PhD", (Equal, Equal)),
            ("Jane", "Doe", "Jane Doe (Contractor)", (Equal, Equal)),
            ("Jane", "Doe", "Jane Mary Doe", (Equal, Equal)),
            ("Jane Mary", "Doe", "Mary Doe", (Middle, Equal)),
            ("Xiao Ming", "Wang", "Wang Xiaoming", (Equal, Equal)),
            ("Jose", "De la Cruz", "José Delacruz", (Equal, Equal)),
            ("Conor", "O'Brien", "Conor OBrien", (Equal, Equal)),
            ("Jane", "Doe-Smith", "Jane Doe", (Equal, Compound)),
            ("María", "García López", "Maria Garcia", (Equal, Compound)),
            ("Bob", "Smith", "Robert Smith", (Nickname, Equal)),
            ("Jane", "Doe", "J. Doe", (Initial, Equal)),
            ("Jane", "Doe", "Jane D.", (Equal, Initial)),
            ("Jane", "Doe", "Jane", (Equal, Missing)),
            ("Jane", "Doe", "Mark Doe", (Different, Equal)),
            ("Jane", "Doe", "Jane Roe", (Equal, Different)),
            ("Jane", "Doe", "Mark Lee", (Different, Different)),
        ] {
            let found = found(given, family, employee);
            assert_eq!(
                (found.given, found.family),
                expected,
                "{given} {family} / {employee}"
            );
        }
    }

    #[test]
    fn second_family_names_may_contradict() {
        for (given, family, employee, expected) in [
            ("María", "García López", "María García Fernández", true),
            ("María", "García López", "García Fernández, María", true),
            ("María", "García López", "María Fernández López", true),
            ("María", "García López", "María García", false),
            ("María", "García López", "María José García", false),
            ("María", "García López", "María García Lopes", false),
            ("Jane", "Doe-Smith", "Jane Mary Doe", false),
            ("Jane", "van der Berg-Smit", "Jane Smit", false),
        ] {
            assert_eq!(
                found(given, family, employee).family_contradicts,
                expected,
                "{given} {family} / {employee}"
            );
        }
    }

    #[test]
    fn unromanized_and_latin_names_are_not_compared() {
        use Agreement::*;
        for (given, family, employee, expected) in [
            ("太郎", "田中", "Taro Tanaka", (Missing, Missing)),
            ("Taro", "Tanaka", "田中 太郎", (Missing, Missing)),
            ("太郎", "田中", "田中 太郎", (Equal, Equal)),
            ("太郎", "田中", "田中太郎", (Equal, Equal)),
            ("伟", "王", "王薇", (Different, Different)),
            ("伟", "王", "王 薇", (Different, Equal)),
            ("محمد", "علي", "Mohamed Ali", (Missing, Missing)),
        ] {
            let found = found(given, family, employee);
            assert_eq!(
                (found.given, found.family),
                expected,
                "{given} {family} / {employee}"
            );
        }
    }

    #[test]
    fn middle_names_and_generations_are_compared() {
        assert!(found("John Robert", "Smith", "John William Smith").middle_contradicts);
        assert!(found("John R.", "Smith", "John William Smith").middle_contradicts);
        assert!(found("John R.", "Smith", "John Robert Smith").middle_agrees);
        assert!(!found("John", "Smith", "John William Smith").middle_contradicts);
        for (name, expected) in [
            ("John Smith Jr.", Some(Generation::Second)),
            ("Smith Sr, John", Some(Generation::First)),
            ("Smith, John III", Some(Generation::Third)),
            ("John Smith", None),
        ] {
            assert_eq!(EmployeeName::parse(name).generation, expected, "{name}");
        }
    }

    #[test]
    fn middle_nick_and_display_names_are_used() {
        use Agreement::*;
        let others = |middle: &str, nick: &str, display: &str| OtherNames {
            middle: Some(middle.to_owned()),
            nick: Some(nick.to_owned()),
            display: Some(display.to_owned()),
        };
        for (others, employee, expected) in [
            (others("", "", ""), "Kit Doe", (Different, Equal)),
            (others("", "Kit", ""), "Kit Doe", (Nickname, Equal)),
            (others("", "", "Kit Doe"), "Doe, Kit", (Nickname, Equal)),
            (others("", "", "Doe, Kit (Berlin)"), "Kit Doe", (Different, Equal)),
            (others("", "", "Kit Roe"), "Kit Doe", (Different, Equal)),
            (others("Kit", "", ""), "Kit Doe", (Middle, Equal)),
            (others("Kit", "Jay", "Kit Doe"), "Jane Doe", (Equal, Equal)),
        ] {
            let mut lexicon = Lexicon::default();
            let person = PersonName::parse("Jane", "Doe", None)
                .with(&others)
                .numbered(&mut lexicon);
            let name = EmployeeName::parse(employee).numbered(&mut lexicon);
            lexicon.link_variants();
            let found = compare(&lexicon, &person, &name);
            assert_eq!((found.given, found.family), expected, "{others:?} {employee}");
        }
        let mut lexicon = Lexicon::default();
        let person = PersonName::parse("John", "Smith", None)
            .with(&others("Robert", "", ""))
            .numbered(&mut lexicon);
        let [same, other] = ["John R. Smith", "John William Smith"]
            .map(|name| EmployeeName::parse(name).numbered(&mut lexicon));
        lexicon.link_variants();
        assert!(compare(&lexicon, &person, &same).middle_agrees);
        assert!(compare(&lexicon, &person, &other).middle_contradicts);
    }

    #[test]
    fn comparing_names_is_symmetric() {
        let names = [
            ("Jane", "Doe"),
            ("Bob", "Smith"),
            ("Robert", "Smith"),
            ("J", "Doe"),
            ("Jana", "Dow"),
            ("Mark", "Doe"),
        ];
        for (given, family) in names {
            for (other_given, other_family) in names {
                let there = found(given, family, &format!("{other_family}, {other_given}"));
                let back = found(other_given, other_family, &format!("{family}, {given}"));
                assert_eq!(
                    (there.given, there.family),
                    (back.given, back.family),
                    "{given} {other_given}"
                );
            }
        }
    }
}
