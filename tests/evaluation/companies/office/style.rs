//! What is drawn once for a company: its conventions and its past.

use super::{
    dice::Dice,
    names::{Culture, Script, capital, in_address},
};

/// The day on which the two directories are read, counted from 1970.
pub const TODAY: i64 = 20_420;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    FirstDotLast,
    InitialLast,
    FirstInitial,
    First,
    LastDotFirst,
    LastInitial,
    FirstUnderscoreLast,
    FirstLast,
}

impl Convention {
    pub fn local(self, first: &str, last: &str) -> String {
        let [f, l] = [first, last].map(|name| name.chars().take(1).collect::<String>());
        match self {
            Self::FirstDotLast => format!("{first}.{last}"),
            Self::InitialLast => format!("{f}{last}"),
            Self::FirstInitial => format!("{first}{l}"),
            Self::First => first.to_owned(),
            Self::LastDotFirst => format!("{last}.{first}"),
            Self::LastInitial => format!("{last}{f}"),
            Self::FirstUnderscoreLast => format!("{first}_{last}"),
            Self::FirstLast => format!("{first}{last}"),
        }
    }
}

/// How the HR system writes a name in its export.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ExportedName {
    FirstLast,
    LastCommaFirst,
    CapitalLastCommaFirst,
    CapitalLastFirst,
    FirstMiddleLast,
    LastCommaFirstMiddle,
    TitleFirstLast,
}

/// How a record came into Insightful.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Export,
    Invitation,
    Directory,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Login {
    Email,
    Upn,
    Short,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// All who worked then on the first day, everybody else some days after they began.
    Follow,
    /// Once a month, whoever is new.
    Batches,
    /// The account was recently filled within one hour.
    OneDay,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TeamNames {
    Mirrored,
    Renamed,
    Managers,
    Sites,
    Everyone,
}

/// How a directory spells names.
#[derive(Clone, Copy)]
pub struct Spelling {
    pub script: Script,
    /// Without the marks on letters.
    pub plain: bool,
    pub both_surnames: bool,
}

impl Spelling {
    fn draw(dice: &mut Dice, scripts: &[(u32, Script)]) -> Self {
        Self {
            script: dice.weighted(scripts),
            plain: dice.chance(0.3),
            both_surnames: dice.chance(0.4),
        }
    }
}

pub struct Team {
    pub okta: String,
    pub insightful: String,
}

pub struct Style {
    pub domain: String,
    pub old_domain: Option<String>,
    pub rebranded: i64,
    pub convention: Convention,
    pub old_convention: Option<Convention>,
    pub convention_changed: i64,
    /// How many Insightful records had their address changed with the mailbox.
    pub kept_up: f64,
    /// Namesakes are told apart by the middle initial and not by a figure.
    pub middle_initial: bool,
    pub cultures: Vec<(u32, usize)>,
    pub okta_spelling: Spelling,
    pub insightful_spelling: Spelling,
    pub exported_name: ExportedName,
    pub exported_with_emails: bool,
    pub exported_with_numbers: bool,
    pub channels: Vec<(u32, Channel)>,
    pub ad_domain: String,
    pub ad_with_emails: bool,
    /// What the account's name on a computer is made of, where it is not the mailbox.
    pub account: Option<Convention>,
    pub ad_identifier: u8,
    pub ad_name: u8,
    pub login: Login,
    pub preferred_names: f64,
    pub nicks: f64,
    pub displays: f64,
    pub second_emails: f64,
    pub numbers: f64,
    pub number_prefix: &'static str,
    pub titles: f64,
    pub founded: i64,
    pub okta_since: i64,
    pub insightful_since: i64,
    pub dates: Dates,
    pub teams: Vec<Team>,
    pub team_names: TeamNames,
    pub teamless: f64,
    pub moved: f64,
    /// How careless those are who type names by hand.
    pub dirt: f64,
    pub agencies: Vec<String>,
    pub contractors: f64,
    pub leavers: f64,
    /// How many leavers' records were deactivated.
    pub cleaned_up: f64,
    pub absent: f64,
    pub orphans: f64,
}

const BRANDS: &[&str] = &[
    "brightledger",
    "halvorsen",
    "nordquay",
    "medioteca",
    "axiomcare",
    "tellura",
    "papergrid",
    "ostrava-line",
    "cloudmesh",
    "finvista",
    "kestrelworks",
    "lumio",
    "claimwise",
    "solventa",
    "harborpoint",
    "datavane",
];
const ENDINGS: &[&str] = &[".com", ".com", ".com", ".io", ".eu", ".co", ".net", ".group"];
const AGENCIES: &[&str] = &[
    "staffbridge.com",
    "talentforce.eu",
    "kontraktor.pl",
    "hireloop.io",
    "proforma-bpo.com",
];
const SITES: &[&str] = &[
    "Berlin",
    "Warsaw",
    "Madrid",
    "London",
    "Austin",
    "Lyon",
    "Milan",
    "Porto",
    "Stockholm",
    "Prague",
    "Istanbul",
    "Kyiv",
];
const DEPARTMENTS: &[(&str, &str)] = &[
    ("Customer Support", "CS"),
    ("Engineering", "Dev"),
    ("Sales", "Account Executives"),
    ("Operations", "Ops"),
    ("Finance", "Accounting"),
    ("Marketing", "Mktg"),
    ("People Operations", "HR"),
    ("Quality Assurance", "QA"),
    ("Product", "PM"),
    ("Customer Success", "CSM"),
    ("IT", "Helpdesk"),
    ("Claims", "Claims Handling"),
    ("Business Development", "BizDev"),
    ("Data", "BI & Reporting"),
    ("Logistics", "Supply Chain"),
    ("Legal", "Legal & Compliance"),
    ("Design", "UX"),
    ("Payroll", "Payroll + Benefits"),
    ("Recruiting", "Talent"),
    ("Procurement", "Purchasing"),
    ("Research", "R&D"),
    ("Security", "InfoSec"),
    ("Facilities", "Office"),
    ("Executive", "Management"),
];

impl Style {
    pub fn draw(dice: &mut Dice, cultures: &[Culture], size: usize) -> Self {
        let mut brands = BRANDS.to_vec();
        let brand = brands.swap_remove(dice.below(brands.len()));
        let domain = format!("{brand}{}", dice.pick(ENDINGS));
        let old_brand = dice.pick(&brands);
        let age = dice.between(3, 16) * 365;
        let founded = TODAY - age;
        let dates = dice.weighted(&[(50, Dates::Follow), (25, Dates::Batches), (25, Dates::OneDay)]);
        let filled_ago = if dates == Dates::OneDay {
            dice.between(10, 120)
        } else {
            dice.between(150, 1500)
        };
        let channels = dice.pick(&[
            [70, 20, 10],
            [15, 75, 10],
            [15, 10, 75],
            [45, 45, 10],
            [34, 33, 33],
            [92, 8, 0],
        ]);
        let contracting = dice.chance(0.6);
        let convention = dice.weighted(CONVENTIONS);
        let team_names = dice.weighted(&[
            (40, TeamNames::Mirrored),
            (25, TeamNames::Renamed),
            (12, TeamNames::Managers),
            (13, TeamNames::Sites),
            (10, TeamNames::Everyone),
        ]);
        Self {
            old_domain: dice
                .chance(0.3)
                .then(|| format!("{old_brand}{}", dice.pick(ENDINGS))),
            rebranded: TODAY - dice.between(60, 900),
            old_convention: dice
                .chance(0.3)
                .then(|| dice.weighted(OLD_CONVENTIONS))
                .filter(|old| *old != convention),
            convention,
            convention_changed: TODAY - dice.between(60, 900),
            kept_up: dice.pick(&[0.0, 0.3, 0.6, 0.9]),
            middle_initial: dice.chance(0.2),
            cultures: draw_cultures(dice, cultures),
            okta_spelling: Spelling::draw(dice, &[(85, Script::Latin), (15, Script::Native)]),
            insightful_spelling: Spelling::draw(
                dice,
                &[(50, Script::Latin), (30, Script::Native), (20, Script::Other)],
            ),
            exported_name: dice.weighted(EXPORTED_NAMES),
            exported_with_emails: dice.chance(0.8),
            exported_with_numbers: dice.chance(0.3),
            channels: channels
                .into_iter()
                .zip([Channel::Export, Channel::Invitation, Channel::Directory])
                .collect(),
            ad_domain: dice.pick(&["CORP", "AD", "INTRA", "EMEA", ""]).to_owned(),
            ad_with_emails: dice.chance(0.65),
            account: dice.chance(0.4).then_some(Convention::InitialLast),
            ad_identifier: dice.below(4) as u8,
            ad_name: dice.pick(&[0, 0, 1, 1, 2, 3]),
            login: dice.weighted(&[(80, Login::Email), (13, Login::Upn), (7, Login::Short)]),
            preferred_names: dice.pick(&[0.0, 0.0, 0.2, 0.6]),
            nicks: dice.pick(&[0.0, 0.0, 0.3, 0.8]),
            displays: dice.pick(&[0.0, 0.3, 0.95]),
            second_emails: dice.pick(&[0.0, 0.15, 0.7]),
            numbers: dice.pick(&[0.0, 0.0, 0.6, 1.0]),
            number_prefix: dice.pick(&["", "", "E", "EMP-", "00"]),
            titles: dice.pick(&[0.0, 0.5, 0.95]),
            founded,
            okta_since: TODAY - dice.between(100, 1600).min(age - 100),
            insightful_since: TODAY - filled_ago.min(age - 200),
            dates,
            teams: draw_teams(dice, cultures, team_names, size),
            team_names,
            teamless: dice.pick(&[0.0, 0.03, 0.15]),
            moved: dice.share(0.02, 0.12),
            dirt: dice.pick(&[0.02, 0.06, 0.15]),
            agencies: AGENCIES
                .iter()
                .filter(|_| dice.chance(0.5))
                .map(|agency| (*agency).to_owned())
                .collect(),
            contractors: if contracting {
                dice.share(0.01, 0.08)
            } else {
                0.003
            },
            leavers: dice.pick(&[0.03, 0.08, 0.15]),
            cleaned_up: dice.pick(&[0.2, 0.6, 0.95]),
            absent: dice.share(0.06, 0.09),
            orphans: dice.share(0.05, 0.09),
            domain,
        }
    }

    /// Whether the team of an employee says anything about the person's.
    pub fn teams_tell(&self) -> bool {
        !matches!(self.team_names, TeamNames::Sites | TeamNames::Everyone)
    }
}

const CONVENTIONS: &[(u32, Convention)] = &[
    (50, Convention::FirstDotLast),
    (20, Convention::InitialLast),
    (6, Convention::FirstInitial),
    (6, Convention::First),
    (4, Convention::LastDotFirst),
    (4, Convention::LastInitial),
    (5, Convention::FirstUnderscoreLast),
    (5, Convention::FirstLast),
];

/// What companies had when they were small.
const OLD_CONVENTIONS: &[(u32, Convention)] = &[
    (45, Convention::First),
    (30, Convention::InitialLast),
    (15, Convention::FirstInitial),
    (10, Convention::FirstLast),
];

const EXPORTED_NAMES: &[(u32, ExportedName)] = &[
    (35, ExportedName::FirstLast),
    (25, ExportedName::LastCommaFirst),
    (8, ExportedName::CapitalLastCommaFirst),
    (5, ExportedName::CapitalLastFirst),
    (12, ExportedName::FirstMiddleLast),
    (10, ExportedName::LastCommaFirstMiddle),
    (5, ExportedName::TitleFirstLast),
];

/// One culture that most people are of, and some others.
fn draw_cultures(dice: &mut Dice, cultures: &[Culture]) -> Vec<(u32, usize)> {
    let weights: Vec<(u32, usize)> = cultures.iter().map(|culture| culture.weight).zip(0..).collect();
    let main = dice.weighted(&weights);
    let others = dice.between(1, 6);
    let mut drawn = vec![(dice.between(45, 95) as u32, main)];
    for _ in 0..others {
        drawn.push((dice.between(2, 14) as u32, dice.weighted(&weights)));
    }
    drawn
}

fn draw_teams(dice: &mut Dice, cultures: &[Culture], names: TeamNames, size: usize) -> Vec<Team> {
    let departments = &DEPARTMENTS[..(size / 14).clamp(3, DEPARTMENTS.len())];
    let first_site = dice.below(SITES.len());
    let sites = (size / 250).clamp(1, 6);
    let mut teams = Vec::new();
    for (okta, short) in departments {
        for at in 0..sites {
            let site = SITES[(first_site + at) % SITES.len()];
            let at_site = |name: &str| {
                if sites > 1 {
                    format!("{name} - {site}")
                } else {
                    name.to_owned()
                }
            };
            let culture = dice.pick(&[&cultures[0], &cultures[1]]);
            let manager = dice.common(&culture.family).male.latin();
            teams.push(Team {
                okta: at_site(okta),
                insightful: match names {
                    TeamNames::Mirrored => at_site(okta),
                    TeamNames::Renamed if sites > 1 => {
                        format!("{} {short}", capital(&in_address(site, false)[..3]))
                    }
                    TeamNames::Renamed => (*short).to_owned(),
                    TeamNames::Managers => format!("Team {manager}"),
                    TeamNames::Sites => site.to_owned(),
                    TeamNames::Everyone => "Default team".to_owned(),
                },
            });
        }
    }
    teams
}
