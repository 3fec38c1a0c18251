//! Words of names, with the other spellings that they stand for, and how often
//! they occur in the two directories.

use std::sync::LazyLock;

use foldhash::{HashMap, HashSet};
use string_interner::{
    StringInterner,
    backend::StringBackend,
    symbol::{Symbol, SymbolU32},
};

use super::{
    folding::{fold, fold_expanded, is_unread, transliterated, without_marks},
    parallel::number,
    stopwords::is_particle,
};

/// Numbers strings from 0 on, so that equal ones are compared as numbers.
#[derive(Debug, Default)]
pub(super) struct Interner(StringInterner<StringBackend>);

impl Interner {
    /// The number of a string; a new one if it was not seen.
    pub(super) fn id(&mut self, text: &str) -> u32 {
        number(self.0.get_or_intern(text).to_usize())
    }

    /// The number of a string that was seen.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.0.get(text).map(|symbol| number(symbol.to_usize()))
    }

    /// The string of a number; empty if there is none.
    pub(super) fn text(&self, id: u32) -> &str {
        SymbolU32::try_from_usize(id as usize)
            .and_then(|symbol| self.0.resolve(symbol))
            .unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A word of a name, in one line of the processor's cache: words are looked up
/// for millions of pairs.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Word {
    /// Folded, letters only.
    pub(super) text: Box<str>,
    /// Equal for words that may differ in marks alone, as far as their letters
    /// tell: `jorg` and `joerg`, but `michal` and `michael`, too.
    pub(super) plain: u32,
    /// The word without the marks that somebody writes it with; itself if nobody
    /// does. Equal for words that do differ in marks alone.
    same: u32,
    /// Equal for words that differ in the custom of transliteration alone.
    pub(super) sound: u32,
    /// Words that are the same given name in another spelling.
    spellings: Box<[u32]>,
    /// Words that are its nicknames, or that it is a nickname of.
    nicknames: Box<[u32]>,
    /// Whether a public list has it as a given name.
    listed: bool,
    /// Whether a public list has it as a name with nicknames of its own.
    formal: bool,
    /// Whether it is in a script that is not read.
    pub(super) unread: bool,
    /// Whether it is a part of family names that is often left out.
    pub(super) particle: bool,
}

/// How close two words are, the closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// Equal but for marks.
    Equal,
    /// The same name by another custom of spelling.
    Spelling,
    /// One is a nickname of the other.
    Nickname,
    /// One slip of the keyboard apart, and not two names.
    Slip,
    /// One is the other's initial.
    Initial,
    /// Two names.
    Different,
}

/// Public lists, folded: listed names, spellings and nicknames.
struct Lists {
    listed: HashSet<String>,
    formal: HashSet<String>,
    /// Listed names with two letters for a mark: `joerg`, and `jorg`.
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

/// All words of both directories.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    ids: Interner,
    plains: Interner,
    sounds: Interner,
    words: Vec<Word>,
    /// By `plain`: how many records have it as a given or a family name.
    given: Vec<u32>,
    family: Vec<u32>,
    /// By word: how many records have exactly this spelling.
    uses: Vec<u32>,
    /// How many people's family names have it, by `plain`.
    people_family: Vec<u32>,
    records: u32,
    /// By `plain`: how rare it is as a given and as a family name, in bits.
    rarities: [Vec<f64>; 2],
}

impl Lexicon {
    /// The number of a folded word.
    pub(super) fn word(&mut self, text: &str) -> u32 {
        let id = self.ids.id(text);
        if id as usize == self.words.len() {
            let unread = is_unread(text);
            let plain = self.plains.id(&without_marks(text));
            let sound = if unread {
                self.sounds.id(text)
            } else {
                self.sounds.id(&transliterated(text))
            };
            self.words.push(Word {
                text: text.into(),
                plain,
                same: id,
                sound,
                spellings: Box::default(),
                nicknames: Box::default(),
                listed: LISTS.listed.contains(text),
                formal: LISTS.formal.contains(text),
                unread,
                particle: is_particle(text),
            });
            self.uses.push(0);
            self.given.resize(self.plains.len(), 0);
            self.family.resize(self.plains.len(), 0);
            self.people_family.resize(self.plains.len(), 0);
            if let Some(without) = LISTS.marked.get(text) {
                self.mark(text, without);
            }
        }
        id
    }

    /// Notes that somebody writes a word with a mark: with two letters for the
    /// mark it is the same word as without.
    pub(super) fn mark(&mut self, with: &str, without: &str) {
        let same = self.word(without);
        let word = self.word(with);
        self.words[word as usize].same = same;
    }

    /// Whether a word was seen.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.ids.find(text).is_some()
    }

    /// The number of a word without the marks that somebody writes it with.
    pub(super) fn same(&self, word: u32) -> u32 {
        self.get(word).same
    }

    /// Whether two given names are names in their own right which an initial
    /// does not tell apart, though one may be short for the other: Jane and
    /// Jean, and not Bob and Robert, nor Dan and Daniel.
    pub(super) fn are_two_names(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.get(a), self.get(b));
        x.formal
            && y.formal
            && x.text.as_bytes()[0] == y.text.as_bytes()[0]
            && !x.text.starts_with(&*y.text)
            && !y.text.starts_with(&*x.text)
    }

    /// Whether one of two given names is a name that lists have and the other, which
    /// one record has, is it with two letters swapped, or a long one with a letter
    /// too many or too few: a slip for certain. A letter replaced may make a name
    /// that no list has, as Rakesh of Rajesh.
    pub(super) fn is_sure_slip(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.get(a), self.get(b));
        let (mut p, mut q): (Vec<u8>, Vec<u8>) = (x.text.bytes().collect(), y.text.bytes().collect());
        p.sort_unstable();
        q.sort_unstable();
        let (short, long) = (p.len().min(q.len()), p.len().max(q.len()));
        x.listed != y.listed
            && (p == q || (short >= 6 && long == short + 1))
            && self.uses[a as usize].min(self.uses[b as usize]) <= 1
    }

    /// Links nicknames and spellings; to be called when all words are in.
    pub(super) fn link(&mut self) {
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

    /// Counts one record's words.
    pub(super) fn count(&mut self, given: &[u32], family: &[u32], of_person: bool) {
        self.records += 1;
        for word in given {
            self.given[self.words[*word as usize].plain as usize] += 1;
            self.uses[*word as usize] += 1;
        }
        for word in family {
            let plain = self.words[*word as usize].plain as usize;
            self.family[plain] += 1;
            self.people_family[plain] += u32::from(of_person);
            self.uses[*word as usize] += 1;
        }
    }

    /// The word of a number.
    pub(super) fn get(&self, word: u32) -> &Word {
        &self.words[word as usize]
    }

    /// The other words a given name may stand for: spellings and nicknames.
    pub(super) fn alike(&self, word: u32) -> impl Iterator<Item = u32> + '_ {
        let word = self.get(word);
        word.spellings.iter().chain(&word.nicknames).copied()
    }

    /// Fixes how rare each name is; to be called when all are counted.
    pub(super) fn weigh(&mut self) {
        let of = |counts: &[u32]| counts.iter().map(|count| self.rarity(*count)).collect();
        self.rarities = [of(&self.given), of(&self.family)];
    }

    /// In how many people's family names a word is.
    pub(super) fn people_with_family(&self, word: u32) -> u32 {
        self.people_family[self.get(word).plain as usize]
    }

    /// How rare a given name is, in bits: 10 is one of a thousand.
    pub(super) fn given_rarity(&self, word: u32) -> f64 {
        self.rarities[0][self.get(word).plain as usize]
    }

    /// How rare a family name is, in bits.
    pub(super) fn family_rarity(&self, word: u32) -> f64 {
        self.rarities[1][self.get(word).plain as usize]
    }

    /// Small directories cannot show that a name is rare: 20 imagined records
    /// and one imagined holder keep the estimate low there.
    fn rarity(&self, count: u32) -> f64 {
        -((f64::from(count) + 1.0) / (f64::from(self.records) + 20.0)).log2()
    }

    /// Whether a public list has a word as a given name.
    pub(super) fn is_listed(&self, word: u32) -> bool {
        self.get(word).listed
    }

    /// Whether a word is surely a given name: listed, or borne by several.
    fn is_name(&self, word: u32) -> bool {
        self.get(word).listed || self.uses[word as usize] > 3
    }

    /// How close two given names are. Symmetric.
    pub(super) fn compare_given(&self, a: u32, b: u32) -> Closeness {
        let (x, y) = (self.get(a), self.get(b));
        if x.same == y.same {
            return Closeness::Equal;
        }
        if x.unread || y.unread {
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
        // Nobody writes a mark: "Michael" and "Michal" are two names, not one with and without.
        let may_be_marked = x.plain == y.plain && x.listed && y.listed;
        if x.sound == y.sound && x.text.as_bytes()[0] == y.text.as_bytes()[0] && !may_be_marked {
            return Closeness::Spelling;
        }
        // "Mary" and "Mark", "Maria" and "Mario" are two names and no slip.
        let two_names = (self.is_name(a) && self.is_name(b)) || differ_in_last_letter(&x.text, &y.text);
        let sure =
            self.is_name(a) != self.is_name(b) && self.uses[a as usize].min(self.uses[b as usize]) <= 1;
        if two_names {
            Closeness::Different
        } else {
            slip(&x.text, &y.text, sure)
        }
    }

    /// How close two family names are. Symmetric.
    pub(super) fn compare_family(&self, a: u32, b: u32) -> Closeness {
        let (x, y) = (self.get(a), self.get(b));
        if x.same == y.same {
            return Closeness::Equal;
        }
        if x.unread || y.unread {
            return Closeness::Different;
        }
        if x.text.len() == 1 || y.text.len() == 1 {
            return initial(&x.text, &y.text);
        }
        if x.sound == y.sound {
            return Closeness::Spelling;
        }
        // A slip is made once: a spelling that several have is a name.
        if self.uses[a as usize] > 1 && self.uses[b as usize] > 1 {
            return Closeness::Different;
        }
        slip(&x.text, &y.text, true)
    }

    /// Whether a text has a word in it, marks aside.
    pub(super) fn spells(&self, text: &str, word: u32) -> bool {
        let word = without_marks(&self.get(word).text);
        word.len() > 2 && without_marks(text).contains(&word)
    }

    /// Whether what a local part has beside one word is a name of somebody's.
    pub(super) fn rest_is_name(&self, local: &str, word: u32) -> bool {
        let local = local.trim_end_matches(|c: char| c.is_ascii_digit());
        let word = &*self.get(word).text;
        let is_name = |rest: &str| {
            rest.len() > 1
                && (LISTS.listed.contains(rest)
                    || self
                        .ids
                        .find(rest)
                        .is_some_and(|other| self.uses[other as usize] > 0))
        };
        local.strip_prefix(word).is_some_and(is_name) || local.strip_suffix(word).is_some_and(is_name)
    }

    /// Whether a local part or account name is made of two words of a name: both
    /// in full, or one and the other's initial; a number at its end aside.
    pub(super) fn is_made_of(&self, text: &str, words: &[u32]) -> bool {
        let text = without_marks(text.trim_end_matches(|c: char| c.is_ascii_digit()));
        let plain: Vec<String> = words
            .iter()
            .map(|word| without_marks(&self.get(*word).text))
            .collect();
        plain.iter().enumerate().any(|(i, a)| {
            plain.iter().enumerate().filter(|(j, _)| i != *j).any(|(_, b)| {
                text.strip_prefix(a.as_str())
                    .is_some_and(|rest| rest == b || rest == &b[..1])
                    || text.strip_suffix(b.as_str()).is_some_and(|rest| rest == &a[..1])
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

/// At most one slip, two in long words. Where one word is `sure`ly misspelt,
/// short words count, too, and in long ones the first letter may be wrong.
fn slip(a: &str, b: &str, sure: bool) -> Closeness {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    let same_start = a.as_bytes()[0] == b.as_bytes()[0];
    if short < if sure { 3 } else { 4 } || long - short > 2 || !(same_start || (sure && short >= 5)) {
        return Closeness::Different;
    }
    if one_slip(a, b) || (short >= 8 && strsim::osa_distance(a, b) <= 2) {
        Closeness::Slip
    } else {
        Closeness::Different
    }
}

/// Whether one letter is swapped with the next, lost, added or replaced: an
/// optimal string alignment distance of one, without a table.
pub(super) fn one_slip(a: &str, b: &str) -> bool {
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
    use crate::matching::names::marked;

    /// A lexicon in which each word is borne once, or as often as said.
    fn lexicon(words: &[&str]) -> (Lexicon, Vec<u32>) {
        let mut lexicon = Lexicon::default();
        let ids: Vec<u32> = words.iter().map(|word| lexicon.word(&fold(word))).collect();
        for (with, without) in words.iter().flat_map(|word| marked(word)) {
            lexicon.mark(&with, &without);
        }
        lexicon.link();
        lexicon.count(&ids, &[], true);
        lexicon.weigh();
        (lexicon, ids)
    }

    #[test]
    fn given_names_are_as_close_as_people_would_say() {
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
            ("Jhonathan", "Jonathan", Slip),
            ("Acr", "Acar", Slip),
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
    fn comparisons_of_words_are_symmetric() {
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
    fn one_slip_is_an_alignment_distance_of_one() {
        let words = [
            "", "a", "ab", "ba", "abc", "acb", "abcd", "abdc", "abd", "xbcd", "abcde", "bacde", "aabc",
        ];
        for a in words {
            for b in words {
                assert_eq!(one_slip(a, b), strsim::osa_distance(a, b) == 1, "{a} {b}");
            }
        }
    }

    #[test]
    fn the_rarer_the_name_the_more_it_says() {
        let mut lexicon = Lexicon::default();
        let (smith, zulu) = (lexicon.word("smith"), lexicon.word("zulu"));
        for at in 0..1000 {
            lexicon.count(&[], &[if at == 0 { zulu } else { smith }], true);
        }
        lexicon.weigh();
        assert!(lexicon.family_rarity(zulu) > lexicon.family_rarity(smith) + 8.0);
    }

    #[test]
    fn account_names_are_made_of_names() {
        let (lexicon, ids) = lexicon(&["Jane", "Pölitz"]);
        for account in [
            "jane.politz",
            "janepoelitz",
            "jpolitz",
            "jpoelitz2",
            "politzj",
            "poelitzjane",
        ] {
            assert!(lexicon.is_made_of(&account.replace('.', ""), &ids), "{account}");
        }
        for account in ["jane", "jsmith", "u104233"] {
            assert!(!lexicon.is_made_of(account, &ids), "{account}");
        }
    }
}
