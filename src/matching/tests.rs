//! Proposals for small directories.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{Employee, OktaStatus, OtherNames, Person, PersonId};

const NOBODY: Verdict = Verdict::Nobody {
    unidentifiable: 0,
    other_script: 0,
};

pub(super) fn person(id: &str, name: &str, email: Option<&str>) -> Person {
    let (given, family) = name.split_once(' ').unwrap_or((name, ""));
    Person {
        id: id.into(),
        login: id.into(),
        given_name: Some(given.into()),
        family_name: Some(family.into()),
        email: email.map(str::to_owned),
        other_names: OtherNames::default(),
        second_email: None,
        title: None,
        employee_number: None,
        status: OktaStatus::Active,
        transitioning_to: None,
        created: None,
        last_updated: None,
        attributes: Box::default(),
    }
}

pub(super) fn employee(id: &str, name: &str, email: &str) -> Employee {
    Employee {
        id: id.into(),
        name: name.into(),
        email: email.into(),
        identifier: email.into(),
        team: "t".into(),
        settings: None,
        deactivated: false,
        created_at: None,
    }
}

fn evidence<'a>(people: &'a [Person], employees: &'a [Employee]) -> Evidence<'a> {
    Evidence {
        people: people
            .iter()
            .map(|person| PersonRecord {
                person,
                departed: false,
                team: None,
            })
            .collect(),
        others: Vec::new(),
        employees: employees
            .iter()
            .map(|employee| EmployeeRecord { employee, team: None })
            .collect(),
        rejected: BTreeSet::new(),
        bound: BTreeMap::new(),
    }
}

fn outcome(proposals: &BTreeMap<PersonId, Proposal>, id: &str) -> (Verdict, Option<String>) {
    let proposal = &proposals[&id.into()];
    (
        proposal.verdict,
        proposal.best().map(|best| best.employee.to_string()),
    )
}

#[test]
fn only_an_equal_email_with_matching_names_is_automatic() {
    use Verdict::{Auto, Review};
    for (name, email, employee_name, employee_email, expected) in [
        (
            "Jane Doe",
            Some("Jane@Acme.com "),
            "jane doe",
            "jane@acme.com",
            Auto,
        ),
        (
            "Jörg Müller",
            Some("jm@acme.com"),
            "Jorg Muller",
            "jm@acme.com",
            Auto,
        ),
        (
            "Jane Doe",
            Some("jane@acme.com"),
            "Doe, Jane",
            "jane@acme.com",
            Auto,
        ),
        ("Jane Doe", Some("jane@acme.com"), "J. Doe", "jane@acme.com", Auto),
        (
            "Jane Doe",
            Some("jane@acme.com"),
            "Mark Smith",
            "jane@acme.com",
            Review,
        ),
        (
            "Jane Doe",
            Some("jane@acme.com"),
            "Jane Doe",
            "jane@old.com",
            Review,
        ),
        ("Jane Doe", None, "Jane Doe", "jane@acme.com", Review),
        (
            "Jane Doe",
            Some("jane@acme.com"),
            "Ann Lee",
            "ann@acme.com",
            NOBODY,
        ),
    ] {
        let people = [person("p", name, email)];
        let employees = [employee("e", employee_name, employee_email)];
        let proposals = propose(&evidence(&people, &employees));
        assert_eq!(
            outcome(&proposals, "p").0,
            expected,
            "{name} {email:?} / {employee_name} {employee_email}"
        );
    }
}

#[test]
fn a_shared_email_needs_review() {
    let people = [
        person("p1", "Jane Doe", Some("x@a.com")),
        person("p2", "Jane Doe", Some("x@a.com")),
    ];
    let employees = [employee("e1", "Jane Doe", "x@a.com")];
    let proposals = propose(&evidence(&people, &employees));
    assert_eq!(outcome(&proposals, "p1"), (Verdict::Review, Some("e1".into())));
    assert_eq!(outcome(&proposals, "p2"), (Verdict::Review, Some("e1".into())));

    let people = [person("p1", "Jane Doe", Some("x@a.com"))];
    let employees = [
        employee("e2", "Jane Doe", "x@a.com"),
        employee("e1", "Jane Doe", "x@a.com"),
    ];
    let proposals = propose(&evidence(&people, &employees));
    assert_eq!(
        outcome(&proposals, "p1"),
        (Verdict::Review, Some("e1".into())),
        "equal candidates are ordered by id"
    );
}

#[test]
fn rejected_employees_are_not_shown_and_bound_ones_not_proposed() {
    let people = [person("p1", "Jane Doe", Some("x@a.com"))];
    let employees = [employee("e1", "Jane Doe", "x@a.com")];
    let mut rejected = evidence(&people, &employees);
    rejected.rejected.insert(("p1".into(), "e1".into()));
    assert_eq!(outcome(&propose(&rejected), "p1"), (NOBODY, None));
    let doubts = &propose(&rejected)[&"p1".into()].doubts;
    assert_eq!(
        doubts[0],
        "employee Jane Doe (e1) has this email, but is rejected for this person"
    );

    let mut taken = evidence(&people, &employees);
    taken.bound.insert("e1".into(), "p2".into());
    assert_eq!(outcome(&propose(&taken), "p1"), (NOBODY, None));
    let shown = &propose(&taken)[&"p1".into()];
    let [held] = &shown.candidates[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(held.matched_to, Some("p2".into()));
    assert_eq!(held.resemblance, Resemblance::Address);
    assert!(held.confidence.percent() > 90, "{held:?}");
    assert!(shown.doubts.is_empty(), "{:?}", shown.doubts);
    taken.bound.insert("e1".into(), "p1".into());
    assert_eq!(
        outcome(&propose(&taken), "p1"),
        (Verdict::Auto, Some("e1".into()))
    );
}

#[test]
fn a_deactivated_employee_of_a_current_person_needs_review() {
    let people = [person("p1", "Jane Doe", Some("x@a.com"))];
    let mut employees = [employee("e1", "Jane Doe", "x@a.com")];
    employees[0].deactivated = true;
    assert_eq!(
        outcome(&propose(&evidence(&people, &employees)), "p1").0,
        Verdict::Review
    );
    let mut left = evidence(&people, &employees);
    left.people[0].departed = true;
    assert_eq!(outcome(&propose(&left), "p1").0, Verdict::Auto);
}

/// The proposal for the first person.
fn first(people: &[Person], employees: &[Employee]) -> Proposal {
    propose(&evidence(people, employees))[&people[0].id].clone()
}

#[test]
fn one_kind_of_evidence_needs_review() {
    for (why, name, email, employee_name, employee_email, doubt) in [
        (
            "a reassigned address",
            "Jane Doe",
            "jdoe@a.com",
            "John Doe",
            "jdoe@a.com",
            "different first names",
        ),
        (
            "twins",
            "Mary Doe",
            "mdoe@a.com",
            "Mark Doe",
            "mdoe@a.com",
            "different first names",
        ),
        (
            "a son",
            "John Doe Jr.",
            "jdoe@a.com",
            "John Doe",
            "jdoe@a.com",
            "parent and child",
        ),
        (
            "father and son",
            "John Doe Jr.",
            "jdoe@a.com",
            "John Doe Sr.",
            "jdoe@a.com",
            "different suffixes",
        ),
        (
            "a shared mailbox",
            "John Doe",
            "info@a.com",
            "John Doe",
            "info@a.com",
            "shared mailbox",
        ),
        (
            "middle names",
            "John A. Doe",
            "jdoe@a.com",
            "John B. Doe",
            "jdoe@a.com",
            "different middle names",
        ),
        (
            "a namesake",
            "John Doe",
            "john.doe2@a.com",
            "John Doe",
            "john.doe@a.com",
            "different emails",
        ),
        (
            "a sister company",
            "John Doe",
            "john.doe@a.com",
            "John Doe",
            "john.doe@b.com",
            "different emails",
        ),
        (
            "an account",
            "John Doe",
            "jdoe@a.com",
            "DESKTOP-1\\jdoe",
            "",
            "account name",
        ),
    ] {
        let (given, family) = name.rsplit_once(" Doe").unwrap_or((name, ""));
        let mut person = person("p", "x y", Some(email));
        person.given_name = Some(given.into());
        person.family_name = Some(format!("Doe{family}"));
        let proposal = first(&[person], &[employee("e", employee_name, employee_email)]);
        assert_eq!(proposal.verdict, Verdict::Review, "{why}");
        assert_eq!(proposal.candidates.len(), 1, "{why}");
        assert!(
            proposal.doubts.iter().any(|text| text.contains(doubt)),
            "{why}: {:?}",
            proposal.doubts
        );
    }
}

/// The proposal for a person and an employee with the same address, without dates.
fn at_one_address(given: &str, family: &str, address: &str, name: &str) -> Proposal {
    let mut person = person("p", "x y", Some(address));
    (person.given_name, person.family_name) = (Some(given.into()), Some(family.into()));
    first(&[person], &[employee("e", name, address)])
}

#[test]
fn an_address_that_fits_two_names_may_be_reassigned() {
    use Verdict::{Auto, Review};
    for (given, family, address, name, expected) in [
        ("Jane", "Smith", "jsmith@a.com", "Jean Smith", Review),
        ("Jane", "Smith", "jane.smith@a.com", "Jean Smith", Auto),
        ("Robert", "Smith", "rsmith@a.com", "Bob Smith", Auto),
        ("Mary", "Smith", "msmith@a.com", "Marie Smith", Review),
        ("Rajesh", "Kumar", "rkumar@a.com", "Rakesh Kumar", Review),
        ("Rajesh", "Kumar", "rajesh.kumar@a.com", "Rakesh Kumar", Auto),
        ("Jonathan", "Doe", "jdoe@a.com", "Jnoathan Doe", Auto),
        ("Anna Maria", "Doe", "doe@a.com", "Maria Doe", Review),
        ("Michael", "Doe", "mdoe@a.com", "Michal Doe", Review),
        ("Wei", "Xu", "w@a.com", "Wei Xue", Review),
        (
            "María",
            "García López",
            "maria.garcia@a.com",
            "María García Fernández",
            Review,
        ),
        (
            "María",
            "García López",
            "maria.garcia@a.com",
            "María García",
            Auto,
        ),
    ] {
        let proposal = at_one_address(given, family, address, name);
        assert_eq!(
            proposal.verdict, expected,
            "{given} {family} / {name}: {:?}",
            proposal.doubts
        );
    }
}

#[test]
fn an_unromanized_name_is_compared_by_the_address() {
    use Verdict::{Auto, Review};
    for (given, family, address, name, expected) in [
        ("太郎", "田中", "taro.tanaka@a.com", "Taro Tanaka", Auto),
        ("철수", "김", "chulsoo.kim@a.com", "Chulsoo Kim", Auto),
        ("太郎", "田中", "tanaka@a.com", "Taro Tanaka", Review),
        ("太郎", "田中", "t@a.com", "田中 太郎", Auto),
        ("太郎", "田中", "t@a.com", "田中太郎", Auto),
        ("伟", "王", "w.wang@a.com", "王 薇", Review),
        ("伟", "王", "w.wang@a.com", "王薇", Review),
    ] {
        let proposal = at_one_address(given, family, address, name);
        assert_eq!(
            proposal.verdict, expected,
            "{given} {family} / {name}: {:?}",
            proposal.doubts
        );
    }
    // Without a common address, the name in the address finds the employee.
    let mut person = person("p", "x y", Some("taro.tanaka@a.com"));
    (person.given_name, person.family_name) = (Some("太郎".into()), Some("田中".into()));
    assert_eq!(
        first(&[person], &[employee("e", "Taro Tanaka", "")]).verdict,
        Review
    );
}

#[test]
fn a_middle_initial_in_an_address_is_not_a_typo() {
    for (own, theirs, expected) in [
        ("john.d.smith", "john.r.smith", Verdict::Review),
        ("jdsmith", "jrsmith", Verdict::Review),
        ("jsmith", "jrsmith", Verdict::Review),
        ("john.smith", "john.rsmith", Verdict::Review),
        ("smithj", "smithjr", Verdict::Review),
        ("john.smith", "jonh.smith", Verdict::Auto),
        ("john.smith", "john.smyth", Verdict::Auto),
    ] {
        let address = |local: &str| format!("{local}@a.com");
        let person = person("p", "John Smith", Some(&address(own)));
        let proposal = first(&[person], &[employee("e", "John Smith", &address(theirs))]);
        assert_eq!(
            proposal.verdict, expected,
            "{own} {theirs}: {:?}",
            proposal.doubts
        );
    }
}

#[test]
fn a_domain_of_a_sister_company_is_not_a_former_domain() {
    let names = ["Ann Lee", "Tom Roe", "Eve Low", "Bob Fox"];
    let mails = |name: &str, domain: &str| format!("{}@{domain}", name.to_lowercase().replace(' ', "."));
    let mut people: Vec<Person> = names
        .iter()
        .map(|name| person(name, name, Some(&mails(name, "acme.com"))))
        .collect();
    let sisters: Vec<Employee> = names
        .iter()
        .map(|name| employee(&format!("{name} of the sister"), name, &mails(name, "sister.com")))
        .collect();
    people.insert(0, person("new", "Maria Garcia", Some("maria.garcia@acme.com")));
    let mut employees = sisters;
    employees.push(employee("e", "Maria Garcia", "maria.garcia@sister.com"));
    assert_eq!(
        first(&people, &employees).verdict,
        Verdict::Auto,
        "a former domain"
    );
    employees.extend(
        names
            .iter()
            .map(|name| employee(name, name, &mails(name, "acme.com"))),
    );
    assert_eq!(first(&people, &employees).verdict, Verdict::Review);
}

#[test]
fn a_missing_date_does_not_rule_out_reassignment() {
    // A company that hires somebody every 50 days, in no order of ids, and creates both records at once.
    let start = 1_500_000_000_000;
    let created_at = |at: i64| start + at * 50 * 86_400_000;
    let created = |at: i64| {
        Some(
            jiff::Timestamp::from_millisecond(created_at(at))
                .unwrap()
                .to_string(),
        )
    };
    let pair = |id: &str, name: &str, theirs: &str, address: &str, at: i64| {
        let (mut one, mut other) = (person(id, name, Some(address)), employee(id, theirs, address));
        one.created = created(at);
        other.created_at = Some(created_at(at));
        (one, other)
    };
    let letter = |at: i64| char::from(b'a' + u8::try_from(at % 26).unwrap());
    let (mut people, mut employees): (Vec<Person>, Vec<Employee>) = (0..61)
        .map(|at| {
            let name = format!("Kim Q{}u{}x", letter(at / 26), letter(at));
            let id = format!("t{at:02}");
            pair(&id, &name, &name, &format!("{id}@a.com"), at * 57 % 61)
        })
        .chain([pair("p", "Jane Smith", "Jean Smith", "jsmith@a.com", 40)])
        .rev()
        .unzip();
    assert_eq!(first(&people, &employees).verdict, Verdict::Auto);
    employees[0].created_at = None;
    assert_eq!(first(&people, &employees).verdict, Verdict::Review);
    employees[0].created_at = Some(created_at(40));
    people[0].created = None;
    assert_eq!(first(&people, &employees).verdict, Verdict::Review);
}

#[test]
fn names_distinguish_people_with_the_same_email() {
    let people = [
        person("p1", "Jane Doe", Some("x@a.com")),
        person("p2", "Mark Smith", Some("x@a.com")),
    ];
    let employees = [
        employee("e1", "Jane Doe", "x@a.com"),
        employee("e2", "Mark Smith", "x@a.com"),
    ];
    let proposals = propose(&evidence(&people, &employees));
    assert_eq!(outcome(&proposals, "p1").1, Some("e1".into()));
    assert_eq!(outcome(&proposals, "p2").1, Some("e2".into()));
}

#[test]
fn a_changed_email_is_matched_by_the_first_email() {
    let mut renamed = employee("e", "Jane Doe", "jane@private.org");
    renamed.identifier = "jane.doe@a.com".into();
    let proposal = first(&[person("p", "Jane Doe", Some("jane.doe@a.com"))], &[renamed]);
    assert_eq!(proposal.verdict, Verdict::Auto);
    assert_eq!(
        proposal.candidates[0].reasons[0],
        "the employee's first email is the person's email"
    );
}

#[test]
fn a_departed_account_does_not_take_the_employee_of_a_returned_person() {
    let people = [
        person("p1", "Jane Doe", Some("jdoe@a.com")),
        person("p2", "Jane Doe", Some("jane.doe@a.com")),
    ];
    let employees = [employee("e", "Jane Doe", "jdoe@a.com")];
    let mut evidence = evidence(&people, &employees);
    evidence.people[0].departed = true;
    let proposal = &propose(&evidence)[&people[0].id];
    assert_eq!(proposal.verdict, Verdict::Review);
    assert!(
        proposal
            .doubts
            .iter()
            .any(|doubt| doubt.contains("works here now")),
        "{:?}",
        proposal.doubts
    );
}

#[test]
fn reasons_name_each_agreement() {
    let proposal = first(
        &[person("p", "Robert Doe", Some("rdoe@a.com"))],
        &[employee("e", "Bob Doe", "rdoe@a.com")],
    );
    assert_eq!(
        proposal.candidates[0].reasons,
        [
            "same email",
            "same last name (1 of 1 people)",
            "the first name is a nickname: Robert and Bob Doe"
        ]
    );
    assert!(proposal.candidates[0].confidence.percent() >= 99);
}

#[test]
fn reasons_name_only_what_agrees() {
    for (name, email, employee_name, employee_email, expected) in [
        (
            "Jane Doe",
            "jane@a.com",
            "Jane Doe",
            "Jane@A.com ",
            &["same email", "same name"][..],
        ),
        (
            "Jane Doe",
            "jane+1@a.com",
            "Jane Doe",
            "jane@a.com",
            &["same email apart from the tag", "same name"],
        ),
        (
            "Jörg Doe",
            "j\u{f6}rg@a.com",
            "Jorg Doe",
            "jorg@a.com",
            &["same email apart from accents", "same first and last name"],
        ),
        (
            "Jane Doe",
            "jane.doe@a.com",
            "Jane Doe",
            "janedoe@a.com",
            &["same email apart from punctuation", "same name"],
        ),
        (
            "Jane Doe",
            "jane.doe@a.com",
            "Jane Doe",
            "jane.doe+x@gmail.com",
            &["the emails match before the @ apart from the tag", "same name"],
        ),
        (
            "Jane Doe",
            "jane@a.com",
            "Jane Mary Doe",
            "jane@a.com",
            &["same email", "same first and last name"],
        ),
    ] {
        let proposal = first(
            &[person("p", name, Some(email))],
            &[employee("e", employee_name, employee_email)],
        );
        let reasons = &proposal.candidates[0].reasons;
        assert_eq!(reasons[..expected.len()], *expected, "{email} {employee_email}");
    }
}

#[test]
fn doubts_are_true_of_single_names_and_account_names_and_name_the_others() {
    let texts = |people: &[Person], employees: &[Employee]| first(people, employees).doubts;
    for (name, employee_name, employee_email, expected) in [
        // One name on both sides, or on one: that is all there is to compare.
        (
            "Madonna",
            "Madonna X",
            "m@old.com",
            "only one name to compare, which others may have, too",
        ),
        (
            "Jane Doe",
            "Jane",
            "jane@a.com",
            "the employee has only an account name or a single name",
        ),
        ("Jane Doe", "Jane Do", "j@old.com", "the names match only in part"),
    ] {
        let doubts = texts(
            &[person("p", name, Some("jane@a.com"))],
            &[employee("e", employee_name, employee_email)],
        );
        assert!(
            doubts.iter().any(|doubt| doubt == expected),
            "{name} {employee_name}: {doubts:?}"
        );
        let others = ["the names match only in part", "one side has no usable name"];
        let is_other = |doubt: &Reason| others.contains(&&**doubt) && *doubt != expected;
        assert!(!doubts.iter().any(is_other), "{name} {employee_name}: {doubts:?}");
    }
    let people = [
        person("p", "Jane Doe", Some("x@a.com")),
        person("q", "Jane Doe", Some("x@a.com")),
    ];
    let doubts = texts(&people, &[employee("e1", "Jane Doe", "x@a.com")]);
    for expected in [
        "another person in Okta uses the same mailbox: Jane Doe (Okta user q)",
        "another person may be this employee, too: Jane Doe (Okta user q)",
    ] {
        assert!(doubts.iter().any(|doubt| doubt == expected), "{doubts:?}");
    }
}

#[test]
fn people_out_of_scope_compete() {
    let people = [person("p", "Jane Doe", Some("jdoe@a.com"))];
    let others = [person("o", "Jane Doe", Some("jdoe@a.com"))];
    let employees = [employee("e", "Jane Doe", "jdoe@a.com")];
    let mut evidence = evidence(&people, &employees);
    assert_eq!(outcome(&propose(&evidence), "p").0, Verdict::Auto);
    evidence.others = vec![PersonRecord {
        person: &others[0],
        departed: false,
        team: None,
    }];
    let proposals = propose(&evidence);
    assert_eq!(outcome(&proposals, "p"), (Verdict::Review, Some("e".into())));
    assert!(!proposals.contains_key(&others[0].id), "they get no proposal");
}

#[test]
fn an_equal_first_name_alone_is_ruled_out() {
    let people: Vec<Person> = ["Jane Doe", "Tom Lee", "Eve Low"]
        .iter()
        .map(|name| {
            person(
                name,
                name,
                Some(&format!("{}@a.com", name.replace(' ', ".").to_lowercase())),
            )
        })
        .collect();
    let mut employees: Vec<Employee> = people[1..]
        .iter()
        .map(|one| {
            employee(
                one.id.as_str(),
                one.id.as_str(),
                one.email.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    employees.extend((0..400).map(|at| {
        let address = format!("x{at}@a.com");
        employee(&format!("e{at}"), "Jane Smith", &address)
    }));
    let proposal = first(&people, &employees);
    assert_eq!(proposal.verdict, NOBODY, "{proposal:?}");
}

#[test]
fn unidentifiable_employees_are_not_ruled_out() {
    let people = [person("p", "Jane Doe", Some("x@a.com"))];
    let employees = [employee("e", "DESKTOP-1\\user", "")];
    assert_ne!(first(&people, &employees).verdict, NOBODY);
}

/// One employee of a test about several records: id, name, email, identifier, whether it is deactivated.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

fn records(rows: &[Row]) -> Vec<Employee> {
    let rows = rows
        .iter()
        .map(|(id, name, email, identifier, deactivated)| Employee {
            identifier: (*identifier).into(),
            deactivated: *deactivated,
            ..employee(id, name, email)
        });
    rows.collect()
}

const MAIL: &str = "jane.doe@a.com";

/// What is compared, the records, and the employee and the verdict for a person who works here and for one who departed.
type Case = (
    &'static str,
    &'static [Row],
    (&'static str, Verdict),
    (&'static str, Verdict),
);

#[test]
fn an_active_record_outranks_the_deactivated_ones_of_the_same_person() {
    use Verdict::{Auto, Review};
    let cases: [Case; 12] = [
        (
            "the deactivated one has only the name",
            &[
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("d", "Jane Doe", "", "", true),
            ],
            ("a", Auto),
            ("a", Auto),
        ),
        (
            "the deactivated one has the first email",
            &[
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("d", "Jane Doe", "x@b.com", MAIL, true),
            ],
            ("a", Auto),
            ("a", Auto),
        ),
        (
            "only the deactivated one has the email: a move to another computer",
            &[
                ("a", "Jane Doe", "", "", false),
                ("d", "Jane Doe", MAIL, MAIL, true),
            ],
            ("a", Review),
            ("a", Review),
        ),
        (
            "the active one has only an account name",
            &[
                ("a", "jdoe", "", "jdoe", false),
                ("d", "Jane Doe", MAIL, MAIL, true),
            ],
            ("a", Review),
            ("a", Review),
        ),
        (
            "the active one has another email",
            &[
                ("a", "Jane Doe", "jane@b.com", "jane@b.com", false),
                ("d", "Jane Doe", MAIL, MAIL, true),
            ],
            ("a", Review),
            ("a", Review),
        ),
        (
            "several deactivated",
            &[
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("d1", "Jane Doe", "", MAIL, true),
                ("d2", "Doe, Jane", "", "", true),
            ],
            ("a", Auto),
            ("a", Auto),
        ),
        (
            "both active",
            &[
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("b", "Jane Doe", "", MAIL, false),
            ],
            ("a", Review),
            ("a", Review),
        ),
        (
            "the active one is somebody else's, by the email",
            &[
                ("a", "Jane Doe", "jane.doe2@a.com", "", false),
                ("d", "Jane Doe", MAIL, MAIL, true),
            ],
            ("d", Review),
            ("d", Auto),
        ),
        (
            "the active one has another name",
            &[
                ("a", "John Doe", "", "", false),
                ("d", "Jane Doe", MAIL, MAIL, true),
            ],
            ("d", Review),
            ("d", Auto),
        ),
        (
            "the address was handed on",
            &[
                ("a", "Mark Smith", MAIL, MAIL, false),
                ("d", "Jane Doe", "", MAIL, true),
            ],
            ("d", Review),
            ("d", Auto),
        ),
        (
            "the deactivated one is another's",
            &[
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("d", "Jane Doe", "jane.doe2@a.com", "", true),
            ],
            ("a", Auto),
            ("a", Auto),
        ),
        (
            "only deactivated",
            &[("d", "Jane Doe", MAIL, MAIL, true)],
            ("d", Review),
            ("d", Auto),
        ),
    ];
    for (why, rows, works, departed) in cases {
        let people = [
            person("p", "Jane Doe", Some(MAIL)),
            person("namesake", "Jane Doe", Some("jane.doe2@a.com")),
        ];
        let has_namesake = rows.iter().any(|row| row.2 == "jane.doe2@a.com");
        let people = &people[..1 + usize::from(has_namesake)];
        let employees = records(rows);
        for (is_departed, expected) in [(false, works), (true, departed)] {
            let mut evidence = evidence(people, &employees);
            evidence.people[0].departed = is_departed;
            let proposals = propose(&evidence);
            let (verdict, best) = outcome(&proposals, "p");
            let proposal = &proposals[&"p".into()];
            assert_eq!(
                (best.as_deref(), verdict),
                (Some(expected.0), expected.1),
                "{why}, departed: {is_departed}: {proposal:#?}"
            );
        }
    }
}

#[test]
fn the_deactivated_record_is_named_and_makes_no_doubt() {
    let people = [person("p", "Jane Doe", Some(MAIL))];
    for (rows, expected) in [
        (
            [
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("w1", "Jane Doe", "", MAIL, true),
            ],
            "a deactivated record of the same name and address (w1) is left as it is",
        ),
        (
            [
                ("a", "Jane Doe", MAIL, MAIL, false),
                ("w1", "Jane Doe", "", "", true),
            ],
            "a deactivated record of the same name (w1) is left as it is",
        ),
        (
            [("a", "Jane Doe", "", "", false), ("w1", "jdoe", "", "jdoe", true)],
            "a deactivated record of the same account (w1) is left as it is",
        ),
    ] {
        let proposal = first(&people, &records(&rows));
        let best = &proposal.candidates[0];
        assert_eq!(best.employee, "a".into());
        assert_eq!(best.reasons.last().unwrap(), expected, "{proposal:?}");
    }
    let moved = records(&[
        ("a", "Jane Doe", "", "", false),
        ("w1", "Jane Doe", MAIL, MAIL, true),
    ]);
    let proposal = first(&people, &moved);
    assert_eq!(
        proposal.doubts,
        ["no equal email confirms the name"],
        "{proposal:?}"
    );
    let shown: Vec<&str> = proposal
        .candidates
        .iter()
        .map(|shown| shown.employee.as_str())
        .collect();
    assert_eq!(shown, ["a", "w1"]);
}

#[test]
fn the_active_record_is_proposed_beside_a_match_with_the_deactivated_one() {
    let people = [person("p", "Jane Doe", Some(MAIL))];
    let employees = records(&[
        ("a", "Jane Doe", MAIL, MAIL, false),
        ("d", "Jane Doe", "", MAIL, true),
    ]);
    for departed in [false, true] {
        let mut evidence = evidence(&people, &employees);
        evidence.people[0].departed = departed;
        evidence.bound.insert("d".into(), "p".into());
        assert_eq!(
            outcome(&propose(&evidence), "p"),
            (Verdict::Auto, Some("a".into()))
        );
    }
}

#[test]
fn held_employees_are_shown_beside_free_ones_with_their_own_confidence() {
    let people = [
        person("p", "Jane Doe", Some(MAIL)),
        person("q", "Jane Doe", Some("jane.doe2@a.com")),
        person("r", "Bob Roe", Some("bob.roe@a.com")),
    ];
    let employees = [
        employee("colleague", "Jane Doe", "jane.doe2@a.com"),
        employee("bob", "Bob Roe", "bob.roe@a.com"),
        employee("free", "Jane Doe", "jane.doe@b.com"),
    ];
    let mut evidence = evidence(&people, &employees);
    evidence.bound = [("colleague".into(), "q".into()), ("bob".into(), "r".into())].into();
    let proposals = propose(&evidence);
    let proposal = &proposals[&"p".into()];
    assert_eq!(outcome(&proposals, "p"), (Verdict::Review, Some("free".into())));
    let [free, colleague] = &proposal.candidates[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!(colleague.matched_to, Some("q".into()));
    assert!(colleague.confidence < free.confidence, "{proposal:?}");
    assert_eq!(
        proposals[&"q".into()].candidates.len(),
        1,
        "whoever has an employee is shown no other's"
    );
}
