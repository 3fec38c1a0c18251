//! Acme and the generated companies are consistent and have the documented cases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is a test failure"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sandbox::company::{Company, GROUP_PREFIX};
use serde_json::Value;

/// The values of a string field.
fn all<'a>(list: &'a [Value], pointer: &str) -> Vec<&'a str> {
    list.iter()
        .filter_map(|value| value.pointer(pointer).and_then(Value::as_str))
        .collect()
}

fn distinct(list: &[Value], pointer: &str) -> usize {
    all(list, pointer).into_iter().collect::<BTreeSet<_>>().len()
}

/// Checks that ids are unique and that all references resolve.
fn assert_consistent(company: &Company) {
    for (list, length) in [
        (&company.users, 20),
        (&company.groups, 20),
        (&company.employees, 15),
        (&company.teams, 15),
    ] {
        assert_eq!(distinct(list, "/id"), list.len());
        assert!(all(list, "/id").iter().all(|id| id.len() == length));
    }
    assert_eq!(distinct(&company.users, "/profile/login"), company.users.len());
    let emails: Vec<_> = all(&company.employees, "/email")
        .iter()
        .map(|email| email.to_lowercase())
        .collect();
    assert_eq!(
        emails.iter().collect::<BTreeSet<_>>().len(),
        emails.len(),
        "two employees share an email"
    );

    let users: BTreeSet<_> = all(&company.users, "/id").into_iter().collect();
    let groups: BTreeSet<_> = all(&company.groups, "/id").into_iter().collect();
    assert_eq!(
        company
            .members
            .keys()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        groups
    );
    assert!(
        company
            .members
            .values()
            .flatten()
            .all(|id| users.contains(id.as_str()))
    );
    assert_eq!(company.members[company.group("Everyone")].len(), users.len());

    let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for employee in &company.employees {
        let (id, team) = (
            employee["id"].as_str().unwrap(),
            employee["teamId"].as_str().unwrap(),
        );
        members.entry(team).or_default().push(id);
        let settings = &employee["sharedSettingsId"];
        assert!(
            company
                .shared_settings
                .iter()
                .any(|existing| existing["id"] == *settings)
        );
    }
    for team in &company.teams {
        let own = members.remove(team["id"].as_str().unwrap()).unwrap_or_default();
        assert_eq!(team["employees"], serde_json::json!(own), "{}", team["name"]);
    }
    assert!(members.is_empty(), "employees in unknown teams: {members:?}");
    assert_eq!(
        company
            .teams
            .iter()
            .filter(|team| team["default"] == true)
            .count(),
        1
    );
}

#[test]
fn acme_is_consistent_and_deterministic() {
    let acme = Company::acme();
    assert_consistent(&acme);
    assert_eq!(acme, Company::acme());
    assert!((55..=65).contains(&acme.users.len()), "{}", acme.users.len());
}

#[test]
fn acme_has_every_case() {
    let acme = Company::acme();
    let user = |handle: &str| {
        acme.users
            .iter()
            .find(|user| user["id"] == acme.user(handle))
            .unwrap()
    };
    let employee = |handle: &str| {
        acme.employees
            .iter()
            .find(|one| one["id"] == acme.employee(handle))
            .unwrap()
    };
    let groups = |handle: &str| -> BTreeSet<&str> {
        let named = acme.groups.iter().filter(|group| {
            let members = &acme.members[group["id"].as_str().unwrap()];
            members.contains(&acme.user(handle).to_owned())
        });
        named
            .filter_map(|group| group["profile"]["name"].as_str()?.strip_prefix(GROUP_PREFIX))
            .collect()
    };
    let exact = |user: &&Value| {
        let name = format!(
            "{} {}",
            user["profile"]["firstName"].as_str().unwrap(),
            user["profile"]["lastName"].as_str().unwrap()
        );
        acme.employees
            .iter()
            .any(|one| one["name"] == name && one["email"] == user["profile"]["email"])
    };
    assert!(
        acme.users.iter().filter(exact).count() > acme.users.len() / 2,
        "most people have an exact match"
    );

    // Names and emails.
    assert_eq!(
        user("maria.garcia")["profile"]["lastName"],
        user("maria.garcia2")["profile"]["lastName"]
    );
    assert_eq!(employee("john.smith")["name"], employee("john.smith2")["name"]);
    assert_eq!(employee("robert.miller")["name"], "Bob Miller");
    assert_eq!(
        (
            &user("anna.becker")["profile"]["lastName"],
            &employee("anna.becker")["name"]
        ),
        (&"Schneider".into(), &"Anna Becker".into())
    );
    assert_eq!(employee("tom.hardy")["email"], "tom.hardy@oldacme.io");
    assert!(user("walter.noemail")["profile"].get("email").is_none());
    assert_eq!(
        (
            &user("joerg.mueller")["profile"]["firstName"],
            &employee("joerg.mueller")["name"]
        ),
        (&"Jörg".into(), &"Joerg Mueller".into())
    );
    assert_eq!(employee("kevin.wong")["name"], "Wong, Kevin");
    assert_eq!(
        user("sina.shared")["profile"]["email"],
        user("sven.shared")["profile"]["email"]
    );
    assert_eq!(employee("dora.devices")["name"], employee("dora.laptop")["name"]);
    assert!(employee("device.k7")["email"].is_null());
    assert!(
        user("umberto.untitled")["profile"]["title"].is_null()
            && user("jane.doe")["profile"]["title"].is_string()
    );
    let contractor = &employee("cody.contractor")["email"];
    assert!(
        acme.users
            .iter()
            .all(|user| user["profile"]["email"] != *contractor)
    );

    // Groups and teams.
    assert_eq!(groups("peter.both"), ["Engineering", "Sales"].into());
    assert_eq!(groups("paula.present"), ["Data Science", "Support"].into());
    assert_eq!(employee("paula.present")["teamId"], acme.team("Support"));
    assert_eq!(groups("diego.doubtful"), ["Marketing", "Support"].into());
    assert_eq!((groups("nora.nogroup").len(), groups("nate.vpn").len()), (0, 0));
    let teams: BTreeSet<_> = all(&acme.teams, "/name").into_iter().collect();
    let team_groups = all(&acme.groups, "/profile/name")
        .into_iter()
        .filter_map(|name| name.strip_prefix(GROUP_PREFIX));
    assert_eq!(
        team_groups
            .filter(|name| !teams.contains(name))
            .collect::<Vec<_>>(),
        ["Data Science", "Marketing"]
    );
    assert!(["Default", "Onboarding"].iter().all(|name| teams.contains(name)));

    // Statuses.
    for (handle, status) in [
        ("sam.suspended", "SUSPENDED"),
        ("stan.staged", "STAGED"),
        ("lola.locked", "LOCKED_OUT"),
        ("lena.leaver", "DEPROVISIONED"),
        ("leo.leaver", "DEPROVISIONED"),
        ("lisa.leaver", "DEPROVISIONED"),
    ] {
        assert_eq!(user(handle)["status"], status, "{handle}");
    }
    assert_eq!(employee("lena.leaver")["deactivated"], 0);
    assert_ne!(employee("lisa.leaver")["deactivated"], 0);
    let missing =
        |handle: &str| std::panic::catch_unwind(|| Company::acme().employee(handle).to_owned()).is_err();
    assert!(missing("leo.leaver") && missing("nick.newcomer") && !missing("jane.doe"));
    let (lower, upper) = (acme.user("iris.lower"), acme.user("ivan.upper"));
    assert!(lower != upper && lower.eq_ignore_ascii_case(upper));
}

#[test]
fn a_saved_company_is_loaded_unchanged() {
    let acme = Company::acme();
    let dir = tempfile::tempdir().unwrap();
    acme.save(dir.path()).unwrap();
    assert_eq!(Company::load(dir.path()).unwrap(), acme);
    let members = dir
        .path()
        .join(format!("okta/members/{}.json", acme.group("Sales")));
    let members: Vec<Value> = serde_json::from_slice(&std::fs::read(members).unwrap()).unwrap();
    assert!(
        members.iter().any(|user| user["profile"]["firstName"] == "Carla"),
        "members are complete users"
    );

    std::fs::write(dir.path().join("okta/users.json"), "[{").unwrap();
    let error = Company::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("okta/users.json"), "{error}");
    std::fs::remove_file(dir.path().join("insightful/teams.json")).unwrap();
    assert!(Company::load(dir.path()).is_err());
}

#[test]
fn generated_companies_are_consistent_and_mostly_exact() {
    let company = Company::generate(3000, 7);
    assert_consistent(&company);
    assert_eq!(company.users.len(), 3000);
    assert_eq!(company, Company::generate(3000, 7));
    assert_ne!(company, Company::generate(3000, 8));

    let employees: BTreeSet<_> = company
        .employees
        .iter()
        .map(|one| (one["name"].to_string(), one["email"].to_string()))
        .collect();
    let exact = company.users.iter().filter(|user| {
        let profile = &user["profile"];
        let name = format!(
            "\"{} {}\"",
            profile["firstName"].as_str().unwrap(),
            profile["lastName"].as_str().unwrap()
        );
        user["status"] == "ACTIVE" && employees.contains(&(name, profile["email"].to_string()))
    });
    let exact = exact.count();
    assert!((2800..2950).contains(&exact), "{exact} exact");
    for status in ["SUSPENDED", "STAGED", "DEPROVISIONED"] {
        assert!(
            company.users.iter().any(|user| user["status"] == status),
            "nobody is {status}"
        );
    }
    let mut sizes: Vec<_> = company
        .members
        .iter()
        .filter(|(id, _)| *id != company.group("Everyone"))
        .map(|(_, members)| members.len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 60);
    assert!(sizes[59] > 10 * sizes[30], "sizes are skewed: {sizes:?}");
    assert!(distinct(&company.users, "/profile/lastName") > 100);
}

#[test]
fn a_large_company_is_generated_quickly() {
    let start = Instant::now();
    let company = Company::generate(100_000, 1);
    // Only a quadratic algorithm exceeds this, even on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(company.users.len(), 100_000);
    assert_eq!(distinct(&company.users, "/id"), 100_000);
    assert_eq!(distinct(&company.employees, "/id"), company.employees.len());
    assert_eq!(distinct(&company.groups, "/profile/name"), 1001, "and Everyone");
    let empty = company.members.values().filter(|members| members.is_empty());
    assert!(empty.count() < 10);
}
