//! How a person's name and an employee's are alike, part by part.

use super::{
    lexicon::{Closeness, Lexicon},
    names::{EmployeeName, PersonName},
};

/// How a part of two names compares, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Equal but for marks, spaces and case.
    Equal,
    /// The same by another custom of spelling.
    Spelling,
    /// A nickname.
    Nickname,
    /// A middle name of one is the other's first.
    Middle,
    /// One of a compound family name's words.
    Compound,
    /// One slip of the keyboard.
    Slip,
    /// An initial that fits.
    Initial,
    /// One side does not say.
    Missing,
    /// They contradict.
    Different,
}

impl Part {
    /// Whether whole names are the same.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Equal | Self::Spelling)
    }

    /// Whether whole names agree, more than by an initial or a slip.
    pub(super) fn agrees(self) -> bool {
        self <= Self::Compound
    }
}

/// How two names compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NameMatch {
    pub(super) given: Part,
    pub(super) family: Part,
    /// The word of the person's family name that agrees, if one does.
    pub(super) family_word: Option<u32>,
    /// The person's given name that agrees, if one does.
    pub(super) given_word: Option<u32>,
    /// Middle names or initials that contradict.
    pub(super) middle_differs: bool,
    /// Middle names or initials that agree.
    pub(super) middle_agrees: bool,
    /// Of compound family names one word agrees and another contradicts.
    pub(super) family_contradicts: bool,
    /// The employee's given name that agrees, if one does.
    pub(super) given_theirs: Option<u32>,
    /// The family name stands first though no comma says so.
    pub(super) swapped: bool,
}

/// Where a word was found.
struct Found {
    part: Part,
    word: Option<u32>,
    at: Option<usize>,
}

impl Found {
    const MISSING: Self = Self {
        part: Part::Missing,
        word: None,
        at: None,
    };
}

/// Compares a person's name with an employee's.
pub(super) fn compare(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName) -> NameMatch {
    if let Some(found) = compare_unread(lexicon, person, employee) {
        return found;
    }
    let family_first = compare_in_order(lexicon, person, employee, true);
    if family_first.given == Part::Equal && family_first.family == Part::Equal {
        return family_first;
    }
    let given_first = compare_in_order(lexicon, person, employee, false);
    if rank(&given_first) < rank(&family_first) {
        given_first
    } else {
        family_first
    }
}

/// Where at least one side is in a script that is not read: two scripts say
/// nothing about each other; in one, family and given name may be one word.
fn compare_unread(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName) -> Option<NameMatch> {
    let unread = |word: &u32| lexicon.get(*word).unread;
    let own = || person.given.iter().chain(&person.family);
    if !own().any(unread) && !employee.words.iter().any(unread) {
        return None;
    }
    let part = if own().all(unread) != employee.words.iter().all(unread) {
        Part::Missing
    } else if let [whole] = employee.words[..]
        && let [given, family] = &person.joined
        && let text = &lexicon.get(whole).text
        && (text.strip_prefix(family.as_str()) == Some(given)
            || text.strip_prefix(given.as_str()) == Some(family))
    {
        Part::Equal
    } else {
        return None;
    };
    let word = |words: &[u32]| words.first().copied().filter(|_| part == Part::Equal);
    Some(NameMatch {
        given: part,
        family: part,
        family_word: word(&person.family),
        given_word: word(&person.given),
        given_theirs: None,
        middle_differs: false,
        middle_agrees: false,
        family_contradicts: false,
        swapped: false,
    })
}

/// Whether words of two compound family names contradict: `García López` and
/// `García Fernández`. What is left of the employee's name may be a middle name,
/// unless it stands where family names stand or no list has it.
fn family_contradicts(
    lexicon: &Lexicon,
    person: &PersonName,
    employee: &EmployeeName,
    used: Used,
    given: &Found,
    family: &Found,
) -> bool {
    if family.part != Part::Compound {
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
                .chain(person.called.iter().copied())
                .any(|own| lexicon.compare_given(own, word) != Closeness::Different);
            !used.has(at) && is_word(word) && !of_person && (among_family(at) || !lexicon.is_listed(word))
        })
}

/// Lower is closer.
fn rank(found: &NameMatch) -> (u8, Part, Part) {
    let conflicts = u8::from(found.given == Part::Different) + u8::from(found.family == Part::Different);
    (
        conflicts,
        found.given.max(found.family),
        found.given.min(found.family),
    )
}

/// Which of the employee's words are taken, a bit each. What follows the 64th
/// word is no name.
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

/// Takes the words of one part first, so that the other part cannot use them.
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
    let left = || {
        (0..words.len())
            .filter(|at| agree && !used.has(*at) && !lexicon.get(words[*at]).particle)
            .map(|at| words[at])
    };
    let middles = || person.given_and_middle().filter(|word| Some(*word) != given.word);
    let both = left().next().is_some() && middles().next().is_some();
    let middle_agrees =
        both && left().any(|a| middles().any(|b| lexicon.compare_given(a, b) != Closeness::Different));
    NameMatch {
        given: given.part,
        family: family.part,
        family_word: family.word,
        given_word: given.word,
        given_theirs: given.at.map(|at| words[at]),
        family_contradicts: family_contradicts(lexicon, person, employee, used, &given, &family),
        middle_agrees,
        middle_differs: both && !middle_agrees,
        swapped: employee.before_comma().is_none()
            && matches!((given.at, family.at), (Some(g), Some(f)) if f < g),
    }
}

/// Finds joined words as a run of the employee's words: `Xiao Ming` and
/// `Xiaoming`, `De la Cruz` and `Delacruz`.
fn find_joined(lexicon: &Lexicon, joined: &str, words: &[u32], used: &mut Used) -> Option<usize> {
    for from in 0..words.len() {
        let mut rest = joined;
        for (to, word) in words.iter().enumerate().skip(from) {
            if used.has(to) {
                break;
            }
            let Some(next) = rest.strip_prefix(&*lexicon.get(*word).text) else {
                break;
            };
            rest = next;
            if rest.is_empty() {
                (from..=to).for_each(|at| used.take(at));
                return Some(from);
            }
        }
    }
    None
}

/// The unused word closest to the sought one.
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
        return Found::MISSING;
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
        return Found {
            part: Part::Equal,
            word: rarest,
            at: Some(at),
        };
    }
    let mut worst = Part::Equal;
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
            Some((Closeness::Equal, _)) => Part::Equal,
            Some((Closeness::Spelling, _)) => Part::Spelling,
            Some((Closeness::Slip, _)) => Part::Slip,
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
        let part = if missed { worst.max(Part::Compound) } else { worst };
        return Found {
            part,
            word: rarest,
            at: first,
        };
    }
    // "McDonald" for "Mc Donald": one word here, a run of words there.
    if sought.len() == 1 && find_joined(lexicon, &person.joined[1], words, used).is_some() {
        return Found {
            part: Part::Equal,
            word: Some(sought[0]),
            at: None,
        };
    }
    if let Some(at) = initial {
        used.take(at);
        return Found {
            part: Part::Initial,
            word: None,
            at: Some(at),
        };
    }
    if allowed.clone().filter(|at| !used.has(*at)).count() == 0 {
        return Found::MISSING;
    }
    Found {
        part: Part::Different,
        word: None,
        at: None,
    }
}

fn find_given(lexicon: &Lexicon, person: &PersonName, employee: &EmployeeName, used: &mut Used) -> Found {
    let (sought, words) = (person.given.as_slice(), &employee.words);
    let allowed = employee.before_comma().unwrap_or(0)..words.len();
    if sought.is_empty() || allowed.clone().all(|at| used.has(at)) {
        return Found::MISSING;
    }
    if sought.len() > 1
        && let Some(at) = find_joined(lexicon, &person.joined[0], words, used)
    {
        return Found {
            part: Part::Equal,
            word: Some(sought[0]),
            at: Some(at),
        };
    }
    let mut best: Option<(Part, u32, usize)> = None;
    for (order, word) in person.given_and_middle().enumerate() {
        let hit = closest(words, *used, allowed.clone(), |other| {
            lexicon.compare_given(word, other)
        });
        if let Some((closeness, at)) = hit {
            let part = match (closeness, order) {
                (Closeness::Equal, 0) => Part::Equal,
                (Closeness::Spelling, 0) => Part::Spelling,
                (Closeness::Nickname, 0) => Part::Nickname,
                (Closeness::Slip, 0) => Part::Slip,
                (Closeness::Initial, 0) => Part::Initial,
                (Closeness::Equal | Closeness::Spelling, _) => Part::Middle,
                _ => continue,
            };
            if best.is_none_or(|(other, _, _)| part < other) {
                best = Some((part, word, at));
            }
        }
    }
    for word in &person.called {
        let hit = closest(words, *used, allowed.clone(), |other| {
            lexicon.compare_given(*word, other)
        });
        if let Some((Closeness::Equal | Closeness::Spelling, at)) = hit
            && best.is_none_or(|(part, _, _)| Part::Nickname < part)
        {
            best = Some((Part::Nickname, *word, at));
        }
    }
    if let Some((part, word, at)) = best {
        used.take(at);
        return Found {
            part,
            word: Some(word),
            at: Some(at),
        };
    }
    if sought.len() == 1
        && let Some(at) = find_joined(lexicon, &person.joined[0], words, used)
    {
        return Found {
            part: Part::Equal,
            word: Some(sought[0]),
            at: Some(at),
        };
    }
    Found {
        part: Part::Different,
        word: None,
        at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{matching::stopwords::Generation, model::OtherNames};

    fn found(given: &str, family: &str, employee: &str) -> NameMatch {
        let mut lexicon = Lexicon::default();
        let person = PersonName::parse(given, family, None).numbered(&mut lexicon);
        let employee = EmployeeName::parse(employee).numbered(&mut lexicon);
        lexicon.link();
        lexicon.count(&person.given, &person.family, true);
        lexicon.weigh();
        compare(&lexicon, &person, &employee)
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        use Part::*;
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
    fn second_family_names_tell_people_apart() {
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
    fn scripts_that_are_not_read_say_nothing_about_latin_letters() {
        use Part::*;
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
    fn middle_names_and_generations_tell_namesakes_apart() {
        assert!(found("John Robert", "Smith", "John William Smith").middle_differs);
        assert!(found("John R.", "Smith", "John William Smith").middle_differs);
        assert!(found("John R.", "Smith", "John Robert Smith").middle_agrees);
        assert!(!found("John", "Smith", "John William Smith").middle_differs);
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
    fn other_fields_say_what_a_person_goes_by() {
        use Part::*;
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
            lexicon.link();
            let found = compare(&lexicon, &person, &name);
            assert_eq!((found.given, found.family), expected, "{others:?} {employee}");
        }
        let mut lexicon = Lexicon::default();
        let person = PersonName::parse("John", "Smith", None)
            .with(&others("Robert", "", ""))
            .numbered(&mut lexicon);
        let [same, other] = ["John R. Smith", "John William Smith"]
            .map(|name| EmployeeName::parse(name).numbered(&mut lexicon));
        lexicon.link();
        assert!(compare(&lexicon, &person, &same).middle_agrees);
        assert!(compare(&lexicon, &person, &other).middle_differs);
    }

    #[test]
    fn the_two_sides_may_be_exchanged() {
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
