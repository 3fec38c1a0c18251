//! Each case makes a small company in which somebody waits, and checks the message: whom it names, and what follows
//! from its advice.

use crate::{
    api::{Decision, Field, UnmatchedPolicy},
    model::OktaStatus,
    rules::example::Example,
};

type Change = fn(&mut Example);

/// Returns the message of what keeps Jane from being synced.
fn message(example: &Example) -> String {
    let assessment = example.assess();
    let blocker = assessment.blocker(&"jane".into());
    blocker.map_or_else(String::new, |blocker| blocker.message(&example.snapshot()))
}

/// Jane, without an employee.
fn jane() -> Example {
    let mut example = Example::new();
    example.person("jane", "Jane", "Doe", "Sales");
    example
}

fn check(cases: &[(&str, Change, &[&str])]) {
    for (case, change, parts) in cases {
        let mut example = jane();
        change(&mut example);
        let message = message(&example);
        for part in *parts {
            assert!(message.contains(part), "{case}: {part:?} in {message:?}");
        }
    }
}

#[test]
fn whoever_has_the_email_is_named_and_the_advice_exchanges_nobody() {
    check(&[
        (
            "a record of nobody",
            |e| {
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e1"]);
                e.employee("e2", "Old Record", "jane@acme.com");
            },
            &[
                "employee Old Record (e2) has this person's email and is matched with nobody else:",
                // The match that the admin made is kept.
                "if it is this person's, too, set spec.decision to Match with employeeIds e2, e1;",
            ],
        ),
        (
            "a record that is proposed for somebody else",
            |e| {
                e.spec.matching.automatic = false;
                e.person("mary", "Mary", "Major", "Sales");
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e1"]);
                e.employee("e2", "Mary Major", "jane@acme.com").identifier = "mary@acme.com".into();
            },
            &["matched with nobody else, though it is proposed for Mary Major (Okta user mary):"],
        ),
        (
            "the second employee of a decision that was made already",
            |e| {
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.employee("e2", "Jane Doe", "jane@acme.com");
                e.matched("jane", &["e1", "e2"]);
            },
            &[
                "employee Jane Doe (e2) has this person's email",
                "Match with employeeIds e2, e1, in this order",
            ],
        ),
        (
            "the employee whose match the decision ends",
            |e| {
                e.employee("e1", "Somebody", "jane@acme.com");
                e.in_force(
                    "jane",
                    "e1",
                    &[(Field::Email, Some("x@acme.com"), "jane@acme.com")],
                );
                e.employee("e2", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e2"]);
            },
            &["employee Somebody (e1) has this person's email, and its match with this person ends:"],
        ),
        (
            "the employee of a colleague who has another email in Okta and waits",
            |e| {
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e1"]);
                e.person("mary", "Mary", "Major", "Sales");
                e.person("mary", "Mary", "Major", "Support");
                e.employee("e2", "Mary Major", "jane@acme.com");
                e.matched("mary", &["e2"]);
            },
            &["but is matched with Mary Major (Okta user mary), who does not have it in Okta:"],
        ),
        (
            "the employee of a colleague with the same email in Okta",
            |e| {
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e1"]);
                e.person("mary", "Mary", "Major", "Sales").email = Some("Jane@acme.com".into());
                e.employee("e2", "Mary Major", "jane@acme.com");
                e.matched("mary", &["e2"]);
            },
            &["which is also the email of Mary Major (Okta user mary), with whom it is matched:"],
        ),
        (
            "a decision about the employee that conflicts",
            |e| {
                e.employee("e1", "Jane Doe", "j@acme.com");
                e.matched("jane", &["e1"]);
                e.employee("e2", "Mary Major", "jane@acme.com");
                for id in ["mary", "nora"] {
                    e.person(id, "Mary", "Major", "Sales");
                    e.matched(id, &["e2"]);
                }
            },
            &["but is matched with Mary Major (Okta user mary)"],
        ),
        (
            "a deactivated record, for an invitation",
            |e| {
                e.record("jane").decision = Decision::Create;
                e.employee("e1", "Jane Old", "jane@acme.com").deactivated = true;
            },
            &[
                "the deactivated employee Jane Old (e1) has this person's email: change the email of that record",
                "(not within 7 days of the deactivation, when only Insightful's support can)",
            ],
        ),
        (
            "two employees that exchange their emails",
            |e| {
                e.people[0].email = Some("2@acme.com".into());
                e.employee("e1", "Jane Doe", "1@acme.com");
                e.matched("jane", &["e1"]);
                e.person("mary", "Mary", "Major", "Sales").email = Some("1@acme.com".into());
                e.employee("e2", "Mary Major", "2@acme.com");
                e.matched("mary", &["e2"]);
            },
            &[
                "employee Jane Doe (e1) for Jane Doe (Okta user jane), employee Mary Major (e2) for Mary Major (Okta user mary).",
                "If these matches are right",
                "if not, correct the decisions first",
            ],
        ),
        (
            "others in Okta with the same email",
            |e| {
                for (id, employee) in [("jane", "e1"), ("mary", "e2"), ("nora", "e3")] {
                    e.person(id, "Ann", id, "Sales").email = Some("x@acme.com".into());
                    e.employee(employee, "Ann", &format!("{employee}@acme.com"));
                    e.matched(id, &[employee]);
                }
            },
            &["Ann mary (Okta user mary), Ann nora (Okta user nora) also have this email in Okta:"],
        ),
    ]);
}

#[test]
fn advice_about_an_employee_of_somebody_else_names_them_and_makes_no_conflict() {
    check(&[
        (
            "in force for a colleague with the email",
            |e| {
                e.person("nick", "Nick", "Roe", "Sales");
                e.employee("e1", "Nick Roe", "jane@acme.com");
                e.in_force("nick", "e1", &[]);
            },
            &[
                "employee Nick Roe (e1) may be this person's, but is matched to Nick Roe (Okta user nick):",
                "set spec.decision to Match with employeeIds e1, and decide about Nick Roe (Okta user nick), too;",
                // An invitation to an email that an employee has is impossible.
                "if not, set spec.decision to Ignore; Create is possible only after employee Nick Roe (e1)",
            ],
        ),
        (
            "by a decision for a colleague with the email",
            |e| {
                e.person("nick", "Nick", "Roe", "Sales");
                e.employee("e1", "Nick Roe", "jane@acme.com");
                e.matched("nick", &["e1"]);
            },
            &["first set spec.decision of the EmployeeMatch of Nick Roe (Okta user nick) to"],
        ),
        (
            "claimed by two",
            |e| {
                e.person("nick", "Nick", "Roe", "Sales");
                e.employee("e1", "Nick Roe", "n@acme.com");
                e.matched("nick", &["e1"]);
                e.matched("jane", &["e1"]);
            },
            &[
                "employee Nick Roe (e1) is also claimed by Nick Roe (Okta user nick):",
                "set spec.decision of every other one to",
            ],
        ),
        (
            "a decision that somebody whom Okta lacks has",
            |e| {
                e.employee("e1", "Jane Doe", "jane@acme.com");
                e.in_force("jane", "e1", &[(Field::Title, None, "Engineer")]);
                e.former_names.insert("gone".into(), "Mary Former".into());
                e.matched("gone", &["e1"]);
            },
            &[
                "employee Jane Doe (e1) is matched with Mary Former (Okta user gone) by decision",
                "to take it back, set spec.decision of the EmployeeMatch of Mary Former (Okta user gone) to",
            ],
        ),
        (
            "handed on to a colleague, by a decision for Jane",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.person("bob", "Bob", "Roe", "Sales");
                e.employee("e1", "Bob Roe", "bob@acme.com");
                e.employee("e2", "Robert Roe", "b@acme.com");
                e.in_force("bob", "e2", &[]);
                e.in_force("jane", "e1", &[(Field::Name, Some("X"), "Jane Doe")]);
                e.matched("jane", &["e1"]);
            },
            &[
                "employee Bob Roe (e1) has the name and email of Bob Roe (Okta user bob):",
                "set spec.decision to Auto, and then that of their EmployeeMatch to Match with employeeIds e1 (and e2, if still theirs);",
                "add e1 to spec.rejectedEmployeeIds there: it is deactivated then, since this person departed",
            ],
        ),
        (
            "one of two employees of a decision handed on",
            |e| {
                e.person("bob", "Bob", "Roe", "Sales");
                e.employee("e1", "Bob Roe", "bob@acme.com");
                e.employee("e2", "Jane Doe", "jane@acme.com");
                e.matched("jane", &["e1", "e2"]);
                e.in_force("jane", "e1", &[(Field::Name, Some("X"), "Jane Doe")]);
            },
            &[
                "employee Bob Roe (e1) has the name and email of Bob Roe (Okta user bob):",
                "set spec.employeeIds to e2, and then spec.decision of their EmployeeMatch to Match with employeeIds e1;",
            ],
        ),
    ]);
}

#[test]
fn advice_names_only_decisions_that_are_possible() {
    check(&[
        (
            "no employee",
            |_| (),
            &["if none is, set spec.decision to Create, which invites the person, or Ignore"],
        ),
        (
            "no employee and no email",
            |e| e.people[0].email = None,
            &["or add an email in Okta, which Create needs"],
        ),
        (
            "no employee and no name",
            |e| (e.people[0].given_name, e.people[0].family_name) = (None, None),
            &["or add a name in Okta, which Create needs"],
        ),
        (
            "an employee with the email that was rejected",
            |e| {
                e.employee("e1", "Jane Doe", "jane@acme.com");
                e.record("jane").rejected.insert("e1".into());
            },
            &["Create is possible only after employee Jane Doe (e1), which has this person's email"],
        ),
        (
            "departed, with a doubtful employee",
            |e| {
                e.people[0].status = OktaStatus::Deprovisioned;
                e.employee("e1", "Mark Smith", "jane@acme.com");
            },
            &["set spec.decision to Match with employeeIds, which deactivates it; if none is, to Ignore"],
        ),
        (
            "certain, but not automatic",
            |e| {
                e.spec.matching.automatic = false;
                e.employee("e1", "Jane Doe", "jane@acme.com");
            },
            &[
                "spec.matching.automatic of the integration is false, so that each match waits for a decision:",
                "if employee Jane Doe (e1) is this person's, set spec.decision to Match with employeeIds e1;",
            ],
        ),
        (
            "one of two employees is gone",
            |e| {
                e.employee("e1", "Jane Doe", "jane@acme.com");
                e.in_force("jane", "e1", &[]);
                let applied = e.record("jane").applied.as_mut().unwrap();
                applied.employee_ids.push("e9".into());
            },
            // Not Create: that would invite the person a second time.
            &[
                "Insightful no longer has employee e9: nothing is written; set spec.decision to Match with employeeIds e1, which it has",
            ],
        ),
        (
            "two decided employees do not exist",
            |e| e.matched("jane", &["e8", "e9"]),
            &[
                "Insightful has no employees e8, e9: nothing is written; correct spec.employeeIds, or set spec.decision to Create",
            ],
        ),
        (
            "a decision about an id that Okta does not have",
            |e| {
                e.people.clear();
                e.matched("jane", &["e1"]);
            },
            &["not in Okta's response, so that the decision has no effect: check spec.oktaUserId"],
        ),
        (
            "deactivated, though the person works here",
            |e| {
                e.employee("e1", "Jane Doe", "jane@acme.com").deactivated = true;
                e.in_force("jane", "e1", &[]);
            },
            &[
                "employee Jane Doe (e1) is deactivated, and Insightful's API cannot reactivate:",
                "(not within 7 days of the deactivation, when only Insightful's support can), or set spec.decision to Match with another employee or to Ignore",
            ],
        ),
        (
            "deleted in Okta, with two employees",
            |e| {
                e.employee("e1", "Jane Doe", "jane@acme.com");
                e.employee("e2", "Jane Doe", "");
                e.in_force("jane", "e1", &[]);
                let applied = e.record("jane").applied.as_mut().unwrap();
                applied.employee_ids.push("e2".into());
                e.people.clear();
                e.deleted.push("jane".into());
            },
            &[
                "employee Jane Doe (e1), employee Jane Doe (e2) stay as they are until a decision;",
                "which deactivates them;",
                "Match with employeeIds e1, e2",
            ],
        ),
    ]);
}

#[test]
fn a_claim_that_no_employee_has_the_email_or_the_name_is_true() {
    let denial = "no employee has this email or name";
    let doubts = |change: Change| {
        let mut example = jane();
        example.spec.matching.unmatched = UnmatchedPolicy::Create;
        change(&mut example);
        let proposal = example.assess().resolved[&"jane".into()].proposal.clone();
        let doubts = proposal.unwrap().doubts;
        doubts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        doubts(|e| {
            e.spec.matching.unmatched = UnmatchedPolicy::Review;
            e.employee("e1", "Mark Smith", "mark@acme.com");
        }),
        [denial]
    );
    let cases: [(&str, Change); 10] = [
        ("held by a colleague", |e| {
            e.person("nick", "Nick", "Roe", "Sales");
            e.employee("e1", "Nick Roe", "jane@acme.com");
            e.in_force("nick", "e1", &[]);
        }),
        ("deactivated", |e| {
            e.employee("e1", "Mark Smith", "jane@acme.com").deactivated = true;
        }),
        ("in another case", |e| {
            e.employee("e1", "Mark Smith", "JANE@Acme.com");
        }),
        ("in another Unicode form", |e| {
            e.people[0].email = Some("ju\u{308}rgen@acme.com".into());
            e.employee("e1", "Mark Smith", "j\u{fc}rgen@acme.com");
        }),
        ("with a character that nobody sees", |e| {
            e.employee("e1", "Mark Smith", "ja\u{200b}ne@acme.com\u{a0}");
        }),
        ("with a tag", |e| {
            e.employee("e1", "Mark Smith", "jane+1@acme.com");
        }),
        ("in a domain that devices make up", |e| {
            e.people[0].email = Some("jane@acme.local".into());
            e.employee("e1", "Mark Smith", "jane@acme.local");
        }),
        ("rejected", |e| {
            e.employee("e1", "Jane Doe", "jane@acme.com");
            e.record("jane").rejected.insert("e1".into());
        }),
        ("proposed for a namesake", |e| {
            e.person("jane2", "Jane", "Doe", "Sales");
            e.employee("e1", "Jane Doe", "jane2@acme.com");
        }),
        ("a shared mailbox", |e| {
            e.people[0].email = Some("info@acme.com".into());
            e.employee("e1", "Mark Smith", "info@acme.com");
        }),
    ];
    for (case, change) in cases {
        let doubts = doubts(change);
        assert!(!doubts.contains(&denial.to_owned()), "{case}: {doubts:?}");
    }
    assert_eq!(
        doubts(cases[8].1),
        ["employee Jane Doe (e1) has this name, but is proposed for Jane Doe (Okta user jane2)"]
    );
    assert_eq!(
        doubts(cases[7].1)[0],
        "employee Jane Doe (e1) has this email, but is rejected for this person"
    );
}
