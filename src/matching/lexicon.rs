//! The words of names: their variants, and how often they occur in the two directories.

use std::sync::LazyLock;

use foldhash::{HashMap, HashSet};

use super::{
    folding::{fold, fold_expanded, is_unromanized, phonetic_key, without_marks},
    numbering::Interner,
    stopwords::is_particle,
};

/// A word of a name. It fills one line of the processor's cache, because words are
/// looked up for millions of pairs.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word {
    /// Folded, letters only.
    pub(super) text: Box<str>,
    /// Equal for words that may differ only in marks: `jorg` and `joerg`, but
    /// also `michal` and `michael`.
    pub(super) unmarked_key: u32,
    /// The word without the marks that a record writes it with. Equal for words
    /// that are known to differ only in marks.
    pub(super) canonical: u32,
    /// Equal for words that differ only in their romanization.
    pub(super) phonetic_key: u32,
    /// Other spellings of the same given name.
    spellings: Box<[u32]>,
    /// Its nicknames, and names that it is a nickname of.
    nicknames: Box<[u32]>,
    /// Whether it is a listed given name.
    pub(super) listed: bool,
    /// Whether it is listed as a name with nicknames.
    formal: bool,
    /// Whether it is in a script without a reliable romanization.
    pub(super) unromanized: bool,
    pub(super) particle: bool,
}

/// How close two words are, closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// Equal except for marks.
    Equal,
    /// Another spelling of the same name.
    Spelling,
    Nickname,
    /// A likely typo.
    Typo,
    Initial,
    Different,
}

/// The public lists of names, folded.
struct Lists {
    listed: HashSet<String>,
    formal: HashSet<String>,
    /// Listed names with marks: from two letters for a mark, `joerg`, to `jorg`.
    marked: HashMap<String, String>,
    spellings: HashMap<String, Vec<String>>,
    nicknames: HashMap<String, Vec<String>>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let mut lists = Lists {
        listed: include_str!("given_names.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(fold)
            .collect(),
        formal: HashSet::default(),
        marked: include_str!("given_names.txt")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_ascii())
            .map(|line| (fold_expanded(line), fold(line)))
            .filter(|(with, without)| with != without)
            .collect(),
        spellings: HashMap::default(),
        nicknames: HashMap::default(),
    };
    let link = |map: &mut HashMap<String, Vec<String>>, a: &str, b: &str| {
        map.entry(a.to_owned()).or_default().push(b.to_owned());
        map.entry(b.to_owned()).or_default().push(a.to_owned());
    };
    for line in include_str!("nicknames.txt")
        .lines()
        .chain(include_str!("spellings.txt").lines())
    {
        if let Some(group) = line.strip_prefix("= ") {
            let names: Vec<&str> = group.split(' ').collect();
            for (at, a) in names.iter().enumerate() {
                for b in &names[at + 1..] {
                    link(&mut lists.spellings, a, b);
                }
            }
            lists.listed.extend(names.into_iter().map(str::to_owned));
        } else if let Some((name, nicks)) = line.split_once(": ").filter(|_| !line.starts_with('#')) {
            for nick in nicks.split(' ').filter(|nick| *nick != name) {
                link(&mut lists.nicknames, name, nick);
            }
            lists.listed.insert(name.to_owned());
            lists.formal.insert(name.to_owned());
        }
    }
    lists
});

/// The words of both directories.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    ids: Interner,
    unmarked_keys: Interner,
    phonetic_keys: Interner,
    words: Vec<Word>,
    /// The number of records with a given or family name, by unmarked key.
    given: Vec<u32>,
    family: Vec<u32>,
    /// The number of records with exactly this spelling, by word.
    uses: Vec<u32>,
    /// The number of people with a family name, by unmarked key.
    family_of_people: Vec<u32>,
    records: u32,
    /// The rarity of given and family names in bits, by unmarked key.
    rarities: [Vec<f64>; 2],
}

impl Lexicon {
    /// Returns the number of a folded word, which is added if it is new.
    pub(super) fn word(&mut self, text: &str) -> u32 {
        let id = self.ids.id(text);
        if id as usize == self.words.len() {
            let unromanized = is_unromanized(text);
            let phonetic_key = if unromanized {
                self.phonetic_keys.id(text)
            } else {
                self.phonetic_keys.id(&phonetic_key(text))
            };
            self.words.push(Word {
                text: text.into(),
                unmarked_key: self.unmarked_keys.id(&without_marks(text)),
                canonical: id,
                phonetic_key,
                spellings: Box::default(),
                nicknames: Box::default(),
                listed: LISTS.listed.contains(text),
                formal: LISTS.formal.contains(text),
                unromanized,
                particle: is_particle(text),
            });
            self.uses.push(0);
            self.given.resize(self.unmarked_keys.len(), 0);
            self.family.resize(self.unmarked_keys.len(), 0);
            self.family_of_people.resize(self.unmarked_keys.len(), 0);
            if let Some(without) = LISTS.marked.get(text) {
                self.add_marked_form(text, without);
            }
        }
        id
    }

    /// Records that a word is written with a mark: with two letters for the mark
    /// it is the same word as without.
    pub(super) fn add_marked_form(&mut self, with: &str, without: &str) {
        let canonical = self.word(without);
        let word = self.word(with);
        self.words[word as usize].canonical = canonical;
    }

    /// Whether two given names with the same initial are names in their own right,
    /// though one may be a nickname: Jane and Jean, but not Bob and Robert, nor
    /// Dan and Daniel.
    pub(super) fn are_distinct_names(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.get(a), self.get(b));
        x.formal
            && y.formal
            && x.text.as_bytes()[0] == y.text.as_bytes()[0]
            && !x.text.starts_with(&*y.text)
            && !y.text.starts_with(&*x.text)
    }

    /// Whether one given name is listed and the other, which only one record has,
    /// differs by two swapped letters or, in a long name, by an extra or missing
    /// letter. A replaced letter may make an unlisted name, such as Rakesh of Rajesh.
    pub(super) fn is_certain_typo(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.get(a), self.get(b));
        let (mut p, mut q): (Vec<u8>, Vec<u8>) = (x.text.bytes().collect(), y.text.bytes().collect());
        p.sort_unstable();
        q.sort_unstable();
        let (short, long) = (p.len().min(q.len()), p.len().max(q.len()));
        x.listed != y.listed
            && (p == q || (short >= 6 && long == short + 1))
            && self.uses[a as usize].min(self.uses[b as usize]) <= 1
    }

    /// Links nicknames and spellings, after all words are added.
    pub(super) fn link_variants(&mut self) {
        let find = |ids: &Interner, map: &HashMap<String, Vec<String>>, text: &str| -> Box<[u32]> {
            map.get(text)
                .into_iter()
                .flatten()
                .filter_map(|other| ids.find(other))
                .collect()
        };
        for word in &mut self.words {
            word.spellings = find(&self.ids, &LISTS.spellings, &word.text);
            word.nicknames = find(&self.ids, &LISTS.nicknames, &word.text);
        }
    }

    /// Counts the words of one record.
    pub(super) fn count(&mut self, given: &[u32], family: &[u32], of_person: bool) {
        self.records += 1;
        for word in given {
            self.given[self.words[*word as usize].unmarked_key as usize] += 1;
            self.uses[*word as usize] += 1;
        }
        for word in family {
            let key = self.words[*word as usize].unmarked_key as usize;
            self.family[key] += 1;
            self.family_of_people[key] += u32::from(of_person);
            self.uses[*word as usize] += 1;
        }
    }

    pub(super) fn get(&self, word: u32) -> &Word {
        &self.words[word as usize]
    }

    /// Returns the first letter of a word.
    pub(super) fn initial(&self, word: u32) -> u8 {
        self.get(word).text.as_bytes()[0]
    }

    /// Returns the other spellings and the nicknames of a given name.
    pub(super) fn variants(&self, word: u32) -> impl Iterator<Item = u32> + '_ {
        let word = self.get(word);
        word.spellings.iter().chain(&word.nicknames).copied()
    }

    /// Computes how rare each name is, after all records are counted.
    pub(super) fn compute_rarities(&mut self) {
        let of = |counts: &[u32]| counts.iter().map(|count| self.rarity(*count)).collect();
        self.rarities = [of(&self.given), of(&self.family)];
    }

    /// Returns the number of people with a family name.
    pub(super) fn people_with_family(&self, word: u32) -> u32 {
        self.family_of_people[self.get(word).unmarked_key as usize]
    }

    /// Returns the rarity of a given name, in bits.
    pub(super) fn given_rarity(&self, word: u32) -> f64 {
        self.rarities[0][self.get(word).unmarked_key as usize]
    }

    /// Returns the rarity of a family name, in bits.
    pub(super) fn family_rarity(&self, word: u32) -> f64 {
        self.rarities[1][self.get(word).unmarked_key as usize]
    }

    /// Additive smoothing, because small directories cannot show that a name is rare.
    fn rarity(&self, count: u32) -> f64 {
        -((f64::from(count) + 1.0) / (f64::from(self.records) + 20.0)).log2()
    }

    /// Whether a word is certainly a given name: listed, or frequent.
    fn is_given_name(&self, word: u32) -> bool {
        self.get(word).listed || self.uses[word as usize] > 3
    }

    /// Compares two given names. Symmetric.
    pub(super) fn compare_given(&self, a: u32, b: u32) -> Closeness {
        let (x, y) = (self.get(a), self.get(b));
        if x.canonical == y.canonical {
            return Closeness::Equal;
        }
        if x.unromanized || y.unromanized {
            return Closeness::Different;
        }
        if x.text.len() == 1 || y.text.len() == 1 {
            return initial(&x.text, &y.text);
        }
        if x.spellings.contains(&b) {
            return Closeness::Spelling;
        }
        if x.nicknames.contains(&b) {
            return Closeness::Nickname;
        }
        // No record writes a mark: "Michael" and "Michal" are two names.
        let are_names = x.unmarked_key == y.unmarked_key && x.listed && y.listed;
        if x.phonetic_key == y.phonetic_key && x.text.as_bytes()[0] == y.text.as_bytes()[0] && !are_names {
            return Closeness::Spelling;
        }
        // "Mary" and "Mark", "Maria" and "Mario" are two names, not typos.
        let two_names =
            (self.is_given_name(a) && self.is_given_name(b)) || differ_in_last_letter(&x.text, &y.text);
        let certain = self.is_given_name(a) != self.is_given_name(b)
            && self.uses[a as usize].min(self.uses[b as usize]) <= 1;
        if two_names {
            Closeness::Different
        } else {
            typo(&x.text, &y.text, certain)
        }
    }

    /// Compares two family names. Symmetric.
    pub(super) fn compare_family(&self, a: u32, b: u32) -> Closeness {
        let (x, y) = (self.get(a), self.get(b));
        if x.canonical == y.canonical {
            return Closeness::Equal;
        }
        if x.unromanized || y.unromanized {
            return Closeness::Different;
        }
        if x.text.len() == 1 || y.text.len() == 1 {
            return initial(&x.text, &y.text);
        }
        if x.phonetic_key == y.phonetic_key {
            return Closeness::Spelling;
        }
        // A typo occurs once: a spelling in several records is a name.
        if self.uses[a as usize] > 1 && self.uses[b as usize] > 1 {
            return Closeness::Different;
        }
        typo(&x.text, &y.text, true)
    }

    /// Whether a text contains a word, marks aside.
    pub(super) fn is_contained_in(&self, text: &str, word: u32) -> bool {
        let word = without_marks(&self.get(word).text);
        word.len() > 2 && without_marks(text).contains(&word)
    }

    /// Whether a local part consists of a word and another name.
    pub(super) fn remainder_is_name(&self, local: &str, word: u32) -> bool {
        let local = local.trim_end_matches(|c: char| c.is_ascii_digit());
        let word = &*self.get(word).text;
        let is_name = |remainder: &str| {
            remainder.len() > 1
                && (LISTS.listed.contains(remainder)
                    || self
                        .ids
                        .find(remainder)
                        .is_some_and(|other| self.uses[other as usize] > 0))
        };
        local.strip_prefix(word).is_some_and(is_name) || local.strip_suffix(word).is_some_and(is_name)
    }

    /// Whether a local part or account name consists of two words of a name, one of
    /// which may be an initial, and optional digits.
    pub(super) fn is_composed_of(&self, text: &str, words: &[u32]) -> bool {
        let text = without_marks(text.trim_end_matches(|c: char| c.is_ascii_digit()));
        let words: Vec<String> = words
            .iter()
            .map(|word| without_marks(&self.get(*word).text))
            .collect();
        words.iter().enumerate().any(|(i, a)| {
            words.iter().enumerate().filter(|(j, _)| i != *j).any(|(_, b)| {
                text.strip_prefix(a.as_str())
                    .is_some_and(|other| other == b || other == &b[..1])
                    || text
                        .strip_suffix(b.as_str())
                        .is_some_and(|other| other == &a[..1])
            })
        })
    }
}

fn initial(a: &str, b: &str) -> Closeness {
    if a.as_bytes().first() == b.as_bytes().first() {
        Closeness::Initial
    } else {
        Closeness::Different
    }
}

/// `Daniel` and `Daniela`, `Mario` and `Maria`: often two people of one family.
fn differ_in_last_letter(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let vowel = |text: &str| text.ends_with(['a', 'e', 'o', 'i']);
    let stem = |text: &str| text[..text.len().saturating_sub(1)].to_owned();
    (long.len() == short.len() + 1 && long.starts_with(short) && vowel(long))
        || (long.len() == short.len() && stem(long) == stem(short) && vowel(long) && vowel(short))
}

/// Finds at most one typo, two in long words. If one word is certainly misspelt,
/// short words count too, and in long ones the first letter may be wrong.
fn typo(a: &str, b: &str, certain: bool) -> Closeness {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let same_start = a.as_bytes()[0] == b.as_bytes()[0];
    if short < if certain { 3 } else { 4 } || long - short > 2 || !(same_start || (certain && short >= 5)) {
        return Closeness::Different;
    }
    if is_one_typo(a, b) || (short >= 8 && strsim::osa_distance(a, b) <= 2) {
        Closeness::Typo
    } else {
        Closeness::Different
    }
}

/// Whether two words have an optimal string alignment distance of one: a letter is
/// swapped with the next, missing, added or replaced.
pub(super) fn is_one_typo(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count()
        .min(short - start);
    if long != short {
        return long == short + 1 && start + end == short;
    }
    let swapped = || start + end + 2 == long && a[start] == b[start + 1] && a[start + 1] == b[start];
    start + end + 1 == long || swapped()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::names::marked_forms;

    /// A lexicon in which each word is a given name of one record.
    fn lexicon(words: &[&str]) -> (Lexicon, Vec<u32>) {
        let mut lexicon = Lexicon::default();
        let ids: Vec<u32> = words.iter().map(|word| lexicon.word(&fold(word))).collect();
        for (with, without) in words.iter().flat_map(|word| marked_forms(word)) {
            lexicon.add_marked_form(&with, &without);
        }
        lexicon.link_variants();
        lexicon.count(&ids, &[], true);
        lexicon.compute_rarities();
        (lexicon, ids)
    }

    #[test]
    fn given_names_are_compared_by_variants_and_typos() {
        use Closeness::*;
        for (a, b, expected) in [
            ("Jörg", "Joerg", Equal),
            ("Håkon", "Haakon", Equal),
            ("Jorg", "Joerg", Equal),
            ("Michael", "Michal", Different),
            ("Maria", "Maaria", Different),
            ("Joey", "Joy", Different),
            ("Haodong", "Haoedong", Spelling),
            ("Sergei", "Sergey", Spelling),
            ("Mohammed", "Muhammad", Spelling),
            ("Robert", "Bob", Nickname),
            ("Katarzyna", "Kasia", Nickname),
            ("Jhonathan", "Jonathan", Typo),
            ("Acr", "Acar", Typo),
            ("J", "Jane", Initial),
            ("Mary", "Mark", Different),
            ("Maria", "Marta", Different),
            ("Maria", "Mario", Different),
            ("Daniel", "Daniela", Different),
            ("Jane", "Zoe", Different),
        ] {
            let (lexicon, ids) = lexicon(&[a, b]);
            assert_eq!(lexicon.compare_given(ids[0], ids[1]), expected, "{a} {b}");
        }
    }

    #[test]
    fn comparing_words_is_symmetric() {
        let words = [
            "Jane",
            "Jan",
            "J",
            "Mary",
            "Mark",
            "Marc",
            "Robert",
            "Bob",
            "Bobby",
            "Müller",
            "Mueller",
            "Muller",
            "Miller",
            "Sergei",
            "Sergey",
            "Chen",
            "Cheng",
            "Xu",
            "Hsu",
            "Jhon",
            "John",
            "Katharina",
            "Catherine",
        ];
        let (lexicon, ids) = lexicon(&words);
        for a in &ids {
            for b in &ids {
                assert_eq!(lexicon.compare_given(*a, *b), lexicon.compare_given(*b, *a));
                assert_eq!(lexicon.compare_family(*a, *b), lexicon.compare_family(*b, *a));
            }
        }
    }

    #[test]
    fn a_typo_is_an_alignment_distance_of_one() {
        let words = [
            "", "a", "ab", "ba", "abc", "acb", "abcd", "abdc", "abd", "xbcd", "abcde", "bacde", "aabc",
        ];
        for a in words {
            for b in words {
                assert_eq!(is_one_typo(a, b), strsim::osa_distance(a, b) == 1, "{a} {b}");
            }
        }
    }

    #[test]
    fn rare_names_weigh_more() {
        let mut lexicon = Lexicon::default();
        let (smith, zulu) = (lexicon.word("smith"), lexicon.word("zulu"));
        for at in 0..1000 {
            lexicon.count(&[], &[if at == 0 { zulu } else { smith }], true);
        }
        lexicon.compute_rarities();
        assert!(lexicon.family_rarity(zulu) > lexicon.family_rarity(smith) + 8.0);
    }

    #[test]
    fn account_names_consist_of_names() {
        let (lexicon, ids) = lexicon(&["Jane", "Pölitz"]);
        for account in [
            "jane.politz",
            "janepoelitz",
            "jpolitz",
            "jpoelitz2",
            "politzj",
            "poelitzjane",
        ] {
            assert!(
                lexicon.is_composed_of(&account.replace('.', ""), &ids),
                "{account}"
            );
        }
        for account in ["jane", "jsmith", "u104233"] {
            assert!(!lexicon.is_composed_of(account, &ids), "{account}");
        }
    }
}
