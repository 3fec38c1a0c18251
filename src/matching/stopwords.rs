//! Words with a meaning of their own in names and addresses.

use std::sync::LazyLock;

use foldhash::HashSet;

/// Words to look among.
type Words = LazyLock<HashSet<&'static str>>;

/// Titles before or after a name; they say nothing about who it is.
static TITLES: Words = LazyLock::new(|| {
    HashSet::from_iter([
        "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "ing", "dipl", "herr", "frau", "sra", "srta",
        "mme", "mlle", "phd", "md", "mba", "msc", "bsc", "cpa", "esq", "pmp",
    ])
});

/// What admins add to a record's name.
static REMARKS: Words = LazyLock::new(|| {
    HashSet::from_iter([
        "contractor",
        "external",
        "ext",
        "extern",
        "intern",
        "temp",
        "consultant",
        "freelance",
        "freelancer",
        "old",
        "new",
        "laptop",
        "desktop",
        "pc",
        "macbook",
        "remote",
        "office",
        "home",
        "work",
        "vpn",
        "test",
        "inactive",
        "left",
        "copy",
        "duplicate",
        "admin",
    ])
});

/// Parts of family names that are often left out.
static PARTICLES: Words = LazyLock::new(|| {
    HashSet::from_iter([
        "de", "da", "do", "dos", "das", "del", "della", "di", "du", "la", "le", "van", "von", "der", "den",
        "ter", "zu", "zum", "zur", "af", "av", "al", "el", "bin", "ben", "ibn", "bint", "abu", "y", "e",
        "san", "st",
    ])
});

/// Accounts and mailboxes of a role or of a machine.
static ROLES: Words = LazyLock::new(|| {
    HashSet::from_iter([
        "info",
        "office",
        "contact",
        "hello",
        "sales",
        "support",
        "help",
        "helpdesk",
        "service",
        "admin",
        "administrator",
        "hr",
        "people",
        "jobs",
        "it",
        "team",
        "reception",
        "frontdesk",
        "front",
        "desk",
        "warehouse",
        "store",
        "shop",
        "billing",
        "accounts",
        "accounting",
        "finance",
        "invoice",
        "invoices",
        "marketing",
        "press",
        "noreply",
        "no",
        "reply",
        "postmaster",
        "webmaster",
        "root",
        "user",
        "guest",
        "owner",
        "pc",
        "laptop",
        "desktop",
        "workstation",
        "kiosk",
        "meeting",
        "room",
        "meetingroom",
        "test",
        "demo",
        "default",
        "employee",
        "unknown",
        "shared",
        "mailbox",
        "mail",
        "lab",
        "student",
        "operator",
        "staff",
        "public",
        "local",
        "system",
        "temp",
        "home",
        "computer",
        "usr",
    ])
});

/// Mail providers: an address there is private.
static PROVIDERS: Words = LazyLock::new(|| {
    HashSet::from_iter([
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "web.de",
        "t-online.de",
        "proton.me",
        "protonmail.com",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "yandex.com",
        "qq.com",
        "163.com",
        "126.com",
        "orange.fr",
        "free.fr",
        "laposte.net",
        "libero.it",
        "wp.pl",
        "o2.pl",
        "onet.pl",
        "interia.pl",
        "seznam.cz",
        "naver.com",
        "rediffmail.com",
        "comcast.net",
        "verizon.net",
        "att.net",
        "zoho.com",
        "fastmail.com",
        "hey.com",
        "uol.com.br",
        "bol.com.br",
        "terra.com.br",
    ])
});

/// A generation, as in `Jr.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// `Sr.`, `I`
    First,
    /// `Jr.`, `II`
    Second,
    /// `III`
    Third,
    /// `IV`
    Fourth,
}

/// The generation that a folded word means.
pub(super) fn generation(word: &str) -> Option<Generation> {
    Some(match word {
        "sr" | "senior" => Generation::First,
        "jr" | "junior" | "ii" | "2nd" => Generation::Second,
        "iii" | "3rd" => Generation::Third,
        "iv" | "4th" => Generation::Fourth,
        _ => return None,
    })
}

/// Whether a folded word is a title.
pub(super) fn is_title(word: &str) -> bool {
    TITLES.contains(word)
}

/// Whether a folded word is a remark of an admin's.
pub(super) fn is_remark(word: &str) -> bool {
    REMARKS.contains(word)
}

/// Whether a folded word is a particle.
pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(word)
}

/// Whether a local part or an account name is a role's: every word of it is.
pub(super) fn is_role(name: &str) -> bool {
    let mut words = name
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek().is_some() && words.all(|word| ROLES.contains(word))
}

/// Whether a domain is a mail provider's.
pub(super) fn is_provider(domain: &str) -> bool {
    PROVIDERS.contains(domain)
}
