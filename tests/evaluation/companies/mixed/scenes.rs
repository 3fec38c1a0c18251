//! What can happen to people and their records.

use super::*;

/// All classes of truths, sorted.
#[cfg(test)]
pub const CLASSES: &[&str] = &[
    "Admin",
    "Agency",
    "Agent",
    "Alias",
    "Device",
    "Dormant",
    "Duplicate",
    "FamilyFirst",
    "FatherSon",
    "FirstName",
    "Folded",
    "Garbled",
    "HandedAddress",
    "HandedRecord",
    "Imported",
    "Initials",
    "Intern",
    "Invited",
    "Leaver",
    "LoginName",
    "Married",
    "MiddleName",
    "MovedDevice",
    "Namesake",
    "Nickname",
    "NoRecord",
    "NoRecordNamesake",
    "Noted",
    "OldAccount",
    "OldDomain",
    "OneName",
    "OtherScript",
    "Particle",
    "Patronymic",
    "Predecessor",
    "PrivateAddress",
    "Rehire",
    "Romanised",
    "Service",
    "SharedMailbox",
    "ShortGiven",
    "SisterDomain",
    "Staged",
    "Surnames",
    "Twin",
    "Typo",
];

type Scene = fn(&mut Maker);

/// Weights and scenes. Together they take four of ten turns, the plain story the other six.
pub const SCENES: &[(f64, Scene)] = &[
    (10.5, no_record),
    (5.0, leaver),
    (2.0, old_domain),
    (1.2, alias),
    (1.2, private_address),
    (1.2, |maker| {
        vary(maker, "OtherScript", Proof::Name, Name::has_script, |how| {
            how.native = true
        })
    }),
    (2.0, romanised),
    (1.2, family_first),
    (0.7, |maker| {
        vary(
            maker,
            "OneName",
            Proof::Name,
            |name| name.family.is_none(),
            |_| (),
        )
    }),
    (1.4, surnames),
    (1.0, |maker| {
        vary(maker, "ShortGiven", Proof::Part, has_two_given, |how| {
            how.given = Given::Short
        })
    }),
    (1.5, |maker| {
        vary(
            maker,
            "Nickname",
            Proof::Part,
            |name| name.nick.is_some(),
            |how| how.given = Given::Nick,
        )
    }),
    (0.9, |maker| {
        vary(maker, "MiddleName", Proof::Part, goes_by_middle, |how| {
            how.given = Given::Middle
        })
    }),
    (0.7, patronymic),
    (0.8, |maker| {
        vary(
            maker,
            "Initials",
            Proof::Part,
            |name| name.family.is_some(),
            |how| how.given = Given::Initial,
        )
    }),
    (0.6, |maker| {
        vary(
            maker,
            "FirstName",
            Proof::Nothing,
            |name| name.family.is_some(),
            |how| how.surnames = Surnames::None,
        )
    }),
    (1.2, folded),
    (0.8, particle),
    (0.6, garbled),
    (1.6, typo),
    (1.4, noted),
    (1.6, married),
    (2.0, agency),
    (1.0, intern),
    (0.9, rehire),
    (1.2, duplicate),
    (1.2, moved_device),
    (0.8, dormant),
    (0.9, handed_record),
    (0.9, handed_address),
    (0.8, shared_mailbox),
    (0.8, admin),
    (0.6, service),
    (0.5, staged),
    (0.8, namesakes),
    (0.7, sisters),
    (0.6, father_and_son),
    (0.6, twins),
    (1.2, no_record_namesake),
];

/// One person, one account, one record, and nothing odd.
pub fn plain(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    usual(maker, &human, person, None);
}

/// The record that most have; of `class` or of that of its source.
fn usual(maker: &mut Maker, human: &Human, person: usize, class: Option<&'static str>) -> usize {
    let source = maker.source(human);
    let mail = maker.mail(person);
    let name = maker.named(human, source);
    let record = maker.record(human, &mail, name, source);
    let by_login = source == Source::Agent && maker.chance(0.12);
    if by_login {
        maker.employees[record].0.name = login(&maker.employees[record].0.identifier).to_owned();
    }
    if source == Source::Device {
        maker.stray(human);
    }
    let native = human.name.has_script() && maker.writing(human, source).native;
    let class = class.unwrap_or(match source {
        _ if by_login => "LoginName",
        _ if native => "OtherScript",
        Source::Invited => "Invited",
        Source::Imported => "Imported",
        Source::Agent => "Agent",
        Source::Device => "Device",
    });
    let proof = match source {
        Source::Device => Proof::Name,
        _ if by_login => Proof::LoginAlone,
        Source::Agent => Proof::Login,
        _ => Proof::Own,
    };
    maker.settle(class, human, person, [&[record], &[]], proof);
    record
}

fn off(maker: &mut Maker, record: usize) {
    maker.employees[record].0.deactivated = true;
}

fn status(maker: &mut Maker, person: usize, status: OktaStatus) {
    maker.people[person].0.status = status;
}

/// A record under `name`: by the person's address, by the account on a computer, or by nothing but the name.
fn record_called(
    maker: &mut Maker,
    class: &'static str,
    human: &Human,
    name: String,
    how: &Writing,
    proof: Proof,
) {
    let person = maker.join(human);
    let mail = maker.mail(person);
    let (record, proof) = match maker.rng.usize(..20) {
        0..8 => (maker.record(human, &mail, name, Source::Invited), Proof::Own),
        8..12 => (maker.record(human, &mail, name, Source::Agent), Proof::Login),
        _ => (maker.loose_record(human, name, how), proof),
    };
    maker.settle(class, human, person, [&[record], &[]], proof);
}

/// Insightful writes the name otherwise than Okta.
fn vary(
    maker: &mut Maker,
    class: &'static str,
    proof: Proof,
    fits: impl Fn(&Name) -> bool,
    change: impl Fn(&mut Writing),
) {
    let human = maker.human_who(fits);
    let mut how = maker.writing(&human, Source::Invited);
    how.native = false;
    change(&mut how);
    let name = human.name.write(&how);
    record_called(maker, class, &human, name, &how, proof);
}

fn has_two_given(name: &Name) -> bool {
    name.given_text(&PLAIN).contains(' ')
}

fn goes_by_middle(name: &Name) -> bool {
    name.middle.is_some() && name.culture.shape == names::Shape::TwoGiven
}

fn romanised(maker: &mut Maker) {
    let variant = 1 + maker.rng.usize(..3);
    let more = |name: &Name| name.spellings().iter().any(|count| *count > 1);
    vary(maker, "Romanised", Proof::Name, more, |how| {
        how.variants = [variant, variant]
    });
}

fn family_first(maker: &mut Maker) {
    let comma = maker.rng.bool();
    let fits = |name: &Name| name.family.is_some() && (comma || name.culture.family_first);
    vary(maker, "FamilyFirst", Proof::Name, fits, |how| {
        how.order = if comma { Order::Comma } else { Order::FamilyFirst };
    });
}

fn surnames(maker: &mut Maker) {
    let (other, spoken) = (maker.rng.bool(), maker.rng.bool());
    let proof = if other { Proof::Part } else { Proof::Name };
    vary(
        maker,
        "Surnames",
        proof,
        |name| name.second.is_some(),
        |how| {
            how.surnames = if other { Surnames::Other } else { Surnames::Both };
            how.given = if spoken { Given::Short } else { Given::Full };
        },
    );
}

fn patronymic(maker: &mut Maker) {
    let order = maker.pick(&[Order::FamilyFirst, Order::GivenFirst]);
    let fits = |name: &Name| name.middle.is_some() && name.culture.shape == names::Shape::Patronymic;
    vary(maker, "Patronymic", Proof::Name, fits, |how| {
        how.order = order;
        how.middle = Middle::Full;
    });
}

fn folded(maker: &mut Maker) {
    let expanded = maker.rng.bool();
    let letters = if expanded {
        Letters::Expanded
    } else {
        Letters::Folded
    };
    let fits = |name: &Name| !name.write(&PLAIN).is_ascii();
    vary(maker, "Folded", Proof::Name, fits, |how| how.letters = letters);
}

/// Written with other joints: Vandermerwe, Al Sharif, Kovacs Nagy.
fn particle(maker: &mut Maker) {
    let human = maker.human_who(|name| name.family_text(&PLAIN).contains([' ', '-']));
    let how = maker.writing(&human, Source::Invited);
    let how = Writing { native: false, ..how };
    let family = human.name.family_text(&how);
    let joined = match maker.rng.usize(..3) {
        0 => family.replace([' ', '-'], ""),
        1 => family.replace('-', " "),
        _ => family.rsplit([' ', '-']).next().unwrap_or(&family).to_owned(),
    };
    let name = human.name.write(&how).replace(&family, &joined);
    record_called(maker, "Particle", &human, name, &how, Proof::Name);
}

/// A list that was read in the wrong encoding.
fn garbled(maker: &mut Maker) {
    let human = maker.human_who(|name| !name.culture.script && !name.write(&PLAIN).is_ascii());
    let name = human.name.write(&PLAIN);
    let name: String = match maker.rng.bool() {
        true => name
            .bytes()
            .map(char::from)
            .filter(|sign| !sign.is_control())
            .collect(),
        false => name
            .chars()
            .map(|letter| if letter.is_ascii() { letter } else { '?' })
            .collect(),
    };
    record_called(maker, "Garbled", &human, name, &PLAIN, Proof::Name);
}

fn typo(maker: &mut Maker) {
    let human = maker.human_who(|name| name.write(&PLAIN).chars().count() > 8);
    let how = Writing {
        native: false,
        ..maker.writing(&human, Source::Invited)
    };
    let right = human.name.write(&how);
    let mut letters: Vec<char> = right.chars().collect();
    let small = |place: &usize| letters[*place].is_lowercase() && letters[*place + 1].is_lowercase();
    let places: Vec<usize> = (1..letters.len() - 1).filter(small).collect();
    let place = maker.rng.choice(places).unwrap_or(1);
    match maker.rng.usize(..3) {
        0 => letters.swap(place, place + 1),
        1 => letters.insert(place, letters[place]),
        _ => drop(letters.remove(place)),
    }
    record_called(
        maker,
        "Typo",
        &human,
        letters.into_iter().collect(),
        &how,
        Proof::Name,
    );
}

fn noted(maker: &mut Maker) {
    let human = maker.human();
    let source = Source::Invited;
    let name = maker.named(&human, source);
    let city = human.name.culture.city;
    let name = match maker.rng.usize(..8) {
        0 => format!("{name} (ext)"),
        1 => format!("{name} ({city})"),
        2 => format!("{name} - maternity leave"),
        3 => format!("[NEW] {name}"),
        4 => format!("{name} / home office"),
        5 => format!("{name} (part-time)"),
        6 => format!("{name} - laptop 2"),
        _ => format!("*{name}*"),
    };
    let how = maker.writing(&human, source);
    record_called(maker, "Noted", &human, name, &how, Proof::Name);
}

fn no_record(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    maker.settle("NoRecord", &human, person, [&[], &[]], Proof::Absent);
}

fn staged(maker: &mut Maker) {
    let mut human = maker.human();
    human.hired = TODAY - 1;
    let person = maker.join(&human);
    status(maker, person, OktaStatus::Staged);
    maker.settle("Staged", &human, person, [&[], &[]], Proof::Absent);
}

/// Left on both sides; of some, Insightful was not told.
fn leaver(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    status(maker, person, OktaStatus::Deprovisioned);
    let record = usual(maker, &human, person, Some("Leaver"));
    if maker.chance(0.8) {
        off(maker, record);
    }
}

/// On leave: the licence was freed, the account was kept.
fn dormant(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let record = usual(maker, &human, person, Some("Dormant"));
    off(maker, record);
}

/// The address of the record is at another domain of the group than the person's.
fn old_domain(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let mail = maker.mail(person);
    let (local, domain) = mail.split_once('@').unwrap_or_default();
    let other = match &maker.style.old {
        Some((old, _)) if domain == maker.style.domain => old.clone(),
        _ if domain == maker.style.domain => format!("mail.{domain}"),
        _ => maker.style.domain.clone(),
    };
    let free = maker.taken.insert(format!("{local}@{other}"));
    let name = maker.named(&human, Source::Invited);
    let record = maker.record(&human, &format!("{local}@{other}"), name, Source::Invited);
    // Name and first part agree; somebody else of that first part may be at the other domain.
    maker.settle(
        "OldDomain",
        &human,
        person,
        [&[record], &[]],
        if free { Proof::Own } else { Proof::Name },
    );
}

/// Invited under another address of the same mailbox.
fn alias(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let domain = maker.style.subs[human.sub].domain.clone();
    let how = Writing {
        given: if maker.rng.bool() {
            Given::Nick
        } else {
            Given::Short
        },
        ..PLAIN
    };
    let local = maker.pick(LOCALS).of(&human.name, &how);
    let mail = maker.reserve(&local, &domain);
    let name = maker.named(&human, Source::Invited);
    let record = maker.record(&human, &mail, name, Source::Invited);
    let known = maker.chance(0.2);
    if known {
        maker.people[person].0.second_email = Some(mail);
    } else {
        maker.stray(&human);
    }
    maker.settle(
        "Alias",
        &human,
        person,
        [&[record], &[]],
        if known { Proof::Own } else { Proof::Name },
    );
}

fn private_address(maker: &mut Maker) {
    let human = maker.human();
    let mut account = maker.account(&human);
    let mail = maker.private_address(&human);
    let known = maker.chance(0.45);
    if known {
        account.second_email = Some(mail.clone());
    } else {
        maker.stray(&human);
    }
    let person = maker.admit(&human, account);
    let name = maker.named(&human, Source::Invited);
    let record = maker.record(&human, &mail, name, Source::Invited);
    maker.settle(
        "PrivateAddress",
        &human,
        person,
        [&[record], &[]],
        if known { Proof::Own } else { Proof::Name },
    );
}

/// Where women keep their names.
const KEEPERS: &[&str] = &["zh", "ko", "vi", "ar", "fa", "is", "id", "mx", "ka", "sn"];

/// Okta has the new surname, Insightful the old one.
fn married(maker: &mut Maker) {
    let some_men = maker.chance(0.1);
    let changes = |name: &Name| (some_men || !name.male) && !KEEPERS.contains(&name.culture.code);
    let mut human = maker.human_who(changes);
    let before = human.name.clone();
    let name = maker.named(&human, Source::Invited);
    let old_mail = maker.address(&human);
    let hyphen = maker.chance(0.25);
    if hyphen {
        human.name.hyphenate(&mut maker.rng);
    } else {
        human.name.marry(&mut maker.rng);
    }
    let keeps = maker.rng.usize(..4);
    let mut account = match keeps {
        0 => maker.account_with(&human, &old_mail),
        _ => maker.account(&human),
    };
    if keeps == 1 && !maker.style.short_logins {
        account.login.clone_from(&old_mail);
    }
    let new_mail = account.email.clone().unwrap_or_default();
    let tied = account.login == old_mail || keeps == 0;
    let person = maker.admit(&human, account);
    let record = match keeps {
        2 => maker.record(&human, &new_mail, name, Source::Invited),
        _ => maker.record(&human, &old_mail, name, Source::Invited),
    };
    let own = tied || keeps == 2;
    if keeps == 2 {
        maker.employees[record].0.identifier = maker.first_address(&old_mail, 0);
    }
    // Whoever looks for the old name finds this record.
    let now = std::mem::replace(&mut human.name, before);
    maker.stray(&human);
    human.name = now;
    let proof = match own {
        true => Proof::Own,
        false if hyphen => Proof::Part,
        false => Proof::Nothing,
    };
    maker.settle("Married", &human, person, [&[record], &[]], proof);
}

/// Sent by an agency: its address, or one of the group that says so.
fn agency(maker: &mut Maker) {
    let human = maker.human();
    let firm = maker.pick(&[
        "randwerk.com",
        "tempora-staffing.com",
        "manforce.net",
        "codeloft.dev",
    ]);
    let local = Local::FirstLast.of(&human.name, &PLAIN);
    let theirs = maker.reserve(&local, firm);
    let domain = maker.style.subs[human.sub].domain.clone();
    let mark = maker.pick(&["ext.", "x-", "c-"]);
    let ours = maker.reserve(&format!("{mark}{local}"), &domain);
    let kind = maker.rng.usize(..4);
    let mut account = maker.account_with(&human, if kind == 0 { &theirs } else { &ours });
    if kind == 1 {
        account.second_email = Some(theirs.clone());
    }
    account.employee_number = None;
    let person = maker.admit(&human, account);
    let name = maker.named(&human, Source::Invited);
    let agency = firm.split(['.', '-']).next().unwrap_or_default();
    let name = if maker.chance(0.3) {
        format!("{name} ({agency})")
    } else {
        name
    };
    let (record, proof) = match kind {
        0 | 1 => (maker.record(&human, &theirs, name, Source::Invited), Proof::Own),
        2 => (maker.record(&human, &ours, name, Source::Invited), Proof::Own),
        _ => {
            maker.stray(&human);
            (maker.record(&human, &theirs, name, Source::Invited), Proof::Name)
        }
    };
    maker.settle("Agency", &human, person, [&[record], &[]], proof);
}

/// An account that the same human had before, deactivated in Okta.
fn former_account(maker: &mut Maker, human: &Human, mail: &str) -> usize {
    let account = maker.account_with(human, mail);
    let person = maker.admit(human, account);
    status(maker, person, OktaStatus::Deprovisioned);
    person
}

/// First an intern, then an employee, with a second account.
fn intern(maker: &mut Maker) {
    let mut human = maker.human();
    let domain = maker.style.subs[human.sub].domain.clone();
    let local = Local::FirstLast.of(&human.name, &PLAIN);
    let mail = maker.reserve(&format!("{local}.intern"), &domain);
    human.hired -= 200;
    let former = former_account(maker, &human, &mail);
    let has_old = maker.rng.bool();
    if has_old {
        let name = maker.named(&human, Source::Invited);
        let old = maker.record(&human, &mail, name, Source::Invited);
        off(maker, old);
        maker.settle("OldAccount", &human, former, [&[old], &[]], Proof::Own);
    } else {
        maker.settle("OldAccount", &human, former, [&[], &[]], Proof::Absent);
    }
    human.hired += 200;
    let person = maker.join(&human);
    usual(maker, &human, person, Some("Intern"));
}

/// Came back under a new account; the old record went on, or a new one was made beside it.
fn rehire(maker: &mut Maker) {
    let mut human = maker.human();
    let mail = maker.address(&human);
    let since = human.hired;
    human.hired -= 700;
    let former = former_account(maker, &human, &mail);
    maker.people[former].0.login = format!("old-{}", maker.people[former].0.login);
    let renewed = maker.rng.bool();
    let name = maker.named(&human, Source::Invited);
    let first = maker.record(&human, &mail, name.clone(), Source::Invited);
    human.hired = since;
    let account = maker.account_with(&human, &mail);
    let person = maker.admit(&human, account);
    maker.settle("OldAccount", &human, former, [&[], &[]], Proof::Absent);
    if renewed {
        off(maker, first);
        let source = maker.pick(&[Source::Invited, Source::Agent]);
        let second = maker.record(&human, &mail, name, source);
        let proof = if source == Source::Agent {
            Proof::Login
        } else {
            Proof::Own
        };
        maker.settle("Rehire", &human, person, [&[second], &[first]], proof);
    } else {
        maker.settle("Rehire", &human, person, [&[first], &[]], Proof::Own);
    }
}

/// Entered twice, or at work on two computers.
fn duplicate(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let mail = maker.mail(person);
    let name = maker.named(&human, Source::Invited);
    let first = maker.record(&human, &mail, name, Source::Invited);
    let source = maker.pick(&[Source::Agent, Source::Agent, Source::Device]);
    let name = maker.named(&human, source);
    let second = maker.record(&human, &mail, name, source);
    let stale = maker.chance(0.3);
    let [records, old] = if stale {
        [vec![first], vec![second]]
    } else {
        [vec![first, second], vec![]]
    };
    if stale {
        off(maker, second);
    }
    maker.settle("Duplicate", &human, person, [&records, &old], Proof::Own);
}

/// As the vendor says to do it: the deactivated record keeps the email, the active one has none.
fn moved_device(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let mail = maker.mail(person);
    let name = maker.named(&human, Source::Invited);
    let before = maker.record(&human, &mail, name, Source::Invited);
    off(maker, before);
    let own = maker.chance(0.7);
    let source = if own { Source::Agent } else { Source::Device };
    let name = maker.named(&human, source);
    let now = maker.record(&human, &mail, name, source);
    let later = (TODAY - maker.rng.i64(2..200)).max(maker.recorded[now].0);
    maker.employees[now].0.created_at = Some(later * 86_400_000 + 31_000_000);
    maker.recorded[now].0 = later;
    if !own {
        maker.stray(&human);
    }
    maker.settle(
        "MovedDevice",
        &human,
        person,
        [&[now], &[before]],
        if own { Proof::Login } else { Proof::Name },
    );
}

/// The computer went to a successor, and the record with it.
fn handed_record(maker: &mut Maker) {
    let former = maker.human();
    let person = maker.join(&former);
    status(maker, person, OktaStatus::Deprovisioned);
    maker.settle("Predecessor", &former, person, [&[], &[]], Proof::Absent);
    let before = maker.mail(person);
    let mut heir = maker.human();
    heir.sub = former.sub;
    heir.team = former.team;
    let person = maker.join(&heir);
    let mail = maker.mail(person);
    let name = maker.named(&heir, Source::Invited);
    let (record, proof) = match maker.rng.usize(..4) {
        0 | 1 => (maker.record(&former, &mail, name, Source::Invited), Proof::Own),
        // The email stayed behind: only the name was changed.
        2 => (maker.record(&former, &before, name, Source::Invited), Proof::Name),
        // A leaver's computer account, under the new name.
        _ => (maker.record(&former, &before, name, Source::Agent), Proof::Name),
    };
    if !maker.employees[record].0.email.is_empty() {
        maker.employees[record].0.identifier = maker.first_address(&before, maker.recorded[record].0);
    }
    maker.settle("HandedRecord", &heir, person, [&[record], &[]], proof);
}

/// A leaver's address was given to the next one whom it fits: of the same initial, or of the same name.
fn handed_address(maker: &mut Maker) {
    let former = maker.human_who(|name| name.family.is_some());
    let sub = &maker.style.subs[former.sub];
    let by_initial = matches!(sub.local, Local::InitialLast | Local::InitialDotLast);
    let sibling = former.name.sibling(&mut maker.rng);
    let how = &sub.address;
    let fits = by_initial && sub.local.of(&sibling, how) == sub.local.of(&former.name, how);
    let heir_name = if fits { sibling } else { former.name.clone() };
    let mail = maker.address(&former);
    let mut account = maker.account_with(&former, &mail);
    account.login = format!("left.{}", account.login);
    let person = maker.admit(&former, account);
    status(maker, person, OktaStatus::Deprovisioned);
    let name = maker.named(&former, Source::Invited);
    let before = maker.record(&former, &mail, name, Source::Invited);
    off(maker, before);
    maker.settle("Leaver", &former, person, [&[before], &[]], Proof::Own);
    let mut heir = maker.human_called(heir_name, former.sub);
    heir.hired = (former.hired + 300).min(TODAY - 10);
    let account = maker.account_with(&heir, &mail);
    let person = maker.admit(&heir, account);
    let source = maker.pick(&[Source::Invited, Source::Agent]);
    let name = maker.named(&heir, source);
    let record = maker.record(&heir, &mail, name, source);
    let proof = if source == Source::Agent {
        Proof::Login
    } else {
        Proof::Own
    };
    maker.settle("HandedAddress", &heir, person, [&[record], &[]], proof);
}

/// An account that is nobody's; `human` asked for it.
fn impersonal(maker: &mut Maker, human: &Human, mail: &str, given: &str, family: &str) -> Person {
    Person {
        login: mail.to_owned(),
        given_name: Some(given.to_owned()),
        family_name: Some(family.to_owned()),
        other_names: OtherNames::default(),
        second_email: None,
        title: None,
        employee_number: None,
        ..maker.account_with(human, mail)
    }
}

/// A mailbox of a desk has an account; somebody who sits there is recorded under its address.
fn shared_mailbox(maker: &mut Maker) {
    let human = maker.human();
    let [department, _] = DEPARTMENTS[human.team % DEPARTMENTS.len()];
    let desk = format!(
        "{department} {}",
        maker.pick(&["Desk", "Inbox", "Team", "Office"])
    );
    let sub = &maker.style.subs[human.sub];
    let (city, domain) = (sub.culture.city, sub.domain.clone());
    let local = desk.split(' ').map(slug).collect::<Vec<_>>().join("-");
    let mail = maker.reserve(&format!("{local}.{}", slug(city)), &domain);
    let holder = maker.human();
    let account = impersonal(maker, &holder, &mail, &desk, city);
    let team = maker.chance(0.5).then_some((human.sub, human.team));
    let desk_person = maker.enroll(holder.hired, account, team);
    if maker.rng.bool() {
        let record = maker.record(&human, &mail, format!("{desk} {city}"), Source::Invited);
        maker.settle(
            "SharedMailbox",
            &holder,
            desk_person,
            [&[record], &[]],
            Proof::Own,
        );
        return;
    }
    maker.settle("SharedMailbox", &holder, desk_person, [&[], &[]], Proof::Own);
    let person = maker.join(&human);
    let name = maker.named(&human, Source::Invited);
    let record = maker.record(&human, &mail, name, Source::Invited);
    maker.settle("SharedMailbox", &human, person, [&[record], &[]], Proof::Name);
}

/// Somebody with a second account for administration.
fn admin(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.account(&human);
    let mail = person.email.clone().unwrap_or_default();
    let mut second = maker.account_with(&human, &mail);
    second.login = format!("adm-{}", person.login);
    second.email = Some(if maker.rng.bool() {
        second.login.clone()
    } else {
        mail
    });
    second.title = None;
    second.employee_number = None;
    if maker.rng.bool() {
        second.family_name = second.family_name.map(|family| format!("{family} (Admin)"));
    }
    let person = maker.admit(&human, person);
    usual(maker, &human, person, None);
    let second = maker.enroll(human.hired, second, None);
    maker.settle("Admin", &human, second, [&[], &[]], Proof::Own);
}

/// An account of a program; of a few, Insightful has the computer.
fn service(maker: &mut Maker) {
    let human = maker.human();
    let task = maker.pick(&["backup", "scanner", "erp", "printing", "jenkins", "badge"]);
    let domain = maker.style.subs[human.sub].domain.clone();
    let mail = maker.reserve(&format!("svc-{task}"), &domain);
    let task = local(&mail).strip_prefix("svc-").unwrap_or(task).to_owned();
    let account = impersonal(maker, &human, &mail, "svc", &task);
    let person = maker.enroll(human.hired, account, None);
    if maker.chance(0.3) {
        let record = maker.record(&human, "", local(&mail).to_owned(), Source::Device);
        maker.employees[record].0.identifier =
            format!("{}\\{}", maker.style.subs[human.sub].windows, local(&mail));
        maker.settle("Service", &human, person, [&[record], &[]], Proof::Own);
    } else {
        maker.settle("Service", &human, person, [&[], &[]], Proof::Own);
    }
}

/// One of several who are called the same.
fn one_of_many(maker: &mut Maker, human: &Human, class: &'static str) {
    let person = maker.join(human);
    if maker.chance(0.3) {
        let how = maker.writing(human, Source::Agent);
        let name = human.name.write(&how);
        let record = maker.loose_record(human, name, &how);
        maker.settle(class, human, person, [&[record], &[]], Proof::Name);
    } else {
        usual(maker, human, person, Some(class));
    }
}

fn namesakes(maker: &mut Maker) {
    let first = maker.human_who(|name| name.culture.skew > 1.4);
    let count = maker.pick(&[2, 2, 2, 3, 3, 4, 6]);
    for _ in 0..count {
        let sub = if maker.chance(0.8) {
            first.sub
        } else {
            maker.human().sub
        };
        let mut human = maker.human_called(first.name.clone(), sub);
        // What is not in the common name may differ.
        let other = Name::draw(&mut maker.rng, first.name.culture);
        human.name.middle = other.middle;
        human.name.second = other.second;
        one_of_many(maker, &human, "Namesake");
    }
}

/// Two companies of the group give the same first part to two people of one name.
fn sisters(maker: &mut Maker) {
    let first = maker.human();
    let elsewhere =
        |maker: &Maker, sub: usize| maker.style.subs[sub].domain != maker.style.subs[first.sub].domain;
    let subs: Vec<usize> = (0..maker.style.subs.len())
        .filter(|sub| elsewhere(maker, *sub))
        .collect();
    let Some(other) = maker.rng.choice(subs) else {
        return namesakes(maker);
    };
    let local = Local::FirstLast.of(&first.name, &PLAIN);
    for sub in [first.sub, other] {
        let human = maker.human_called(first.name.clone(), sub);
        let domain = maker.style.subs[sub].domain.clone();
        let mail = maker.reserve(&local, &domain);
        let account = maker.account_with(&human, &mail);
        let person = maker.admit(&human, account);
        usual(maker, &human, person, Some("SisterDomain"));
    }
}

/// Where sons are called as their fathers are.
const SONS: &[&str] = &[
    "en", "hu", "br", "za", "mx", "ro", "hr", "rs", "da", "nb", "ng", "sn",
];

fn father_and_son(maker: &mut Maker) {
    let mut first = maker.human_who(|name| name.male && SONS.contains(&name.culture.code));
    first.name.second = None;
    let shown = maker.rng.bool();
    for suffix in first.name.generations() {
        let mut name = first.name.clone();
        name.suffix = suffix;
        let mut human = maker.human_called(name, first.sub);
        if suffix == first.name.generations()[0] {
            human.hired = human.hired.min(TODAY - 2500);
        }
        let mut account = maker.account(&human);
        if shown && !suffix.is_empty() {
            account.family_name = account.family_name.map(|family| format!("{family} {suffix}"));
        }
        let person = maker.admit(&human, account);
        let how = Writing {
            native: false,
            suffix: maker.chance(0.6),
            ..maker.writing(&human, Source::Invited)
        };
        let name = human.name.write(&how);
        let mail = maker.mail(person);
        let (record, proof) = if maker.chance(0.6) {
            (maker.record(&human, &mail, name, Source::Invited), Proof::Own)
        } else {
            let told = shown && how.suffix && !suffix.is_empty();
            (
                maker.loose_record(&human, name, &how),
                if told { Proof::Own } else { Proof::Name },
            )
        };
        maker.settle("FatherSon", &human, person, [&[record], &[]], proof);
    }
}

/// Hired on one day into one team, with one surname and often one initial.
fn twins(maker: &mut Maker) {
    let first = maker.human_who(|name| name.family.is_some());
    let name = first.name.sibling(&mut maker.rng);
    let mut second = maker.human_called(name, first.sub);
    second.hired = first.hired;
    second.team = first.team;
    for human in [&first, &second] {
        let person = maker.join(human);
        match maker.rng.usize(..10) {
            0..6 => drop(usual(maker, human, person, Some("Twin"))),
            bare => {
                let initial = bare > 7;
                let how = Writing {
                    native: false,
                    given: if initial { Given::Initial } else { Given::Full },
                    ..maker.writing(human, Source::Agent)
                };
                let name = human.name.write(&how);
                let record = maker.loose_record(human, name, &how);
                let proof = if initial { Proof::Nothing } else { Proof::Name };
                maker.settle("Twin", human, person, [&[record], &[]], proof);
            }
        }
    }
}

/// Has no record, but somebody of the same name has, who is not in Okta.
fn no_record_namesake(maker: &mut Maker) {
    let human = maker.human();
    let person = maker.join(&human);
    let mut other = maker.human_called(human.name.clone(), human.sub);
    if maker.rng.bool() {
        other.sub = maker.human().sub;
        other.team = maker.rng.usize(..maker.style.subs[other.sub].teams.len());
    }
    let how = maker.writing(&other, Source::Invited);
    let name = maker.named(&other, Source::Invited);
    match maker.rng.usize(..3) {
        // An address by the rules, with a figure: theirs, and not the person's.
        0 => {
            let mail = maker.address(&other);
            maker.record(&other, &mail, name, Source::Invited);
        }
        1 => {
            let mail = maker.private_address(&other);
            maker.record(&other, &mail, name, Source::Invited);
            maker.stray(&other);
        }
        _ => {
            maker.loose_record(&other, name, &how);
        }
    }
    maker.settle("NoRecordNamesake", &human, person, [&[], &[]], Proof::Absent);
}

/// Employees of nobody in Okta: leavers whose accounts were deleted, agencies' people, tests, machines.
pub fn strangers(maker: &mut Maker) {
    let share = 0.045 + 0.035 * maker.rng.f64();
    let count = (maker.employees.len() as f64 * share).ceil() as usize;
    for i in 0..count {
        let human = maker.human();
        let source = maker.source(&human);
        let name = maker.named(&human, source);
        if i % 5 != 4 {
            maker.stray(&human);
        }
        match i % 5 {
            0 | 1 => {
                let mail = maker.address(&human);
                let record = maker.record(&human, &mail, name, source);
                off(maker, record);
            }
            2 => {
                let local = Local::FirstLast.of(&human.name, &PLAIN);
                let mail = maker.reserve(&local, "manforce.net");
                maker.record(&human, &mail, name, Source::Invited);
            }
            3 => {
                let mail = maker.address(&human);
                maker.record(&human, &mail, name, source);
            }
            _ => {
                let machine = maker.pick(&[
                    "Test Test",
                    "Meeting Room PC",
                    "Kiosk",
                    "Warehouse 2",
                    "Demo User",
                    "Training 01",
                ]);
                maker.record(&human, "", machine.to_owned(), Source::Device);
            }
        }
    }
}
