//! The conventions of one group: its subsidiaries, their addresses, teams and days.

use fastrand::Rng;

use super::names::{
    CULTURES, Culture, Given, Letters, Middle, Name, Order, PLAIN, Shape, Surnames, Writing, ascii,
};

/// The day of all snapshots, in days since 1970.
pub const TODAY: i64 = 20_700;

/// How the part before the @ is made of a name.
#[derive(Clone, Copy, PartialEq)]
pub enum Local {
    FirstLast,
    LastFirst,
    InitialLast,
    InitialDotLast,
    FirstInitial,
    Underscore,
    First,
    /// dungnv: the given name, then the initials of the others.
    GivenInitials,
}

pub const LOCALS: &[Local] = &[
    Local::FirstLast,
    Local::FirstLast,
    Local::FirstLast,
    Local::InitialLast,
    Local::InitialLast,
    Local::InitialDotLast,
    Local::LastFirst,
    Local::FirstInitial,
    Local::Underscore,
    Local::First,
];

/// Lower-case letters and digits alone.
pub fn slug(text: &str) -> String {
    let plain = ascii(text, false).to_lowercase();
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

impl Local {
    pub fn of(self, name: &Name, how: &Writing) -> String {
        let how = Writing {
            native: false,
            given: if how.given == Given::Nick {
                Given::Nick
            } else {
                Given::Short
            },
            ..*how
        };
        let [given, family] = [name.given_text(&how), name.family_text(&how)].map(|part| slug(&part));
        let initial = given.get(..1).unwrap_or_default();
        match self {
            _ if family.is_empty() || self == Self::First => given,
            Self::FirstLast => format!("{given}.{family}"),
            Self::LastFirst => format!("{family}.{given}"),
            Self::InitialLast => format!("{initial}{family}"),
            Self::InitialDotLast => format!("{initial}.{family}"),
            Self::FirstInitial => format!("{given}{}", family.get(..1).unwrap_or_default()),
            Self::Underscore => format!("{given}_{family}"),
            _ => {
                let middle = slug(&name.middle_text(&Writing {
                    middle: Middle::Full,
                    ..how
                }));
                format!(
                    "{given}{}{}",
                    family.get(..1).unwrap_or_default(),
                    middle.get(..1).unwrap_or_default()
                )
            }
        }
    }
}

/// The account on a computer.
#[derive(Clone, Copy, PartialEq)]
pub enum Account {
    AsAddress,
    InitialLast,
    Number,
}

/// What the agent takes for the identity of who sits at the computer.
#[derive(Clone, Copy)]
pub enum Device {
    Domain,
    Host,
    Bare,
}

/// What stands for the last name of whoever has one name only.
#[derive(Clone, Copy)]
pub enum Lone {
    Repeated,
    Dot,
    Missing,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Teams {
    Mirrored,
    Renamed,
    /// One for each country.
    Country,
    /// Nobody made any.
    Absent,
}

pub struct Sub {
    pub culture: &'static Culture,
    pub share: f64,
    pub domain: String,
    pub local: Local,
    /// How names are spelled in addresses.
    pub address: Writing,
    pub account: Account,
    pub device: Device,
    pub windows: String,
    /// No directory for the computers: each has accounts of its own.
    pub unmanaged: bool,
    /// When Insightful came, in days.
    pub rollout: i64,
    /// Whether all records of the roll-out are of that one day.
    pub one_day: bool,
    /// Shares of invited and imported records; the agent made the others.
    pub filled: [f64; 2],
    pub okta: Writing,
    /// Invitations, the payroll's list, and the computers.
    pub insightful: [Writing; 3],
    pub lone: Lone,
    /// Names in Okta and in Insightful.
    pub teams: Vec<[String; 2]>,
}

pub struct Style {
    pub subs: Vec<Sub>,
    pub domain: String,
    /// The main domain before the rebrand, and its day.
    pub old: Option<(String, i64)>,
    /// The share of those who still receive under the old one.
    pub keeps_old: f64,
    pub teams: Teams,
    /// When all accounts that existed were moved into Okta.
    pub okta_day: i64,
    /// Logins that are no addresses.
    pub short_logins: bool,
    pub numbers: bool,
    pub middles: bool,
    pub nicks: bool,
    pub displays: bool,
    /// How often whoever types is careless.
    pub dirt: f64,
    /// A factor for each kind of trap.
    pub factors: Vec<f64>,
}

const BRANDS: &[&str] = &[
    "halvern",
    "northmar",
    "quantiva",
    "bluekeel",
    "ostrava-steel",
    "tessera",
    "lumigroup",
    "arkadon",
    "veridia",
    "monteluce",
    "kestrelworks",
    "polarisco",
    "stonebay",
    "aurigen",
    "deltaforma",
    "novacroft",
];

pub const DEPARTMENTS: &[[&str; 2]] = &[
    ["Sales", "Sales"],
    ["Finance", "Finance & Accounting"],
    ["IT", "Information Technology"],
    ["HR", "People"],
    ["Logistics", "Logistics"],
    ["Customer Care", "Customer Service"],
    ["Production", "Production"],
    ["Quality", "QA"],
    ["R&D", "Engineering"],
    ["Legal", "Legal"],
    ["Marketing", "Marketing"],
    ["Procurement", "Purchasing"],
    ["Warehouse", "Warehouse"],
    ["Data", "Data & BI"],
];

fn one<T: Copy>(rng: &mut Rng, options: &[T; 4]) -> T {
    options[rng.usize(..4)]
}

impl Style {
    pub fn draw(rng: &mut Rng, size: usize, traps: usize) -> Self {
        let mut brands = BRANDS.to_vec();
        rng.shuffle(&mut brands);
        let end = one(rng, &["com", "com", "group", "io"]);
        let domain = format!("{}.{end}", brands[0]);
        let teams = one(
            rng,
            &[Teams::Mirrored, Teams::Mirrored, Teams::Renamed, Teams::Absent],
        );
        let teams = if teams == Teams::Absent && rng.bool() {
            Teams::Country
        } else {
            teams
        };
        let mut cultures: Vec<_> = CULTURES.iter().collect();
        rng.shuffle(&mut cultures);
        // Every other group has two companies in one country.
        let mut count = 2 + rng.usize(..4);
        if count > 2 && rng.bool() {
            cultures[count - 1] = cultures[0];
        }
        count = if size < 100 { count.min(3) } else { count };
        let shared = rng.f64() < 0.5;
        let subs = (0..count)
            .map(|i| {
                let culture = cultures[i];
                let country = culture.country;
                let own = match rng.usize(..4) {
                    0 => format!("{country}.{domain}"),
                    1 => format!("{}.{country}", brands[i + 1]),
                    2 => format!("{}-{country}.com", brands[0]),
                    _ => format!("{}.{country}", brands[0]),
                };
                let twice = (0..i).any(|j| cultures[j].code == culture.code);
                let own = if twice {
                    format!("{}.{country}", brands[i + 6])
                } else {
                    own
                };
                let mail = if shared && i != 1 { domain.clone() } else { own };
                let people = size / count;
                Sub::draw(
                    rng,
                    culture,
                    mail,
                    brands[i + if shared { 0 } else { 1 }],
                    teams,
                    people,
                )
            })
            .collect();
        let old = rng
            .bool()
            .then(|| (format!("{}.com", brands[12]), TODAY - rng.i64(150..1400)));
        Self {
            subs,
            old: if shared { old } else { None },
            domain,
            keeps_old: 0.02 + 0.05 * rng.f64(),
            teams,
            okta_day: TODAY - rng.i64(60..2600),
            short_logins: rng.f64() < 0.2,
            numbers: rng.f64() < 0.6,
            middles: rng.f64() < 0.3,
            nicks: rng.f64() < 0.3,
            displays: rng.f64() < 0.4,
            dirt: 0.15 * rng.f64(),
            factors: (0..traps).map(|_| 0.4 + 1.2 * rng.f64()).collect(),
        }
    }
}

impl Sub {
    fn draw(
        rng: &mut Rng,
        culture: &'static Culture,
        domain: String,
        brand: &str,
        teams: Teams,
        people: usize,
    ) -> Self {
        let letters = match culture.code {
            "da" | "nb" | "fi" | "is" if rng.bool() => Letters::Expanded,
            _ => Letters::Folded,
        };
        let local = match culture.shape {
            Shape::Vietnamese if rng.bool() => Local::GivenInitials,
            _ => LOCALS[rng.usize(..LOCALS.len())],
        };
        // A first name alone is an address in small companies only.
        let local = if local == Local::First && people > 30 {
            Local::FirstLast
        } else {
            local
        };
        let okta = Writing {
            native: rng.f64() < 0.12,
            letters: one(
                rng,
                &[Letters::Written, Letters::Written, Letters::Folded, letters],
            ),
            surnames: if rng.bool() {
                Surnames::Both
            } else {
                Surnames::Main
            },
            ..PLAIN
        };
        let native = rng.f64() < 0.3;
        let order = if culture.family_first && rng.bool() {
            Order::FamilyFirst
        } else {
            Order::GivenFirst
        };
        let invited = Writing {
            native: native && rng.bool(),
            order,
            letters: one(
                rng,
                &[
                    Letters::Written,
                    Letters::Written,
                    Letters::Folded,
                    Letters::Folded,
                ],
            ),
            ..PLAIN
        };
        let imported = Writing {
            native,
            order: one(rng, &[Order::GivenFirst, order, Order::FamilyFirst, Order::Comma]),
            middle: one(rng, &[Middle::None, Middle::None, Middle::Full, Middle::Initial]),
            surnames: if rng.f64() < 0.7 {
                Surnames::Both
            } else {
                Surnames::Main
            },
            shouted: rng.f64() < 0.15,
            ..invited
        };
        let computer = Writing {
            native: native && rng.bool(),
            order: one(rng, &[Order::GivenFirst, Order::GivenFirst, order, Order::Comma]),
            ..okta
        };
        let mix = one(rng, &[[0.9, 0.0], [0.5, 0.0], [0.2, 0.6], [0.1, 0.1]]);
        let [style, short] = [rng.usize(..4), rng.usize(..3)];
        let team = |i: usize| {
            let names = DEPARTMENTS[i % DEPARTMENTS.len()];
            let unit = if i < DEPARTMENTS.len() {
                String::new()
            } else {
                format!(" {}", i / DEPARTMENTS.len() + 1)
            };
            let land = culture.country.to_uppercase();
            let okta = match style {
                0 => format!("{}{unit} {land}", names[0]),
                1 => format!("{land} {}{unit}", names[0]),
                2 => format!("{}{unit} - {}", names[0], culture.city),
                _ => format!("{brand} {}{unit}", names[0]),
            };
            let insightful = match (teams, short) {
                (Teams::Mirrored, _) => okta.clone(),
                (Teams::Renamed, 0) => format!("{land} - {}{unit}", names[1]),
                (Teams::Renamed, 1) => format!("{}{unit} ({})", names[1], culture.city),
                (Teams::Renamed, _) => format!("{} / {}{unit}", culture.city, names[0]),
                (Teams::Country, _) => format!("{} {}", brand, culture.city),
                (Teams::Absent, _) => "Default team".to_owned(),
            };
            [okta, insightful]
        };
        Self {
            culture,
            share: 0.3 + rng.f64(),
            domain,
            local,
            address: Writing { letters, ..PLAIN },
            account: one(
                rng,
                &[
                    Account::AsAddress,
                    Account::AsAddress,
                    Account::InitialLast,
                    Account::Number,
                ],
            ),
            device: one(rng, &[Device::Domain, Device::Domain, Device::Host, Device::Bare]),
            windows: match rng.usize(..3) {
                0 => "CORP".to_owned(),
                1 => format!("{}01", culture.country.to_uppercase()),
                _ => slug(brand).to_uppercase().chars().take(8).collect(),
            },
            unmanaged: rng.f64() < 0.2,
            rollout: TODAY - rng.i64(30..1500),
            one_day: rng.bool(),
            filled: mix,
            okta,
            insightful: [invited, imported, computer],
            lone: one(rng, &[Lone::Repeated, Lone::Dot, Lone::Missing, Lone::Repeated]),
            teams: (0..(people / 14).clamp(3, 120)).map(team).collect(),
        }
    }
}

/// As Okta writes times.
pub fn rfc3339(day: i64, second: i64) -> String {
    // From days to a date: years begin in March, so that a leap day is the last one.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}
