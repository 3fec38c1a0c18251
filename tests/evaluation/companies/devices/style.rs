//! The conventions of a company, drawn once.

use fastrand::Rng;

use super::names::Culture;

/// The day that is today, counted from 1970: 2026-03-01.
pub const TODAY: i64 = 20_513;

pub fn pick<T: Copy>(rng: &mut Rng, list: &[T]) -> T {
    list[rng.usize(..list.len())]
}

/// Whether an event of so many per cent occurs.
pub fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(..100) < percent
}

/// One of the list, by weight.
pub fn weighted<T: Copy>(rng: &mut Rng, list: &[(T, u32)]) -> T {
    let mut draw = rng.u32(..list.iter().map(|(_, weight)| weight).sum::<u32>().max(1));
    for (value, weight) in list {
        if draw < *weight {
            return *value;
        }
        draw -= weight;
    }
    list[0].0
}

/// How an account's name is made of a person's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    InitialFamily,
    GivenInitial,
    GivenDotFamily,
    FamilyInitial,
    InitialDotFamily,
    Given,
    /// `flast`, cut after eight letters, as long as mainframes needed it.
    Eight,
    Number,
}

impl Rule {
    pub fn apply(self, given: &str, family: &str, number: u32) -> String {
        let initial = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        match self {
            Self::InitialFamily => initial(given) + family,
            Self::GivenInitial => given.to_owned() + &initial(family),
            Self::GivenDotFamily => format!("{given}.{family}"),
            Self::FamilyInitial => family.to_owned() + &initial(given),
            Self::InitialDotFamily => format!("{}.{family}", initial(given)),
            Self::Given => given.to_owned(),
            Self::Eight => (initial(given) + family).chars().take(8).collect(),
            Self::Number => format!("e{number}"),
        }
    }
}

/// How the directory writes a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    GivenFamily,
    FamilyCommaGiven,
    FamilyGivenFirm,
    UpperFamily,
    WithDepartment,
}

#[derive(Clone, Debug)]
pub struct Firm {
    /// The name of the Windows domain.
    pub domain: &'static str,
    pub mail: &'static str,
    pub account: Rule,
    pub address: Rule,
    pub display: Display,
    /// Whether the directory has names without diacritics.
    pub ascii: bool,
}

/// The last five are of one language each.
const FIRMS: [(&str, &str); 16] = [
    ("NEWCO", "newco.com"),
    ("HARBR", "harborfreightline.com"),
    ("CORP", "alder-ridge.com"),
    ("OLDCO", "oldco.co.uk"),
    ("MEDLINK", "medlink.health"),
    ("AD", "brightwater.io"),
    ("TRIDENT", "trident-insurance.com"),
    ("LUMEN8", "lumen8.studio"),
    ("INTERNAL", "parcelfox.com"),
    ("QNTM", "quantumledger.com"),
    ("OFFICE", "hollis-and-grant.com"),
    ("ATLAS", "atlasbpo.com.br"),
    ("VBG", "vbg-logistik.de"),
    ("PRODUKTION", "kessler-werke.de"),
    ("SUDOUEST", "sudouest-services.fr"),
    ("KPL", "kpl.nl"),
];

const RULES: [(Rule, u32); 7] = [
    (Rule::InitialFamily, 32),
    (Rule::GivenDotFamily, 22),
    (Rule::GivenInitial, 8),
    (Rule::FamilyInitial, 8),
    (Rule::InitialDotFamily, 10),
    (Rule::Eight, 10),
    (Rule::Number, 14),
];

const DISPLAYS: [(Display, u32); 5] = [
    (Display::GivenFamily, 50),
    (Display::FamilyCommaGiven, 28),
    (Display::FamilyGivenFirm, 8),
    (Display::UpperFamily, 6),
    (Display::WithDepartment, 8),
];

/// What the agent ran on, and so what it saw of its user. The names are those of the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// A PC in the domain: the directory's name and `DOMAIN\login`.
    Domain,
    /// The same without a display name.
    DomainLogin,
    /// Joined to the cloud directory: `AzureAD\GivenFamily`.
    Azure,
    /// A Mac or a PC whose user is known by an address.
    Address,
    /// Set up with a Microsoft account: the full name, and the first five letters of an address.
    Microsoft,
    Mac,
    LocalDotted,
    LocalFirst,
    LocalInitial,
    /// The account that came with the computer.
    Generic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsBy {
    Okta,
    /// Only those whom somebody has sorted; the others are in the default team.
    OktaInPart,
    /// The directory's, of a department or a site.
    OrganisationalUnit,
    DefaultTeam,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OktaLogin {
    Email,
    /// The account in the domain with the firm's mail domain (the directory's principal name).
    Principal,
    /// The account alone.
    Account,
}

pub struct Style {
    pub firms: Vec<Firm>,
    pub cultures: Vec<(Culture, u32)>,
    pub devices: Vec<(Device, u32)>,
    /// Whether the computers are in Windows domains.
    pub has_domain: bool,
    pub teams_by: TeamsBy,
    pub default_team: &'static str,
    pub okta_login: OktaLogin,
    pub has_display: bool,
    pub has_numbers: bool,
    pub has_titles: bool,
    /// Before this day nobody was in Okta: who was hired earlier was imported on it.
    pub okta_import: i64,
    /// The day on which the agent was rolled out.
    pub rollout: i64,
    /// Over how many days the roll-out went on.
    pub rollout_days: i64,
    /// How many days the company exists.
    pub age: i64,
    pub separator: char,
    /// Per mille of people whose record an admin has given an email.
    pub renamed: u32,
    /// Per mille of people who share a computer in a hall.
    pub kiosk: u32,
    /// Per cent of names typed by hand that have a slip.
    pub slips: u32,
    /// Per cent of the second firm's people who have moved to the first one's mail domain.
    pub moved: u32,
}

impl Style {
    pub fn draw(rng: &mut Rng, size: usize) -> Self {
        let okta_import = TODAY - rng.i64(200..2_600);
        let (devices, kiosk) = Self::draw_devices(rng);
        let has_directory = devices
            .iter()
            .any(|(device, _)| matches!(device, Device::Domain | Device::Azure));
        let cultures = Self::draw_cultures(rng);
        let merged = chance(rng, 30);
        let first = match cultures[0].0 {
            Culture::German => pick(rng, &[12, 13]),
            Culture::French => 14,
            Culture::Dutch => 15,
            Culture::Brazilian => 11,
            _ => rng.usize(..11),
        };
        let second = (first + rng.usize(1..FIRMS.len())) % FIRMS.len();
        let mut firms = vec![Self::draw_firm(rng, first, size)];
        if merged {
            firms.push(Self::draw_firm(rng, second, size));
            // Two firms mostly hit on the same convention, which is why their logins collide.
            if chance(rng, 65) {
                firms[0].account = Rule::InitialFamily;
                firms[1].account = Rule::InitialFamily;
            }
        }
        Self {
            firms,
            has_domain: devices.iter().any(|(device, _)| *device == Device::Domain),
            cultures,
            devices,
            teams_by: weighted(
                rng,
                &[
                    (TeamsBy::Okta, 50),
                    (TeamsBy::OktaInPart, 22),
                    (TeamsBy::OrganisationalUnit, if has_directory { 16 } else { 0 }),
                    (TeamsBy::DefaultTeam, 12),
                ],
            ),
            default_team: pick(
                rng,
                &["Default team", "Default Team", "Unassigned", "All employees"],
            ),
            okta_login: weighted(
                rng,
                &[
                    (OktaLogin::Email, 65),
                    (OktaLogin::Principal, 25),
                    (OktaLogin::Account, 10),
                ],
            ),
            has_display: chance(rng, 40),
            has_numbers: chance(rng, 60),
            has_titles: chance(rng, 80),
            okta_import,
            rollout: TODAY - rng.i64(40..1_300),
            rollout_days: pick(rng, &[1, 5, 30, 120, 400]),
            age: rng.i64(1_200..9_000),
            separator: if chance(rng, 55) { '\\' } else { '/' },
            renamed: rng.u32(10..130),
            kiosk,
            slips: rng.u32(2..20),
            moved: rng.u32(10..70),
        }
    }

    fn draw_firm(rng: &mut Rng, at: usize, size: usize) -> Firm {
        let (domain, mail) = FIRMS[at];
        let account = weighted(rng, &RULES);
        let own = [
            (Rule::GivenDotFamily, 60),
            (Rule::InitialFamily, 20),
            (Rule::InitialDotFamily, 12),
            (Rule::GivenInitial, 8),
            // Only small companies get by with first names.
            (Rule::Given, if size < 150 { 25 } else { 0 }),
        ];
        let address = if account != Rule::Number && account != Rule::Eight && chance(rng, 55) {
            account
        } else if account == Rule::Eight && chance(rng, 60) {
            Rule::InitialFamily
        } else {
            weighted(rng, &own)
        };
        Firm {
            domain,
            mail,
            account,
            address,
            display: weighted(rng, &DISPLAYS),
            ascii: chance(rng, 35),
        }
    }

    fn draw_devices(rng: &mut Rng) -> (Vec<(Device, u32)>, u32) {
        use Device::*;
        let kinds: [(Vec<(Device, u32)>, u32); 5] = [
            // An office on domain PCs.
            (
                vec![
                    (Domain, 78),
                    (DomainLogin, 5),
                    (Mac, 7),
                    (Address, 3),
                    (LocalDotted, 3),
                    (LocalFirst, 3),
                    (Generic, 1),
                ],
                4,
            ),
            // A hall with an office.
            (
                vec![
                    (Domain, 68),
                    (DomainLogin, 14),
                    (LocalDotted, 6),
                    (LocalInitial, 5),
                    (LocalFirst, 4),
                    (Generic, 3),
                ],
                20,
            ),
            // Joined to the cloud directory.
            (
                vec![
                    (Azure, 72),
                    (Address, 8),
                    (Mac, 12),
                    (LocalFirst, 4),
                    (LocalDotted, 3),
                    (Generic, 1),
                ],
                4,
            ),
            // An agency or start-up on the people's own laptops.
            (
                vec![
                    (Microsoft, 30),
                    (Mac, 24),
                    (LocalFirst, 17),
                    (LocalInitial, 10),
                    (LocalDotted, 11),
                    (Address, 5),
                    (Generic, 3),
                ],
                2,
            ),
            // Macs.
            (
                vec![
                    (Mac, 70),
                    (LocalFirst, 10),
                    (LocalInitial, 6),
                    (Address, 8),
                    (Microsoft, 5),
                    (Generic, 1),
                ],
                2,
            ),
        ];
        let at = weighted(rng, &[(0, 36), (1, 16), (2, 14), (3, 20), (4, 14)]);
        kinds[at].clone()
    }

    fn draw_cultures(rng: &mut Rng) -> Vec<(Culture, u32)> {
        use Culture::*;
        let kinds: [&[(Culture, u32)]; 6] = [
            &[(English, 92), (Brazilian, 4), (French, 3), (Dutch, 1)],
            &[
                (English, 70),
                (French, 12),
                (Brazilian, 10),
                (German, 5),
                (Italian, 3),
            ],
            &[
                (German, 78),
                (Turkish, 6),
                (English, 10),
                (Italian, 3),
                (French, 3),
            ],
            &[(French, 85), (English, 8), (Brazilian, 5), (Italian, 2)],
            &[(Dutch, 66), (English, 18), (German, 10), (Turkish, 6)],
            &[(Brazilian, 84), (English, 10), (Italian, 6)],
        ];
        let mut cultures =
            kinds[weighted(rng, &[(0, 35), (1, 22), (2, 14), (3, 12), (4, 8), (5, 9)])].to_vec();
        if chance(rng, 20) {
            cultures.push((if chance(rng, 50) { Japanese } else { Chinese }, rng.u32(2..9)));
        }
        cultures
    }
}

/// The last one's people have no computer of their own.
const DEPARTMENTS: [(&str, [&str; 3]); 15] = [
    ("Sales", ["Account Executive", "Sales Manager", "Inside Sales"]),
    (
        "Customer Support",
        ["Support Agent", "Support Lead", "Technical Support"],
    ),
    ("Finance", ["Accountant", "Controller", "Payroll Specialist"]),
    (
        "Operations",
        ["Operations Analyst", "Dispatcher", "Operations Manager"],
    ),
    (
        "Engineering",
        ["Software Engineer", "Senior Software Engineer", "QA Engineer"],
    ),
    ("Marketing", ["Content Manager", "Designer", "SEO Specialist"]),
    ("Logistics", ["Planner", "Freight Coordinator", "Shift Lead"]),
    ("IT", ["System Administrator", "Service Desk", "Network Engineer"]),
    ("Human Resources", ["HR Generalist", "Recruiter", "HR Assistant"]),
    ("Claims", ["Claims Handler", "Claims Manager", "Loss Adjuster"]),
    ("Purchasing", ["Buyer", "Category Manager", "Purchasing Clerk"]),
    ("Legal", ["Counsel", "Paralegal", "Compliance Officer"]),
    (
        "Back Office",
        ["Data Entry Clerk", "Case Worker", "Back Office Lead"],
    ),
    ("Quality", ["Quality Engineer", "Auditor", "Lab Technician"]),
    ("Warehouse", ["Picker", "Packer", "Forklift Driver"]),
];

const SITES: [&str; 12] = [
    "Berlin",
    "Leeds",
    "Austin",
    "Lyon",
    "Utrecht",
    "Porto Alegre",
    "Toronto",
    "Cleveland",
    "Graz",
    "Manila",
    "Dublin",
    "Tulsa",
];

/// The department of the hall.
pub const WAREHOUSE: usize = DEPARTMENTS.len() - 1;

/// A department at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    pub department: usize,
    pub site: usize,
}

impl Post {
    /// Small companies have few departments, all on one site.
    pub fn draw(rng: &mut Rng, size: usize) -> Self {
        let departments = (3 + size / 25).min(WAREHOUSE);
        let sites = (1 + size / 300).min(SITES.len());
        let skewed = |rng: &mut Rng, most: usize| rng.usize(..most).min(rng.usize(..most + 1));
        Self {
            department: skewed(rng, departments),
            site: skewed(rng, sites),
        }
    }

    pub fn department(self) -> &'static str {
        DEPARTMENTS[self.department].0
    }

    pub fn title(self, rng: &mut Rng) -> &'static str {
        pick(rng, &DEPARTMENTS[self.department].1)
    }

    /// The organisational unit: of the site where there are several, else of the department.
    pub fn unit(self, size: usize) -> String {
        if size < 600 {
            format!("{} Users", self.department())
        } else {
            format!("OU {}", SITES[self.site])
        }
    }

    /// The team's name in Okta.
    pub fn team(self, size: usize) -> String {
        if size < 600 {
            return self.department().to_owned();
        }
        format!("{} {}", self.department(), SITES[self.site])
    }
}
