//! Each doubt that a company of some size teaches to weigh, beside what outweighs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    matching::{EmployeeRecord, Evidence, PersonRecord, Proposal, Verdict, propose, tests},
    model::{Employee, EvidenceKind, Person},
};

/// A company whose directories agree but for a few pairs.
struct Company {
    people: Vec<(Person, &'static str, bool)>,
    employees: Vec<(Employee, &'static str)>,
}

/// How a row's employee is recorded.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    email: &'static str,
    identifier: &'static str,
    team: &'static str,
}

const JANE: Row = Row {
    name: "Jane Doering",
    email: "jane.doering@acme.com",
    identifier: "jane.doering@acme.com",
    team: "Sales",
};

impl Company {
    /// 120 people in three teams. Each has an employee with their email and name.
    fn of_teams() -> Self {
        let mut company = Self {
            people: Vec::new(),
            employees: Vec::new(),
        };
        for at in 0..120_u8 {
            let word = |stem: &str| {
                format!(
                    "{stem}{}{}",
                    char::from(b'a' + at / 16),
                    char::from(b'a' + at % 16)
                )
            };
            let (given, family) = (word("Ro"), word("Bel"));
            let email = format!("{given}.{family}@acme.com").to_lowercase();
            let team = ["Sales", "Support", "Legal"][usize::from(at % 3)];
            company.add_person(&format!("c{at}"), [&given, &family], &email, team);
            company.employees.push((
                employee(&format!("c{at}"), &format!("{given} {family}"), &email, &email),
                team,
            ));
        }
        company
    }

    fn add_person(&mut self, id: &str, name: [&str; 2], email: &str, team: &'static str) -> &mut Person {
        let person = Person {
            login: email.into(),
            given_name: Some(name[0].into()),
            family_name: Some(name[1].into()),
            ..tests::person(id, "", Some(email))
        };
        self.people.push((person, team, false));
        let (person, ..) = self.people.last_mut().unwrap();
        person
    }

    /// Adds Jane, of Sales, and her employee.
    fn with_jane(mut self, row: Row) -> Self {
        self.add_person("jane", ["Jane", "Doering"], "jane.doering@acme.com", "Sales");
        self.add_employee("jane", row);
        self
    }

    fn add_employee(&mut self, id: &str, row: Row) {
        self.employees
            .push((employee(id, row.name, row.email, row.identifier), row.team));
    }

    /// Makes the employees of some colleagues records of the agent: no email, and a login of this domain.
    fn with_logins(mut self, domain: &str, colleagues: std::ops::Range<usize>) -> Self {
        for (employee, _) in &mut self.employees[colleagues] {
            let login = employee.email.split('@').next().unwrap_or_default();
            employee.identifier = format!("{domain}\\{login}");
            employee.email.clear();
        }
        self
    }

    fn departed(mut self, id: &str) -> Self {
        for (person, _, departed) in &mut self.people {
            *departed |= person.id.as_str() == id;
        }
        self
    }

    fn propose(&self, id: &str) -> Proposal {
        let evidence = Evidence {
            people: self
                .people
                .iter()
                .map(|(person, team, departed)| PersonRecord {
                    person,
                    departed: *departed,
                    team: Some(team),
                })
                .collect(),
            others: Vec::new(),
            employees: self
                .employees
                .iter()
                .map(|(employee, team)| EmployeeRecord {
                    employee,
                    team: Some(team),
                })
                .collect(),
            rejected: BTreeSet::new(),
            bound: BTreeMap::new(),
        };
        propose(&evidence).remove(&id.into()).unwrap()
    }
}

fn employee(id: &str, name: &str, email: &str, identifier: &str) -> Employee {
    Employee {
        identifier: identifier.into(),
        ..tests::employee(id, name, email)
    }
}

/// Asserts that a person's own employee is proposed, with this doubt first; None if it is automatic.
#[track_caller]
fn assert_doubt(company: &Company, id: &str, expected: Option<&str>) {
    let proposal = company.propose(id);
    let best = proposal.best().map(|best| best.employee.as_str());
    assert_eq!(best, Some(id), "{proposal:#?}");
    let first = proposal
        .doubts
        .first()
        .map(|doubt| doubt.split(':').next().unwrap());
    assert_eq!(first, expected, "{proposal:#?}");
    assert_eq!(
        proposal.verdict == Verdict::Auto,
        expected.is_none(),
        "{proposal:#?}"
    );
}

#[test]
fn the_employee_of_a_leaver_must_still_be_theirs() {
    let handed_on = Some("the person departed, and the employee has not their email");
    for (row, works, left) in [
        (JANE, None, None),
        (
            Row {
                name: "Jane Marlow",
                ..JANE
            },
            None,
            Some("different last names"),
        ),
        (
            Row {
                name: "陳大文",
                ..JANE
            },
            Some("the names are in different scripts"),
            Some("the names are in different scripts"),
        ),
        // The agent's record keeps the first email, whoever uses the computer now.
        (Row { email: "", ..JANE }, None, handed_on),
        (
            Row {
                email: "",
                identifier: "",
                ..JANE
            },
            None,
            None,
        ),
        (
            Row {
                email: "",
                identifier: "",
                team: "Legal",
                ..JANE
            },
            Some("no equal email confirms the name"),
            handed_on,
        ),
        (
            Row {
                email: "",
                identifier: "LT-77\\jane",
                ..JANE
            },
            None,
            handed_on,
        ),
    ] {
        let company = Company::of_teams().with_jane(row);
        println!("{} <{}> {} {}", row.name, row.email, row.identifier, row.team);
        assert_doubt(&company, "jane", works);
        assert_doubt(&company.departed("jane"), "jane", left);
    }
}

#[test]
fn the_employee_of_somebody_who_came_back_is_not_a_leavers() {
    let current = Some("the person departed, and the employee may be someone who works here now");
    for (name, email, expected) in [
        (
            ["Jane", "Doering"],
            "jane.doering2@acme.com",
            Some("several people or employees have this name"),
        ),
        (["Janni", "Doering"], "jane.doering2@acme.com", current),
        (["Janni", "Marlow"], "jane.marlow@acme.com", None),
    ] {
        let mut company = Company::of_teams().with_jane(JANE).departed("jane");
        company.add_person("back", name, email, "Sales");
        println!("{name:?}");
        assert_doubt(&company, "jane", expected);
        // Whoever has an employee of their own did not come back.
        let own = Row {
            name: "Janni Doering",
            email: "jane.doering2@acme.com",
            ..JANE
        };
        if name == ["Janni", "Doering"] {
            company.add_employee("back", own);
            assert_doubt(&company, "jane", None);
        }
    }
}

#[test]
fn the_account_of_somebody_who_came_back_is_the_newer_one() {
    let namesake = Some("several people or employees have this name");
    let current = Some("the person departed, and the employee may be someone who works here now");
    for (name, doubt) in [(["Jane", "Doering"], namesake), (["Janni", "Doering"], current)] {
        for (left, back, expected) in [
            (Some("2022-05-16T10:00:00Z"), Some("2024-02-01T10:00:00Z"), doubt),
            (Some("2022-05-16T10:00:00Z"), Some("2022-05-16T11:00:00Z"), doubt),
            (Some("2024-02-01T10:00:00Z"), Some("2022-05-16T10:00:00Z"), None),
            (Some("2024-02-01T10:00:00Z"), None, doubt),
            (None, Some("2022-05-16T10:00:00Z"), doubt),
        ] {
            let mut company = Company::of_teams().with_jane(JANE).departed("jane");
            company.add_person("back", name, "jane.doering2@acme.com", "Legal");
            // A namesake's, perhaps.
            company.add_employee(
                "back",
                Row {
                    email: "",
                    identifier: "DESKTOP-7\\jane",
                    team: "Legal",
                    ..JANE
                },
            );
            let mut accounts = company.people.iter_mut().rev().map(|(person, ..)| person);
            for created in [back, left] {
                accounts.next().unwrap().created = created.map(|created| created.parse().unwrap());
            }
            println!("{name:?} left: {left:?} back: {back:?}");
            assert_doubt(&company, "jane", expected);
        }
    }
}

#[test]
fn a_changed_last_name_is_nobody_elses() {
    let married = Row {
        name: "Jane Marlow",
        ..JANE
    };
    let mut company = Company::of_teams().with_jane(married);
    assert_doubt(&company, "jane", None);
    // The emails of the two may have been exchanged.
    company.add_person("other", ["Jane", "Marlow"], "jane.marlow@acme.com", "Legal");
    assert_ne!(company.propose("jane").verdict, Verdict::Auto);
    company.add_employee(
        "other",
        Row {
            name: "Jane Marlow",
            email: "jane.marlow@acme.com",
            identifier: "",
            team: "Legal",
        },
    );
    assert_doubt(&company, "jane", None);
}

#[test]
fn a_login_supports_a_name_if_it_is_of_the_companys_domain() {
    let row = |identifier| Row {
        email: "",
        identifier,
        team: "Back office",
        ..JANE
    };
    let name_only = Some("no equal email confirms the name");
    for (identifier, expected) in [
        ("ACME\\jdoering", None),
        // A computer, and the domain of another company whose people are not in Okta.
        ("LT-77\\jdoering", name_only),
        ("OTHER\\jdoering", name_only),
        // Somebody else's login, and one that tells namesakes apart.
        ("ACME\\roaa.belaa", Some("no equal email confirms the name")),
        (
            "ACME\\jdoering2",
            Some("the numbers in the emails or logins differ, as those of namesakes do"),
        ),
    ] {
        let mut company = Company::of_teams()
            .with_logins("ACME", 0..30)
            .with_jane(row(identifier));
        for (at, name) in ["Ida Brandt", "Otto Kranz", "Uwe Lindner", "Eva Pohl", "Kai Roth"]
            .iter()
            .enumerate()
        {
            let stranger = Row {
                name,
                ..row(["OTHER\\a1", "OTHER\\b2", "OTHER\\c3", "OTHER\\d4", "OTHER\\e5"][at])
            };
            company.add_employee(&format!("stranger{at}"), stranger);
        }
        println!("{identifier}");
        assert_doubt(&company, "jane", expected);
    }
}

#[test]
fn the_team_in_which_records_begin_supports_no_name() {
    let bare = Row {
        email: "",
        identifier: "",
        ..JANE
    };
    assert_doubt(&Company::of_teams().with_jane(bare), "jane", None);
    let mut company = Company::of_teams().with_jane(Row {
        team: "Default",
        ..bare
    });
    // Ten of Sales were never moved to their team, and nearly all records of the agent were not.
    for (_, team) in company
        .employees
        .iter_mut()
        .filter(|(_, team)| *team == "Sales")
        .take(10)
    {
        *team = "Default";
    }
    for at in 0..200 {
        company.add_employee(&format!("d{at}"), Row { name: "", ..bare });
        company.employees.last_mut().unwrap().1 = "Default";
    }
    assert_doubt(&company, "jane", Some("no equal email confirms the name"));
}

#[test]
fn an_account_for_administration_is_left_to_the_reviewer() {
    let mut company = Company::of_teams().with_jane(JANE);
    company.add_person(
        "adm",
        ["Jane", "Doering (Admin)"],
        "adm-jdoering@acme.com",
        "Sales",
    );
    company.add_employee(
        "adm",
        Row {
            name: "Doering, Jane (Admin)",
            email: "",
            identifier: "ACME\\adm-jdoering",
            ..JANE
        },
    );
    assert_doubt(&company, "jane", None);
    assert_ne!(company.propose("adm").verdict, Verdict::Auto);
}

#[test]
fn a_computers_name_is_no_persons() {
    for name in ["LT-1684", "DESKTOP-7QF2K1", "nb-x7kw", "PC-12"] {
        assert_doubt(&Company::of_teams().with_jane(Row { name, ..JANE }), "jane", None);
    }
}

#[test]
fn names_of_one_word_and_of_other_scripts_are_compared_whole() {
    for (given, family, name, email) in [
        ("Suharto", "", "Suharto", "suharto@acme.com"),
        ("", "Suharto", "suharto", "suharto@acme.com"),
        ("小明", "王", "王小明", "xm.wang@acme.com"),
        ("小明", "王", "小明 王", "xm.wang@acme.com"),
        ("さくら", "田中", "田中さくら", "sakura@acme.com"),
        ("민수", "김", "김민수", "minsu.kim@acme.com"),
        ("Thi Mai", "Nguyen", "Nguyen Thi Mai", "mai.nguyen@acme.com"),
    ] {
        let mut company = Company::of_teams();
        company.add_person("p", [given, family], email, "Sales");
        company.add_employee(
            "p",
            Row {
                name,
                email,
                identifier: email,
                team: "Sales",
            },
        );
        println!("{given} {family} / {name}");
        assert_doubt(&company, "p", None);
    }
}

#[test]
fn a_name_in_another_script_is_compared_with_the_one_that_an_email_spells() {
    let row = Row {
        name: "Tanaka, Sakura",
        email: "",
        identifier: "ACME\\stanaka",
        team: "Sales",
    };
    let scripts = Verdict::Nobody {
        unidentifiable: 0,
        other_script: 1,
    };
    for (name, email, row, expected) in [
        // Other records are in Kanji, too.
        (["さくら", "田中"], "sakura.tanaka@acme.com", row, Verdict::Auto),
        (
            ["Sakura", "Tanaka"],
            "s.tanaka@acme.com",
            Row {
                name: "田中さくら",
                email: "sakura.tanaka@acme.co.jp",
                identifier: "",
                ..row
            },
            Verdict::Review,
        ),
        // The equal email is no evidence of the employee's name.
        (
            ["Sakura", "Tanaka"],
            "sakura.tanaka@acme.com",
            Row {
                name: "田中さくら",
                email: "sakura.tanaka@acme.com",
                identifier: "",
                ..row
            },
            Verdict::Review,
        ),
        // Nothing can be compared, so that nobody is invited who may be the employee.
        (
            ["Sakura", "Tanaka"],
            "st77@acme.com",
            Row {
                name: "田中さくら",
                email: "",
                identifier: "",
                team: "Legal",
            },
            scripts,
        ),
    ] {
        let mut company = Company::of_teams();
        company.add_person("kanji", ["陽子", "田中"], "yoko.tanaka@acme.com", "Legal");
        company.add_employee(
            "kanji",
            Row {
                name: "田中陽子",
                email: "yoko.tanaka@acme.com",
                identifier: "",
                team: "Legal",
            },
        );
        company.add_person("p", name, email, "Sales");
        company.add_employee("p", row);
        let proposal = company.propose("p");
        assert_eq!(proposal.verdict, expected, "{name:?} {}: {proposal:#?}", row.name);
    }
}

#[test]
fn a_tag_in_an_email_is_the_mailbox_of_one_human() {
    let mut company = Company::of_teams().with_jane(JANE);
    company.add_employee(
        "tagged",
        Row {
            email: "jane.doering+1@acme.com",
            identifier: "",
            ..JANE
        },
    );
    let proposal = company.propose("jane");
    assert_eq!(proposal.best().map(|best| best.employee.as_str()), Some("jane"));
    assert_eq!(proposal.verdict, Verdict::Review, "{proposal:#?}");
}

#[test]
fn evidence_is_named_by_what_the_records_share() {
    use EvidenceKind::{
        SameEmailAndName, SameEmailNoName, SameEmailOtherFirstName, SameEmailOtherLastName,
        SameEmailOtherName, SameEmailPartialName, SameNameAndTeam, SameNameOnly, SameNameOtherEmail,
        SameNameSimilarEmail, SharedMailbox,
    };
    for (row, expected) in [
        (JANE, SameEmailAndName),
        (
            Row {
                name: "J. Doering",
                ..JANE
            },
            SameEmailPartialName,
        ),
        (
            Row {
                name: "Jane Marlow",
                ..JANE
            },
            SameEmailOtherLastName,
        ),
        (
            Row {
                name: "Karl Doering",
                ..JANE
            },
            SameEmailOtherFirstName,
        ),
        (
            Row {
                name: "Karl Marlow",
                ..JANE
            },
            SameEmailOtherName,
        ),
        (
            Row {
                name: "LT-1684",
                ..JANE
            },
            SameEmailAndName,
        ),
        (
            Row {
                name: "陳大文",
                ..JANE
            },
            SameEmailNoName,
        ),
        (
            Row {
                email: "",
                identifier: "",
                ..JANE
            },
            SameNameAndTeam,
        ),
        (
            Row {
                email: "",
                identifier: "",
                team: "Back office",
                ..JANE
            },
            SameNameOnly,
        ),
        (
            Row {
                email: "jdoering@acme.com",
                identifier: "",
                ..JANE
            },
            SameNameOtherEmail,
        ),
        (
            Row {
                email: "jane.doering@gmail.com",
                identifier: "",
                ..JANE
            },
            SameNameSimilarEmail,
        ),
    ] {
        let proposal = Company::of_teams().with_jane(row).propose("jane");
        let best = proposal.best().or(proposal.candidates.first()).unwrap();
        assert_eq!(
            best.evidence, expected,
            "{} <{}>: {proposal:#?}",
            row.name, row.email
        );
    }
    let mut company = Company::of_teams().with_jane(JANE);
    company.add_employee(
        "other",
        Row {
            name: "Karl Marlow",
            ..JANE
        },
    );
    assert_eq!(company.propose("jane").best().unwrap().evidence, SharedMailbox);
}

#[test]
fn a_login_in_the_domain_of_another_company_supports_no_name() {
    let logins = ["BETA\\i", "BETA\\o", "BETA\\u", "BETA\\e", "BETA\\k", "BETA\\l"];
    let names = ["Ida", "Otto", "Uwe", "Eva", "Kai", "Lea"];
    let emails = [
        "i@beta.com",
        "o@beta.com",
        "u@beta.com",
        "e@beta.com",
        "k@beta.com",
        "l@beta.com",
    ];
    let full = [
        "Ida Brandt",
        "Otto Brandt",
        "Uwe Brandt",
        "Eva Brandt",
        "Kai Brandt",
        "Lea Brandt",
    ];
    for (identifier, expected) in [
        ("ACME\\jdoering", None),
        ("BETA\\jdoering", Some("no equal email confirms the name")),
    ] {
        let row = |name, identifier| Row {
            name,
            email: "",
            identifier,
            team: "Back office",
        };
        let mut company = Company::of_teams()
            .with_logins("ACME", 0..30)
            .with_jane(row("Jane Doering", identifier));
        company.people.last_mut().unwrap().0.login = "jdoering@acme.com".into();
        for at in 0..names.len() {
            let id = format!("beta{at}");
            company.add_person(&id, [names[at], "Brandt"], emails[at], "Sales");
            company.add_employee(&id, row(full[at], logins[at]));
        }
        assert_doubt(&company, "jane", expected);
    }
}

#[test]
fn a_team_supports_no_name_if_the_dates_make_it_unlikely() {
    let bare = Row {
        email: "",
        identifier: "",
        ..JANE
    };
    const DAY: i64 = 86_400_000;
    for (after, expected) in [(3, None), (-400, Some("no equal email confirms the name"))] {
        let mut company = Company::of_teams().with_jane(bare);
        for at in 0..company.people.len() {
            let hired = 18_000 + 7 * i64::try_from(at).unwrap();
            let created = jiff::Timestamp::from_millisecond(hired * DAY).unwrap();
            company.people[at].0.created = Some(created.to_string());
            let days = match at {
                120 => after,
                _ if at % 24 == 0 => -400,
                _ => 3,
            };
            company.employees[at].0.created_at = Some((hired + days) * DAY);
        }
        assert_doubt(&company, "jane", expected);
    }
}

#[test]
fn another_private_email_is_another_persons() {
    let row = Row {
        email: "jane.d@gmail.com",
        ..JANE
    };
    for (second, expected) in [
        (None, None),
        (
            Some("jane1990@gmail.com"),
            Some("the person has another private email in Okta"),
        ),
    ] {
        let mut company = Company::of_teams().with_jane(Row {
            identifier: "",
            ..row
        });
        company.people.last_mut().unwrap().0.second_email = second.map(str::to_owned);
        assert_doubt(&company, "jane", expected);
    }
}

#[test]
fn an_email_that_tells_namesakes_apart_is_a_namesakes() {
    for (email, expected) in [
        // A short form of the name, which the person may have had before.
        ("jane@acme.com", None),
        ("jane.doring@acme.com", Some("different emails")),
        ("jane.dorring2@acme.com", Some("different emails")),
    ] {
        let mut company = Company::of_teams().with_jane(Row {
            name: "Jane Döring",
            email,
            identifier: "",
            ..JANE
        });
        company.people.last_mut().unwrap().0.family_name = Some("Döring".into());
        assert_doubt(&company, "jane", expected);
    }
}

#[test]
fn the_initial_of_another_first_name_is_no_typo() {
    let mut company = Company::of_teams();
    company.add_person("jane", ["Mounir", "Yousfi"], "yousfim@acme.com", "Sales");
    let row = |name| Row {
        name,
        email: "yousfik@acme.com",
        identifier: "",
        team: "Back office",
    };
    company.add_employee("jane", row("Khaled Mounir Yousfi"));
    assert_ne!(company.propose("jane").verdict, Verdict::Auto);
    company.employees.pop();
    company.add_employee("jane", row("Mounir Yousfi"));
    assert_doubt(&company, "jane", None);
}

#[test]
fn a_former_account_of_somebody_who_works_here_has_no_employee_of_its_own() {
    let mut company = Company::of_teams().with_jane(JANE).departed("jane");
    company.employees.last_mut().unwrap().0.deactivated = true;
    assert_doubt(&company, "jane", None);
    company.add_person("new", ["Jane", "Doering"], "jane.doering@acme.com", "Sales");
    company.add_employee("new", JANE);
    assert_ne!(company.propose("jane").verdict, Verdict::Auto);
}

#[test]
fn somebody_may_have_come_back_by_another_form_of_the_first_name() {
    let row = Row {
        name: "Robert Doering",
        email: "rdoering@acme.com",
        identifier: "",
        ..JANE
    };
    for (given, expected) in [
        ("Rita", None),
        (
            "Bob",
            Some("the person departed, and the employee may be someone who works here now"),
        ),
    ] {
        let mut company = Company::of_teams();
        company.add_person("jane", ["Robert", "Doering"], "rdoering@acme.com", "Sales");
        company.add_employee("jane", row);
        company.add_person("new", [given, "Doering"], "rdoering2@acme.com", "Legal");
        assert_doubt(&company.departed("jane"), "jane", expected);
    }
}

#[test]
fn an_employee_with_the_mailbox_name_cannot_be_ruled_out() {
    for (name, email, row, is_shown) in [
        // The letters that the export lost.
        (
            ["Thượng Nghị", "Trần"],
            "nghi.tran@acme.com",
            ("Th??ng Ngh? Tr?n", "nghi_tran@acme.com", ""),
            true,
        ),
        // In another script.
        (
            ["Moshe", "Friedman"],
            "mfriedman@acme.com",
            ("משה פרידמן", "", "mfriedman@il01.local"),
            true,
        ),
        // By a form of the first name that no list has.
        (
            ["Ira", "Belenko"],
            "irina.belenko@acme.com",
            ("Irina Belenko", "", "PC-7\\user"),
            true,
        ),
        (
            ["Ira", "Belenko"],
            "ira.belenko@acme.com",
            ("Viktor Hansen", "v.hansen@acme.com", ""),
            false,
        ),
    ] {
        let mut company = Company::of_teams();
        company.add_person("jane", name, email, "Sales");
        let (name, email, identifier) = row;
        company.add_employee(
            "jane",
            Row {
                name,
                email,
                identifier,
                team: "Legal",
            },
        );
        let proposal = company.propose("jane");
        let is_nobody = matches!(proposal.verdict, Verdict::Nobody { .. });
        assert_eq!(is_nobody, !is_shown, "{name}: {proposal:#?}");
        assert_ne!(proposal.verdict, Verdict::Auto, "{name}");
    }
}

/// A company in which the logins of some colleagues are made of employee numbers, and Jane's record has only hers.
fn company_of_numbers(colleagues: std::ops::Range<usize>, prefix: &str) -> Company {
    let mut company = Company::of_teams();
    for ((person, ..), (employee, _)) in company.people.iter_mut().zip(&mut company.employees) {
        let at: usize = person.id.as_str()[1..].parse().unwrap();
        person.employee_number = Some(format!("{}", 10_400 + at));
        if colleagues.contains(&at) {
            employee.identifier = format!("ACME\\{prefix}{}", 10_400 + at);
            employee.email.clear();
        }
    }
    let person = company.add_person("jane", ["Jane", "Doering"], "jane.doering@acme.com", "Sales");
    person.employee_number = Some("10999".into());
    company.add_employee(
        "jane",
        Row {
            name: "u10999",
            email: "",
            identifier: "ACME\\u10999",
            team: "Sales",
        },
    );
    company
}

#[test]
fn a_login_made_of_the_employee_number_is_the_persons() {
    assert_doubt(&company_of_numbers(0..3, "u"), "jane", None);
    // The company makes none, or too few, or others.
    for (colleagues, prefix) in [(0..0, "u"), (0..2, "u"), (0..3, "x")] {
        let proposal = company_of_numbers(colleagues, prefix).propose("jane");
        assert_ne!(proposal.verdict, Verdict::Auto, "{prefix}: {proposal:#?}");
    }
    // Numbers that contradict the names are other numbers, such as those of computers.
    let mut company = company_of_numbers(0..3, "u");
    for at in 50..60 {
        let (employee, _) = &mut company.employees[at];
        employee.identifier = format!("ACME\\u{}", 10_400 + at + 10);
    }
    assert_ne!(company.propose("jane").verdict, Verdict::Auto);
}

#[test]
fn a_login_may_be_cut_after_eight_letters() {
    for (login, is_hers) in [("jdoering", true), ("jdoerin", false), ("jdoeringe", false)] {
        let mut company = Company::of_teams().with_logins("ACME", 0..12);
        company.add_person("jane", ["Jane", "Doeringer"], "jane.doeringer@acme.com", "Sales");
        company.add_employee(
            "jane",
            Row {
                name: login,
                email: "",
                identifier: "",
                team: "Sales",
            },
        );
        let proposal = company.propose("jane");
        assert_eq!(
            proposal.verdict == Verdict::Review,
            is_hers,
            "{login}: {proposal:#?}"
        );
    }
}
