//! A fixed company of 120 people with the cases that public reports about directory syncs, and recordings of the two
//! services, are full of. A generator draws its cases at random; these stand in every run.

use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person};

use super::{Company, Truth};

/// A record in Insightful: name, email, identifier, team.
type Record = (&'static str, &'static str, &'static str, &'static str);

struct Case {
    /// How the records came to be.
    class: &'static str,
    name: [&'static str; 2],
    email: &'static str,
    status: &'static str,
    team: &'static str,
    /// The person's own, the one to propose first.
    own: &'static [Record],
    /// Records of other humans who are not in Okta.
    others: &'static [Record],
    /// Whether a careful human could decide it.
    decidable: bool,
}

const fn case(
    class: &'static str,
    name: [&'static str; 2],
    email: &'static str,
    own: &'static [Record],
) -> Case {
    Case {
        class,
        name,
        email,
        status: "ACTIVE",
        team: "Sales",
        own,
        others: &[],
        decidable: true,
    }
}

const CASES: &[Case] = &[
    case(
        "AddressInOtherCase",
        ["Ines", "Barth"],
        "Ines.Barth@Acme.com",
        &[(
            "ines barth",
            "ines.barth@acme.com",
            "ines.barth@acme.com",
            "Sales",
        )],
    ),
    case(
        "LastNameFirst",
        ["Tomas", "Ekberg"],
        "tomas.ekberg@acme.com",
        &[(
            "Ekberg, Tomas",
            "tomas.ekberg@acme.com",
            "tomas.ekberg@acme.com",
            "Sales",
        )],
    ),
    case(
        "FamilyNameFirst",
        ["Thi Mai", "Nguyen"],
        "mai.nguyen@acme.com",
        &[(
            "Nguyen Thi Mai",
            "mai.nguyen@acme.com",
            "mai.nguyen@acme.com",
            "Sales",
        )],
    ),
    case(
        "Marks",
        ["Jörg", "Nuñez"],
        "joerg.nunez@acme.com",
        &[(
            "Joerg Nunez",
            "joerg.nunez@acme.com",
            "joerg.nunez@acme.com",
            "Sales",
        )],
    ),
    case(
        "OneName",
        ["Suharto", ""],
        "suharto@acme.com",
        &[("Suharto", "suharto@acme.com", "suharto@acme.com", "Sales")],
    ),
    case(
        "HanInOneWord",
        ["小明", "王"],
        "xm.wang@acme.com",
        &[("王小明", "xm.wang@acme.com", "xm.wang@acme.com", "Sales")],
    ),
    case(
        "Note",
        ["Paula", "Stern"],
        "paula.stern@acme.com",
        &[(
            "Paula Stern (Support)",
            "paula.stern@acme.com",
            "paula.stern@acme.com",
            "Sales",
        )],
    ),
    case(
        "Nickname",
        ["Robert", "Kessler"],
        "robert.kessler@acme.com",
        &[(
            "Bob Kessler",
            "robert.kessler@acme.com",
            "robert.kessler@acme.com",
            "Sales",
        )],
    ),
    case(
        "EmailChanged",
        ["Olga", "Reiter"],
        "olga.reiter@acme.com",
        &[("Olga Reiter", "oreiter@acme.com", "olga.reiter@acme.com", "Sales")],
    ),
    case(
        "NamedAfterComputer",
        ["Sven", "Lorenz"],
        "sven.lorenz@acme.com",
        &[("LT-1684", "sven.lorenz@acme.com", "sven.lorenz@acme.com", "Sales")],
    ),
    case(
        "AgentInTeam",
        ["Verena", "Holmquist"],
        "verena.holmquist@acme.com",
        &[("Verena Holmquist", "", "LAPTOP-7\\verena", "Sales")],
    ),
    // A name and nothing else: this one is the person, the next is not.
    Case {
        decidable: false,
        ..case(
            "OwnComputerWithoutTeam",
            ["Jonas", "Wirth"],
            "jonas.wirth@acme.com",
            &[("Jonas Wirth", "", "jonas@macbook", "Default")],
        )
    },
    Case {
        others: &[("Lena Vogt", "", "DESKTOP-9\\user", "Default")],
        decidable: false,
        ..case("NamesakesComputer", ["Lena", "Vogt"], "lena.vogt@acme.com", &[])
    },
    Case {
        others: &[("Anna Berg", "anna.berg2@acme.com", "anna.berg2@acme.com", "Sales")],
        decidable: false,
        ..case("NumberedNamesake", ["Anna", "Berg"], "anna.berg@acme.com", &[])
    },
    // The address was the one of a leaver whom Okta deleted.
    Case {
        others: &[("Karl Marlow", "eva.kern@acme.com", "eva.kern@acme.com", "Legal")],
        decidable: false,
        ..case("AddressUsedAgain", ["Eva", "Kern"], "eva.kern@acme.com", &[])
    },
    // The computer went on to somebody else with the record on it.
    Case {
        status: "DEPROVISIONED",
        others: &[("Rita Sommer", "", "rita.sommer@acme.com", "Support")],
        decidable: false,
        ..case(
            "ComputerOfLeaver",
            ["Rita", "Sommer"],
            "rita.sommer@acme.com",
            &[],
        )
    },
    Case {
        status: "DEPROVISIONED",
        others: &[("Mark Olsen", "hans.falk@acme.com", "hans.falk@acme.com", "Sales")],
        decidable: false,
        ..case(
            "RecordOfLeaverRenamed",
            ["Hans", "Falk"],
            "hans.falk@acme.com",
            &[],
        )
    },
    Case {
        status: "DEPROVISIONED",
        ..case(
            "Leaver",
            ["Nora", "Petri"],
            "nora.petri@acme.com",
            &[(
                "Nora Petri",
                "nora.petri@acme.com",
                "nora.petri@acme.com",
                "Sales",
            )],
        )
    },
    Case {
        others: &[("Reception", "office@acme.com", "office@acme.com", "Sales")],
        decidable: false,
        ..case("RoleMailbox", ["Ute", "Adler"], "office@acme.com", &[])
    },
    Case {
        own: &[(
            "Fred Quast Jr.",
            "fred.quast@acme.com",
            "fred.quast@acme.com",
            "Sales",
        )],
        decidable: false,
        ..case("ParentAndChild", ["Fred", "Quast"], "fred.quast@acme.com", &[])
    },
    case(
        "SeveralComputers",
        ["Gert", "Nagel"],
        "gert.nagel@acme.com",
        &[
            (
                "Gert Nagel",
                "gert.nagel@acme.com",
                "gert.nagel@acme.com",
                "Sales",
            ),
            ("Gert Nagel", "", "LAPTOP-8\\gert", "Default"),
        ],
    ),
];

pub fn generate() -> Company {
    let mut company = Company {
        people: Vec::new(),
        employees: Vec::new(),
        truths: Vec::new(),
    };
    for at in 0..120_u8 {
        let letters = [b'a' + at / 12, b'a' + at % 12].map(char::from);
        let [first, second] = letters;
        let name = [format!("Ro{first}{second}e"), format!("Bel{second}{first}ski")];
        let team = ["Sales", "Support", "Legal", "Finance", "Design"][usize::from(at % 5)];
        let email = format!("{}.{}@acme.com", name[0], name[1]).to_lowercase();
        let own = format!("{} {}", name[0], name[1]);
        add_person(
            &mut company,
            "Plain",
            [&name[0], &name[1]],
            &email,
            "ACTIVE",
            team,
            true,
        );
        add_record(&mut company, (&own, &email, &email, team), true);
    }
    for case in CASES {
        let Case {
            class,
            name,
            email,
            status,
            team,
            ..
        } = *case;
        add_person(&mut company, class, name, email, status, team, case.decidable);
        for record in case.own {
            add_record(&mut company, *record, true);
        }
        for record in case.others {
            add_record(&mut company, *record, false);
        }
    }
    company
}

fn add_person(
    company: &mut Company,
    class: &'static str,
    name: [&str; 2],
    email: &str,
    status: &str,
    team: &str,
    decidable: bool,
) {
    let id = format!("00u{:04}", company.people.len());
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let person = Person {
        id: id.as_str().into(),
        login: email.to_lowercase(),
        given_name: text(name[0]),
        family_name: text(name[1]),
        other_names: OtherNames::default(),
        email: text(email),
        second_email: None,
        title: None,
        employee_number: None,
        status: OktaStatus::from(status),
        transitioning_to: None,
        created: None,
        last_updated: None,
        attributes: Box::default(),
    };
    company.people.push((person, Some(team.to_owned())));
    company.truths.push(Truth {
        person: id,
        records: Vec::new(),
        old: Vec::new(),
        decidable,
        class,
    });
}

/// Adds a record, which is the last person's own or a stranger's.
fn add_record(company: &mut Company, (name, email, identifier, team): (&str, &str, &str, &str), own: bool) {
    let id = format!("w{:04}", company.employees.len());
    let employee = Employee {
        id: id.as_str().into(),
        name: name.to_owned(),
        email: email.to_owned(),
        identifier: identifier.to_owned(),
        team: team.into(),
        settings: None,
        deactivated: false,
        created_at: None,
    };
    company.employees.push((employee, team.to_owned()));
    if own && let Some(truth) = company.truths.last_mut() {
        truth.records.push(id);
    }
}
