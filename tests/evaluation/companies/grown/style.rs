//! What makes one company unlike another: its countries, conventions, age and tidiness.

use fastrand::Rng;

use super::{
    addresses::Convention,
    chance::{between, chance, one_of, pick, weighted},
    names::Custom,
    writing::{Sheet, Typist},
};

/// A country: its cities, the domains of its companies, and whose children work there.
struct Country {
    cities: &'static [&'static str],
    tld: &'static str,
    people: &'static [(Custom, f64)],
}

use Custom::*;

const COUNTRIES: [Country; 15] = [
    Country {
        cities: &["New York", "Austin", "Chicago", "Denver", "Boston", "Phoenix"],
        tld: "com",
        people: &[
            (English, 0.62),
            (Spanish, 0.14),
            (Indian, 0.07),
            (Chinese, 0.05),
            (German, 0.03),
            (Vietnamese, 0.02),
            (Arabic, 0.02),
            (Polish, 0.02),
            (Russian, 0.02),
            (French, 0.01),
        ],
    },
    Country {
        cities: &["London", "Leeds", "Manchester", "Dublin", "Glasgow"],
        tld: "co.uk",
        people: &[
            (English, 0.74),
            (Indian, 0.1),
            (Polish, 0.05),
            (Arabic, 0.04),
            (Chinese, 0.02),
            (Spanish, 0.02),
            (Portuguese, 0.02),
            (French, 0.01),
        ],
    },
    Country {
        cities: &["Berlin", "München", "Hamburg", "Köln", "Wien", "Zürich"],
        tld: "de",
        people: &[
            (German, 0.68),
            (Turkish, 0.08),
            (Russian, 0.06),
            (Polish, 0.05),
            (Arabic, 0.04),
            (English, 0.03),
            (Spanish, 0.02),
            (Indian, 0.02),
            (French, 0.02),
        ],
    },
    Country {
        cities: &["Paris", "Lyon", "Nantes", "Genève"],
        tld: "fr",
        people: &[
            (French, 0.76),
            (Arabic, 0.12),
            (Portuguese, 0.04),
            (Spanish, 0.03),
            (English, 0.02),
            (Vietnamese, 0.02),
            (Polish, 0.01),
        ],
    },
    Country {
        cities: &["Madrid", "Barcelona", "Valencia"],
        tld: "es",
        people: &[
            (Spanish, 0.9),
            (Arabic, 0.03),
            (English, 0.02),
            (Portuguese, 0.02),
            (French, 0.02),
            (German, 0.01),
        ],
    },
    Country {
        cities: &["Bogotá", "México", "Lima", "Buenos Aires"],
        tld: "com",
        people: &[(Spanish, 0.97), (English, 0.02), (Portuguese, 0.01)],
    },
    Country {
        cities: &["São Paulo", "Lisboa", "Porto", "Curitiba"],
        tld: "com.br",
        people: &[
            (Portuguese, 0.94),
            (Spanish, 0.02),
            (Japanese, 0.02),
            (German, 0.01),
            (English, 0.01),
        ],
    },
    Country {
        cities: &["Amsterdam", "Utrecht", "Antwerpen", "Eindhoven"],
        tld: "nl",
        people: &[
            (Dutch, 0.76),
            (Turkish, 0.05),
            (Arabic, 0.06),
            (English, 0.04),
            (Indonesian, 0.02),
            (German, 0.03),
            (Polish, 0.02),
            (Indian, 0.02),
        ],
    },
    Country {
        cities: &["Warszawa", "Kraków", "Wrocław", "Gdańsk"],
        tld: "pl",
        people: &[(Polish, 0.86), (Russian, 0.1), (English, 0.02), (Indian, 0.02)],
    },
    Country {
        cities: &["Kyiv", "Lviv", "Almaty", "Tbilisi"],
        tld: "com.ua",
        people: &[(Russian, 0.95), (Polish, 0.02), (Turkish, 0.02), (English, 0.01)],
    },
    Country {
        cities: &["Bangalore", "Chennai", "Pune", "Hyderabad", "Kochi"],
        tld: "in",
        people: &[(Indian, 0.98), (English, 0.01), (Arabic, 0.01)],
    },
    Country {
        cities: &["Dubai", "Cairo", "Riyadh", "Casablanca"],
        tld: "ae",
        people: &[
            (Arabic, 0.62),
            (Indian, 0.26),
            (English, 0.06),
            (Russian, 0.02),
            (French, 0.03),
            (Turkish, 0.01),
        ],
    },
    Country {
        cities: &["Shanghai", "Singapore", "Hong Kong", "Taipei"],
        tld: "com.sg",
        people: &[
            (Chinese, 0.84),
            (Indian, 0.06),
            (English, 0.04),
            (Indonesian, 0.03),
            (Japanese, 0.02),
            (Vietnamese, 0.01),
        ],
    },
    Country {
        cities: &["Ho Chi Minh City", "Hanoi", "Jakarta", "Tokyo"],
        tld: "asia",
        people: &[
            (Vietnamese, 0.45),
            (Indonesian, 0.3),
            (Japanese, 0.15),
            (Chinese, 0.06),
            (English, 0.04),
        ],
    },
    Country {
        cities: &["Istanbul", "Ankara", "Izmir"],
        tld: "com.tr",
        people: &[(Turkish, 0.94), (Arabic, 0.03), (German, 0.02), (English, 0.01)],
    },
];

/// How often a company's first office is in a country.
const HEADQUARTERS: [f64; 15] = [
    5.0, 3.0, 3.0, 1.5, 1.0, 1.5, 1.5, 1.5, 1.2, 1.0, 2.0, 1.0, 1.2, 1.0, 0.6,
];

/// Departments by the names that people have for them, with their share and what they do.
const DEPARTMENTS: [(&[&str], f64, &[&str]); 14] = [
    (
        &["Customer Support", "Support", "Customer Care", "Service Desk"],
        4.0,
        &["Support Agent", "Team Lead Support", "Support Specialist"],
    ),
    (
        &["Sales", "Sales Team", "Business Development"],
        3.0,
        &["Account Executive", "Sales Manager", "SDR"],
    ),
    (
        &["Operations", "Ops", "Business Operations"],
        3.0,
        &["Operations Analyst", "Operations Manager", "Coordinator"],
    ),
    (
        &["Engineering", "Development", "R&D", "Product Engineering"],
        3.0,
        &["Software Engineer", "QA Engineer", "Engineering Manager"],
    ),
    (
        &["Finance", "Accounting", "Finance & Accounting"],
        1.4,
        &["Accountant", "Controller", "Accounts Payable Clerk"],
    ),
    (
        &["Marketing", "Growth", "Marketing & Communications"],
        1.2,
        &["Content Manager", "Designer", "Marketing Manager"],
    ),
    (
        &["Human Resources", "HR", "People", "People & Culture"],
        0.7,
        &["HR Generalist", "Recruiter", "People Partner"],
    ),
    (
        &["IT", "Information Technology", "IT Services"],
        0.9,
        &["System Administrator", "IT Support", "Network Engineer"],
    ),
    (
        &["Logistics", "Warehouse", "Supply Chain"],
        1.6,
        &["Dispatcher", "Warehouse Clerk", "Planner"],
    ),
    (
        &["Claims", "Back Office", "Processing"],
        1.8,
        &["Case Handler", "Data Entry Clerk", "Claims Adjuster"],
    ),
    (&["Legal", "Legal & Compliance"], 0.4, &["Counsel", "Paralegal"]),
    (
        &["Procurement", "Purchasing"],
        0.5,
        &["Buyer", "Category Manager"],
    ),
    (
        &["Front Office", "Reception", "Office Management"],
        0.4,
        &["Receptionist", "Office Manager"],
    ),
    (
        &["Management", "Leadership", "Executive"],
        0.3,
        &["Director", "VP", "Chief of Staff"],
    ),
];

const BRANDS: [&str; 36] = [
    "acme",
    "northwind",
    "globex",
    "initech",
    "brightpath",
    "bluepeak",
    "fernhill",
    "kestrel",
    "lumen",
    "orchard",
    "quillon",
    "redwood",
    "silverline",
    "tessera",
    "umbra",
    "verity",
    "westbrook",
    "zephyr",
    "arbor",
    "beacon",
    "cobalt",
    "delphi",
    "everest",
    "fathom",
    "granite",
    "harbor",
    "ironbridge",
    "juniper",
    "keystone",
    "larkspur",
    "meridian",
    "novelis",
    "opaline",
    "pinnacle",
    "quantia",
    "riverton",
];

/// What an agent calls the record that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentName {
    User,
    DomainUser,
    UserAtMachine,
    Machine,
    /// The full name of the computer's account.
    Display,
}

/// How a record comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Invitation,
    Import,
    Agent,
    /// Copied from the HR system or an earlier directory, as it was then.
    Connector,
}

/// A place with people and one who keeps their records.
#[derive(Clone, Debug)]
pub struct Office {
    pub city: &'static str,
    country: usize,
    pub typist: Typist,
    pub weight: f64,
}

impl Office {
    fn draw(rng: &mut Rng, country: usize, weight: f64) -> Self {
        Self {
            city: *pick(rng, COUNTRIES[country].cities),
            country,
            typist: Typist::draw(rng),
            weight,
        }
    }

    pub fn culture(&self, rng: &mut Rng) -> Custom {
        one_of(rng, COUNTRIES[self.country].people)
    }
}

/// The company itself (the first) or one that it bought.
#[derive(Clone, Debug)]
pub struct Unit {
    pub domain: String,
    /// Domains given up, the latest last.
    pub former: Vec<String>,
    /// The domain of its computers, before the backslash.
    pub nt: String,
    pub emails: Convention,
    pub computers: Convention,
    pub offices: Vec<usize>,
    /// Whether computers know people's full names as "Doe, John".
    pub display_family_first: bool,
}

#[derive(Clone, Debug)]
pub struct Department {
    /// The name of the Okta group, or None where nobody made one.
    pub okta: Option<String>,
    pub insightful: String,
    pub titles: &'static [&'static str],
    pub weight: f64,
    /// The month in which its people came to Insightful, or None.
    pub tracked_from: Option<usize>,
    pub way: Way,
    pub is_it: bool,
    pub is_front: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teams {
    ByDepartment,
    ByOffice,
    ByBoth,
    OnlyDefault,
}

#[derive(Clone, Debug)]
pub struct Purchase {
    pub month: usize,
    pub people: usize,
    pub unit: usize,
    /// When its people get the buyer's addresses.
    pub moved_in: Option<usize>,
}

/// How Okta writes names.
#[derive(Clone, Copy, Debug)]
pub struct OktaHabits {
    /// From HR: legal names, with the preferred one beside.
    pub legal: bool,
    pub plain: bool,
    pub preferred_first: f64,
    pub middle: f64,
    pub display: f64,
    pub display_family_first: bool,
    pub nick: f64,
    pub native: f64,
    /// Logins are addresses of the computers' domain.
    pub login_is_account: bool,
    /// Before the domain in such logins.
    pub login_prefix: &'static str,
    pub second_email: f64,
    pub numbers: bool,
    /// A middle name or a second family name stands in the last name.
    pub upper_family: bool,
}

#[derive(Clone, Debug)]
pub struct Style {
    /// Accounts that Okta is to have in the end, about.
    pub accounts: usize,
    /// How long the company lives, in months.
    pub months: usize,
    pub okta_from: usize,
    pub insightful_from: usize,
    pub turnover: f64,
    /// How likely it is that somebody corrects what they see.
    pub tidiness: f64,
    pub okta_offboarding: f64,
    pub insightful_offboarding: f64,
    /// Months after which Okta's departed accounts are deleted.
    pub purge: Option<usize>,
    pub renewal: f64,
    pub agency: f64,
    pub contractors: f64,
    pub interns: f64,
    pub coverage: f64,
    pub agent_names: Vec<(AgentName, f64)>,
    pub sheet: Sheet,
    pub offices: Vec<Office>,
    pub departments: Vec<Department>,
    pub units: Vec<Unit>,
    pub purchases: Vec<Purchase>,
    pub rebrand: Option<usize>,
    pub okta: OktaHabits,
    pub okta_teams: Teams,
    pub insightful_teams: Teams,
    pub reuses_addresses: bool,
    /// How often an invitation goes to an address at home.
    pub private: f64,
}

impl Style {
    pub fn draw(rng: &mut Rng, size: usize) -> Self {
        let size = size.max(20);
        // Mostly near what was asked for; now and then as small as companies are.
        let accounts = if chance(rng, 0.12) {
            (20.0 * (size as f64 / 20.0).powf(rng.f64())) as usize
        } else {
            (size as f64 * between(rng, 0.5, 1.0)) as usize
        };
        let accounts = accounts.max(20);
        let months = rng.usize(60..220);
        let okta_from = (months as f64 * between(rng, 0.1, 0.7)) as usize;
        // Insightful before Okta for some: then it also has people who left before.
        let insightful_from = (months as f64 * between(rng, 0.25, 0.9)) as usize;
        let headquarters = weighted(rng, &HEADQUARTERS);
        let mut style = Self {
            accounts,
            months,
            okta_from,
            insightful_from,
            turnover: between(rng, 0.006, 0.028),
            tidiness: rng.f64(),
            okta_offboarding: between(rng, 0.85, 0.995),
            insightful_offboarding: between(rng, 0.4, 0.97),
            purge: chance(rng, 0.65).then(|| rng.usize(3..30)),
            renewal: between(rng, 0.008, 0.025),
            agency: if chance(rng, 0.6) {
                between(rng, 0.005, 0.1)
            } else {
                0.0
            },
            contractors: between(rng, 0.0, 0.15),
            interns: between(rng, 0.0, 0.06),
            coverage: between(rng, 0.8, 1.0),
            agent_names: agent_names(rng),
            sheet: Sheet::draw(rng),
            offices: Vec::new(),
            departments: Vec::new(),
            units: Vec::new(),
            purchases: Vec::new(),
            rebrand: None,
            okta: okta_habits(rng),
            okta_teams: one_of(
                rng,
                &[
                    (Teams::ByDepartment, 0.6),
                    (Teams::ByBoth, 0.2),
                    (Teams::ByOffice, 0.2),
                ],
            ),
            insightful_teams: one_of(
                rng,
                &[
                    (Teams::ByDepartment, 0.5),
                    (Teams::ByBoth, 0.2),
                    (Teams::ByOffice, 0.2),
                    (Teams::OnlyDefault, 0.1),
                ],
            ),
            reuses_addresses: chance(rng, 0.2),
            private: if chance(rng, 0.12) {
                between(rng, 0.1, 0.5)
            } else {
                0.03
            },
        };
        let offices = (1 + rng.usize(..=(accounts as f64).log10() as usize * 2)).min(6);
        style.add_unit(rng, headquarters, offices);
        style.rebrand = chance(rng, 0.22).then(|| rng.usize(months / 3..months - 6));
        let purchases = if accounts > 60 {
            weighted(rng, &[0.6, 0.28, 0.12])
        } else {
            0
        };
        for _ in 0..purchases {
            let country = if chance(rng, 0.5) {
                headquarters
            } else {
                weighted(rng, &HEADQUARTERS)
            };
            let offices = rng.usize(1..=2);
            style.add_unit(rng, country, offices);
            let month = rng.usize(months / 4..months - 4);
            style.purchases.push(Purchase {
                month,
                people: (accounts as f64 * between(rng, 0.05, 0.25)) as usize,
                unit: style.units.len() - 1,
                moved_in: chance(rng, 0.6).then(|| month + rng.usize(3..24)),
            });
        }
        style.departments = departments(rng, accounts, insightful_from, months);
        // Nobody buys Insightful for no department at all.
        style.departments[0].tracked_from.get_or_insert(insightful_from);
        style
    }

    fn add_unit(&mut self, rng: &mut Rng, country: usize, offices: usize) {
        let mut brand = *pick(rng, &BRANDS);
        while self.units.iter().any(|unit| unit.domain.starts_with(brand)) {
            brand = *pick(rng, &BRANDS);
        }
        let tld = COUNTRIES[country].tld;
        let domain = match rng.usize(..10) {
            0..5 => format!("{brand}.com"),
            5..7 => format!("{brand}.{tld}"),
            7..9 => format!(
                "{brand}{}.{tld}",
                pick(rng, &["group", "tech", "-services", "global", "labs"])
            ),
            _ => format!("{brand}.{}", pick(rng, &["io", "co", "net"])),
        };
        let first = self.offices.len();
        for index in 0..offices {
            let country = if index == 0 || chance(rng, 0.5) {
                country
            } else {
                weighted(rng, &HEADQUARTERS)
            };
            let weight = 1.0 / (index as f64 + 1.0).powf(1.3);
            self.offices.push(Office::draw(rng, country, weight));
        }
        self.units.push(Unit {
            domain,
            former: Vec::new(),
            nt: if chance(rng, 0.8) {
                brand.to_uppercase()
            } else {
                "CORP".to_owned()
            },
            emails: Convention::of_emails(rng, self.accounts < 80),
            computers: Convention::of_computers(rng, self.accounts < 80),
            offices: (first..first + offices).collect(),
            display_family_first: chance(rng, 0.3),
        });
    }

    /// The brand that a company takes on.
    pub fn new_domain(&self, rng: &mut Rng) -> String {
        let old = &self.units[0].domain;
        let (brand, tld) = old.split_once('.').unwrap_or((old, "com"));
        match rng.usize(..4) {
            0 => format!("{brand}.{}", if tld == "com" { "io" } else { "com" }),
            1 => format!("{brand}group.com"),
            _ => format!("{}{}.com", pick(rng, &BRANDS), pick(rng, &["", "hq", "works"])),
        }
    }
}

fn agent_names(rng: &mut Rng) -> Vec<(AgentName, f64)> {
    // One way dominates: that of the operating system that most computers have.
    let mut names = vec![
        (AgentName::User, 0.08),
        (AgentName::DomainUser, 0.06),
        (AgentName::UserAtMachine, 0.05),
        (AgentName::Machine, 0.06),
        (AgentName::Display, 0.2),
    ];
    let most = weighted(rng, &[0.3, 0.15, 0.1, 0.05, 0.4]);
    names[most].1 += 1.0;
    names
}

fn okta_habits(rng: &mut Rng) -> OktaHabits {
    OktaHabits {
        legal: chance(rng, 0.6),
        plain: chance(rng, 0.25),
        preferred_first: between(rng, 0.0, 0.5),
        middle: if chance(rng, 0.3) { 0.8 } else { 0.05 },
        display: if chance(rng, 0.5) { 0.95 } else { 0.1 },
        display_family_first: chance(rng, 0.2),
        nick: if chance(rng, 0.3) { 0.7 } else { 0.05 },
        native: if chance(rng, 0.06) { 0.6 } else { 0.005 },
        login_is_account: chance(rng, 0.22),
        login_prefix: one_of(rng, &[("", 0.5), ("corp.", 0.25), ("ad.", 0.25)]),
        second_email: between(rng, 0.0, 0.25),
        numbers: chance(rng, 0.6),
        upper_family: chance(rng, 0.05),
    }
}

fn departments(rng: &mut Rng, accounts: usize, from: usize, months: usize) -> Vec<Department> {
    let count = (3 + (accounts as f64).sqrt() as usize / 2).min(DEPARTMENTS.len());
    let mut left: Vec<usize> = (0..DEPARTMENTS.len()).collect();
    let usual = one_of(
        rng,
        &[
            (Way::Invitation, 0.28),
            (Way::Import, 0.2),
            (Way::Agent, 0.42),
            (Way::Connector, 0.1),
        ],
    );
    let tracks_all = chance(rng, 0.3);
    (0..count)
        .map(|_| {
            let weights: Vec<f64> = left.iter().map(|&index| DEPARTMENTS[index].1).collect();
            let index = left.swap_remove(weighted(rng, &weights));
            let (names, weight, titles) = DEPARTMENTS[index];
            let okta = *pick(rng, names);
            let way = if chance(rng, 0.7) {
                usual
            } else {
                one_of(
                    rng,
                    &[(Way::Invitation, 0.5), (Way::Import, 0.15), (Way::Agent, 0.35)],
                )
            };
            // Watched departments first; leadership seldom.
            let is_tracked = tracks_all
                || chance(
                    rng,
                    (0.55 + weight * 0.12).min(0.95) - if index == 13 { 0.35 } else { 0.0 },
                );
            let later = if chance(rng, 0.6) {
                0
            } else {
                rng.usize(..(months - from).max(1))
            };
            Department {
                okta: chance(rng, 0.94).then(|| okta.to_owned()),
                insightful: if chance(rng, 0.55) { okta } else { pick(rng, names) }.to_owned(),
                titles,
                weight,
                tracked_from: is_tracked.then_some(from + later),
                way,
                is_it: index == 7,
                is_front: index == 12,
            }
        })
        .collect()
}
