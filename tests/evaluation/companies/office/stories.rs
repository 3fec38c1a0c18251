//! What happens to people, accounts and records. Each story adds one or a few people.

use okta_insightful_operator::model::{OktaStatus, OtherNames, Person};

use super::{
    names::{Script, capital, in_address},
    style::{Channel, Convention, Login, TODAY, TeamNames},
    world::{Address, Draft, Human, Told, World},
};

type Story = fn(&mut World);

/// The stories with the number of times in some thousand. What the style decides comes before them.
const STORIES: &[(u32, Story)] = &[
    (870, ordinary),
    (16, married),
    (7, married_in_insightful),
    (9, rehired),
    (7, rehired_with_a_new_record),
    (10, second_device),
    (12, deactivated_copy),
    (5, namesakes_with_addresses),
    (3, namesakes_without_addresses),
    (4, namesake_without_record),
    (3, father_and_son),
    (3, twins),
    (8, address_given_to_the_next),
    (5, handed_on),
    (3, handed_on_in_part),
    (3, crossed_address),
    (12, name_only),
    (8, given_name_only),
    (8, alias),
    (6, not_started),
    (9, admin_account),
    (5, service_account),
    (5, role_mailbox),
    (4, behind_in_okta),
];

pub fn tell_one(world: &mut World) {
    let absent = world.style.absent;
    let contractors = world.style.contractors;
    if world.dice.chance(absent) {
        without_record(world);
    } else if world.dice.chance(contractors) {
        contractor(world);
    } else {
        world.dice.weighted(STORIES)(world);
    }
}

fn ordinary(world: &mut World) {
    let mut human = world.human();
    let leaves = world.style.leavers;
    if world.dice.chance(leaves) {
        leave(world, &mut human, 40);
    }
    let mut person = world.person(&human);
    let Some(mut draft) = world.draft(&human) else {
        return absent(world, person, &human, "LeftBefore");
    };
    let mut class = draft.class;
    if human.left.is_some() && class == "Plain" {
        class = "Leaver";
    } else if human.left.is_some() && class == "Rebrand" {
        class = "LeaverRebrand";
    }
    let moves = world.style.moved;
    if human.left.is_none() && world.dice.chance(moves) {
        let former = world.another_team(&human);
        draft.team.clone_from(&world.style.teams[former].insightful);
        draft.team_tells = false;
        if class == "Plain" {
            class = "Moved";
        }
    }
    show_private_address(world, &mut person, &mut draft);
    let id = world.enroll_human(person, &human);
    world.tell_record(id, &human, draft, Vec::new(), class);
}

/// Okta may have the private address that Insightful has.
fn show_private_address(world: &mut World, person: &mut Person, draft: &mut Draft) {
    let private = draft.address == Address::Nothing && !draft.email.is_empty();
    if private && person.second_email.is_some() && world.dice.chance(0.7) {
        person.second_email = Some(draft.email.clone());
        draft.address = Address::Same;
    }
}

fn leave(world: &mut World, human: &mut Human, least: i64) {
    // Accounts of long ago are not kept, and nobody got one after having left.
    let kept = (world.style.insightful_since - 60).max(world.style.okta_since + 5);
    human.left = Some(
        world
            .dice
            .between((human.hired + least).max(kept), TODAY - 2)
            .min(TODAY - 2),
    );
}

/// Somebody who works there, with the record by the usual channel.
fn present(world: &mut World) -> (Human, Draft) {
    let human = world.human();
    let draft = current(world, &human);
    (human, draft)
}

fn current(world: &mut World, human: &Human) -> Draft {
    let channel = world.dice.weighted(&world.style.channels);
    current_by(world, human, channel)
}

/// The record of somebody who has not left: there always is one.
fn current_by(world: &mut World, human: &Human, channel: Channel) -> Draft {
    let staying = Human {
        left: None,
        ..human.clone()
    };
    world.draft_by(&staying, channel).unwrap_or_else(|| Draft {
        name: String::new(),
        told: Told::Full,
        email: String::new(),
        identifier: String::new(),
        team: String::new(),
        team_tells: false,
        created: TODAY,
        date_tells: false,
        deactivated: false,
        address: Address::Nothing,
        class: "Plain",
    })
}

fn pair(world: &mut World, human: &Human, mut draft: Draft, class: &'static str) {
    let mut person = world.person(human);
    show_private_address(world, &mut person, &mut draft);
    let id = world.enroll_human(person, human);
    world.tell_record(id, human, draft, Vec::new(), class);
}

fn absent(world: &mut World, person: Person, human: &Human, class: &'static str) {
    let id = world.enroll_human(person, human);
    world.tell_absent(id, human, class);
}

/// An executive, a works council's member, somebody on leave: not tracked.
fn without_record(world: &mut World) {
    let mut human = world.human();
    if world.dice.chance(0.12) {
        leave(world, &mut human, 5);
    }
    let person = world.person(&human);
    absent(world, person, &human, "NoRecord");
}

fn not_started(world: &mut World) {
    let mut human = world.human();
    human.hired = TODAY + world.dice.between(0, 8);
    let mut person = world.person(&human);
    person.status = OktaStatus::Staged;
    absent(world, person, &human, "NotStarted");
}

// ------------------------------------------------------------------ the name

/// Mostly a woman; none where names are kept.
fn somebody_who_marries(world: &mut World) -> Option<Human> {
    let woman = world.dice.chance(0.88);
    let human = world.human_who_is(woman);
    world.takes_names(&human).then_some(human)
}

/// A new family name in Okta, the former one in Insightful.
fn married(world: &mut World) {
    let Some(maiden) = somebody_who_marries(world) else {
        return;
    };
    let mut draft = current(world, &maiden);
    let mut human = maiden.clone();
    human.family = world.family_of(human.culture, human.female);
    world.register(human.key(), human.team);
    let new_mailbox = world.dice.chance(0.6);
    if new_mailbox {
        let convention = world.style.convention;
        human.local = world.claim_mailbox(&human, convention);
    }
    let mut person = world.person(&human);
    if world.dice.chance(0.25) {
        let both = [&human, &maiden].map(|each| world.family_name(each, world.style.okta_spelling));
        person.family_name = Some(both.join("-"));
        person.other_names.display = None;
    }
    let by_account = world.style.login != Login::Email && draft.identifier.contains(&human.account);
    let renamed = new_mailbox && draft.address != Address::Nothing && !by_account;
    if renamed && draft.email.is_empty() {
        // The account on the computer keeps the former name, and Okta does not show it.
        draft.address = Address::Nothing;
    } else if renamed && world.dice.chance(0.3) {
        // The address followed, the name did not.
        draft.email = world.current_mailbox(&human);
        draft.address = Address::Same;
    } else if renamed && world.dice.chance(0.4) {
        // The former mailbox lives on as an alias that Okta shows.
        person.second_email = Some(draft.email.clone());
        draft.address = Address::Same;
    } else if renamed {
        draft.address = Address::Nothing;
    }
    world.compare_number(&human, &mut draft);
    if draft.address != Address::Same {
        draft.told = Told::Given;
    }
    let id = world.enroll_human(person, &human);
    world.tell_record(id, &human, draft, Vec::new(), "Married");
}

/// The HR export has the new family name, Okta the former one.
fn married_in_insightful(world: &mut World) {
    let Some(human) = somebody_who_marries(world) else {
        return;
    };
    let mut wife = human.clone();
    wife.family = world.family_of(human.culture, human.female);
    world.register(wife.key(), wife.team);
    let mut draft = current(world, &wife);
    if draft.address != Address::Same {
        draft.told = Told::Given;
    }
    pair(world, &human, draft, "MarriedInsightful");
}

fn name_only(world: &mut World) {
    let (human, mut draft) = present(world);
    forget_address(world, &human, &mut draft);
    if draft.told == Told::Shortened {
        draft.name = world.typed_in_full(&human);
        draft.told = Told::Full;
    }
    pair(world, &human, draft, "NameOnly");
}

/// The record is tied to a private address, or to a computer that was set up under another name.
fn forget_address(world: &mut World, human: &Human, draft: &mut Draft) {
    draft.address = Address::Nothing;
    if world.dice.chance(0.6) {
        draft.email = world.private_mailbox(human);
        draft.identifier.clone_from(&draft.email);
    } else {
        draft.email.clear();
        let device = world.dice.between(10, 9_999);
        let account = world.dice.pick(&["user", "admin", "owner", "laptop", "office"]);
        draft.identifier = format!("desktop-{device:04}/{account}");
    }
}

fn given_name_only(world: &mut World) {
    let human = world.human();
    let mut draft = current_by(world, &human, Channel::Invitation);
    forget_address(world, &human, &mut draft);
    let given = world.given_name(&human, world.style.insightful_spelling);
    let nick = world.nick(&human, world.style.insightful_spelling.script);
    draft.name = nick
        .filter(|_| world.dice.chance(0.6))
        .map_or(given, str::to_owned);
    draft.told = Told::Given;
    // A private address with the family name in it would tell.
    if !draft.email.is_empty() {
        draft.email = format!(
            "{}{}@gmail.com",
            in_address(human.given.latin(), false),
            world.dice.between(10, 999)
        );
        draft.identifier.clone_from(&draft.email);
    }
    pair(world, &human, draft, "GivenOnly");
}

// -------------------------------------------------------------- the address

/// Insightful has another address of the same mailbox.
fn alias(world: &mut World) {
    let human = world.human();
    let mut draft = current_by(world, &human, Channel::Invitation);
    let [given, family] = [human.given, human.family].map(|word| in_address(word.latin(), false));
    let nick = world
        .nick(&human, Script::Latin)
        .map(|nick| in_address(nick, false));
    let [g, f] = [&given, &family].map(|name| name.chars().take(1).collect::<String>());
    let local = match (world.dice.below(4), nick) {
        (0 | 1, Some(nick)) => format!("{nick}.{family}"),
        (0, None) => format!("{given}{f}"),
        (2, _) => format!("{g}.{family}"),
        _ => format!("{given}-{family}"),
    };
    let local = world.claim("", &local);
    draft.email = format!("{local}@{}", world.domain_on(TODAY));
    draft.identifier.clone_from(&draft.email);
    draft.address = Address::Fits;
    pair(world, &human, draft, "Alias");
}

/// Okta still has the address of before the last change, Insightful the new one.
fn behind_in_okta(world: &mut World) {
    let human = world.human();
    let draft = current(world, &human);
    let mut person = world.person(&human);
    let former = world.mailbox(&human, world.style.founded);
    let changed = person.email.as_ref() != Some(&former);
    if person.email.as_ref() == Some(&person.login) {
        person.login.clone_from(&former);
    }
    person.email = Some(former);
    let id = world.enroll_human(person, &human);
    let class = if changed { "BehindInOkta" } else { draft.class };
    world.tell_record(id, &human, draft, Vec::new(), class);
}

fn contractor(world: &mut World) {
    let human = world.human();
    let mut draft = current_by(world, &human, Channel::Invitation);
    let agency = match world.style.agencies.len() {
        0 => "freelance.co".to_owned(),
        agencies => world.style.agencies[world.dice.below(agencies)].clone(),
    };
    let [given, family] = [human.given, human.family].map(|word| in_address(word.latin(), false));
    let local = world.claim(&agency, &format!("{given}.{family}"));
    let outside = format!("{local}@{agency}");
    let mut person = world.person(&human);
    let kind = world.dice.below(4);
    if kind < 2 {
        let own = world.current_mailbox(&human);
        let inside = if kind == 0 {
            format!("ext-{own}")
        } else {
            own.replacen('@', ".ext@", 1)
        };
        person.login.clone_from(&inside);
        person.email = Some(inside);
        person.second_email = world.dice.chance(0.4).then(|| outside.clone());
    } else {
        person.login.clone_from(&outside);
        person.email = Some(outside.clone());
    }
    draft.email.clone_from(&outside);
    draft.identifier = outside.clone();
    // The agency's address has the full name, whatever the manager typed.
    draft.told = Told::Full;
    draft.address = Address::Fits;
    if person.email.as_ref() == Some(&outside) || person.second_email.as_ref() == Some(&outside) {
        draft.address = Address::Same;
    }
    if world.dice.chance(0.3) {
        let firm = capital(agency.split('.').next().unwrap_or_default());
        let mark = world
            .dice
            .pick(&["(EXT)", "- contractor", "(firm)"])
            .replace("firm", &firm);
        draft.name = format!("{} {mark}", draft.name.trim());
    }
    let id = world.enroll_human(person, &human);
    world.tell_record(id, &human, draft, Vec::new(), "Contractor");
}

/// A manager typed a colleague's address beside the name.
fn crossed_address(world: &mut World) {
    let (human, mut draft) = present(world);
    let colleague = world.human_like(&human, other_name);
    draft.email = world.current_mailbox(&colleague);
    draft.identifier.clone_from(&draft.email);
    let [person, other] = [&human, &colleague].map(|human| {
        let person = world.person(human);
        world.enroll_human(person, human)
    });
    let record = world.write(draft);
    world.tell(person, vec![record], Vec::new(), "CrossedAddress", false);
    world.tell(other, Vec::new(), Vec::new(), "CrossedAddressOwner", false);
}

// --------------------------------------------------- several records of one

fn second_device(world: &mut World) {
    let (human, draft) = present(world);
    let mut device = current_by(world, &human, Channel::Directory);
    device.email.clear();
    device.identifier = world.computer_account(&human);
    device.created = (draft.created + world.dice.between(5, 400)).min(TODAY);
    if world.dice.chance(0.4) {
        let word = world.dice.pick(&["(laptop)", "- Home PC", "2", "(desktop)"]);
        device.name = format!("{} {word}", device.name);
    }
    let person = world.person(&human);
    let id = world.enroll_human(person, &human);
    world.notice(&human, &device);
    world.tell_record(id, &human, draft, Vec::new(), "SecondDevice");
    let further = world.write(device);
    world.tell_further_record(further);
}

/// The record was made again, the former one deactivated.
fn deactivated_copy(world: &mut World) {
    made_again(world, "DeactivatedCopy");
}

/// The account was deactivated and later used again, with a new record.
fn rehired_with_a_new_record(world: &mut World) {
    made_again(world, "RehiredNewRecord");
}

fn made_again(world: &mut World, class: &'static str) {
    let (human, mut draft) = present(world);
    let mut old = current(world, &human);
    old.deactivated = true;
    if old.email == draft.email || world.dice.chance(0.3) {
        forget_address(world, &human, &mut old);
    }
    if old.email == world.current_mailbox(&human) && !draft.email.is_empty() {
        // The newer record has the newer address.
        std::mem::swap(&mut old.email, &mut draft.email);
        std::mem::swap(&mut old.identifier, &mut draft.identifier);
        draft.address = Address::Same;
    }
    draft.created = (old.created + world.dice.between(20, 500)).min(TODAY - 1);
    draft.date_tells = false;
    let old = world.write(old);
    let person = world.person(&human);
    let id = world.enroll_human(person, &human);
    world.tell_record(id, &human, draft, vec![old], class);
}

/// Left, came back under a new Okta account, and goes on with the one record.
fn rehired(world: &mut World) {
    let mut human = world.human();
    let mut former = human.clone();
    human.hired = TODAY - world.dice.between(5, 60);
    former.left = Some(world.dice.between(world.style.okta_since + 5, human.hired - 30));
    former.hired = former.hired.min(leaver_day(&former) - 60);
    let mut draft = current(world, &former);
    draft.created = draft.created.min(human.hired);
    draft.date_tells = false;
    let mut account = world.person(&former);
    account.status = OktaStatus::Deprovisioned;
    let kept_address = world.dice.chance(0.5);
    if kept_address {
        account.login = format!("old-{}", account.login);
    } else {
        human.local = world.claim("", &human.local);
        human.account = world.claim("account ", &human.account);
    }
    let person = world.person(&human);
    let same_number = account.employee_number.is_some() && account.employee_number == person.employee_number;
    if world.dice.chance(0.4) {
        // The record was renamed to the new address, or is still the one of the first time.
        draft.email = person.email.clone().unwrap_or_default();
        draft.address = Address::Same;
    }
    let sure = same_number || (kept_address && draft.address == Address::Same);
    let id = world.enroll_human(person, &human);
    let former_id = world.enroll_human(account, &former);
    world.notice(&human, &draft);
    let record = world.write(draft);
    world.tell(id, vec![record], Vec::new(), "Rehired", sure);
    world.tell(former_id, Vec::new(), Vec::new(), "RehiredFormer", sure);
}

// ----------------------------------------------------------------- namesakes

fn namesakes_with_addresses(world: &mut World) {
    let (human, draft) = present(world);
    let other = namesake(world, &human, 0.5);
    let drafts = [draft, current(world, &other)];
    let told_apart = told_apart_by_team(&drafts);
    write_namesakes(world, [human, other], drafts, "Namesake", told_apart);
}

fn told_apart_by_team(drafts: &[Draft; 2]) -> bool {
    drafts[0].team != drafts[1].team
        && drafts
            .iter()
            .all(|draft| draft.team_tells && draft.told == Told::Full)
}

fn write_namesakes(
    world: &mut World,
    humans: [Human; 2],
    drafts: [Draft; 2],
    class: &'static str,
    told_apart: bool,
) {
    for (human, mut draft) in humans.into_iter().zip(drafts) {
        let person = world.person(&human);
        let id = world.enroll_human(person, &human);
        world.compare_number(&human, &mut draft);
        let sure = told_apart || draft.address == Address::Same;
        world.notice(&human, &draft);
        let record = world.write(draft);
        world.tell(id, vec![record], Vec::new(), class, sure);
    }
}

/// Another person of the same name, elsewhere in the company or in the same team.
fn namesake(world: &mut World, human: &Human, elsewhere: f64) -> Human {
    world.human_like(human, |world, other| {
        if world.dice.chance(elsewhere) {
            other.team = world.another_team(human);
        }
        other.middle = None;
        other.hired = (human.hired + world.dice.between(-400, 400))
            .min(TODAY - 12)
            .max(world.style.founded);
    })
}

/// Both have records that no address ties to them: the teams tell which is whose, or nothing does.
fn namesakes_without_addresses(world: &mut World) {
    let human = world.human();
    let other = namesake(world, &human, 0.6);
    let drafts = [&human, &other].map(|human| {
        let mut draft = current(world, human);
        forget_address(world, human, &mut draft);
        draft.name = world.typed_in_full(human);
        draft.told = Told::Full;
        draft
    });
    let told_apart = told_apart_by_team(&drafts);
    let class = if told_apart {
        "NamesakeByTeam"
    } else {
        "NamesakeBlind"
    };
    write_namesakes(world, [human, other], drafts, class, told_apart);
}

/// Of two with one name, one is tracked; or a namesake whom Okta does not know.
fn namesake_without_record(world: &mut World) {
    let (human, mut draft) = present(world);
    let other = namesake(world, &human, 0.7);
    let person = world.person(&other);
    if world.dice.chance(0.4) {
        draft.class = "Stranger";
        world.notice(&human, &draft);
        let ids = world.enroll_human(person, &other);
        let sure = draft.address == Address::Same && !draft.email.is_empty();
        world.write(draft);
        // The other one's mailbox has a figure behind it, which shows that there were two.
        return world.tell(ids, Vec::new(), Vec::new(), "StrangersNamesake", sure);
    }
    pair(world, &human, draft, "NamesakeTracked");
    absent(world, person, &other, "NamesakeUntracked");
}

fn father_and_son(world: &mut World) {
    let mut father = world.human_who_is(false);
    let son = world.human_like(&father, |world, son| {
        son.suffix = world.dice.pick(&["Jr.", "Jr", "II"]);
        son.hired = (son.hired + world.dice.between(100, 2000)).min(TODAY - 12);
    });
    if world.dice.chance(0.3) {
        father.suffix = "Sr.";
    }
    for human in [father, son] {
        let draft = current(world, &human);
        let mut person = world.person(&human);
        if world.dice.chance(0.6) && !human.suffix.is_empty() {
            person.family_name = person.family_name.map(|name| format!("{name} {}", human.suffix));
        }
        let id = world.enroll_human(person, &human);
        world.tell_record(id, &human, draft, Vec::new(), "FatherAndSon");
    }
}

/// Siblings of one day and one team, whose short addresses differ by a figure.
fn twins(world: &mut World) {
    let (human, draft) = present(world);
    let twin = world.human_like(&human, |world, twin| {
        twin.given = world.given_beside(twin);
        twin.middle = None;
    });
    let twins_draft = current(world, &twin);
    pair(world, &human, draft, "Twin");
    pair(world, &twin, twins_draft, "Twin");
}

// ------------------------------------------------------------ from hand to hand

/// Somebody who left not long ago, with a record.
fn former_colleague(world: &mut World) -> Human {
    let mut leaver = world.human();
    leaver.hired = leaver.hired.min(world.style.insightful_since - 10);
    let first = (world.style.insightful_since + 3).max(world.style.okta_since + 5);
    leaver.left = Some(world.dice.between(first, TODAY - 10).min(TODAY - 3));
    leaver
}

/// The next one in the leaver's chair.
fn successor(world: &mut World, leaver: &Human, change: impl FnOnce(&mut World, &mut Human)) -> Human {
    world.human_like(leaver, |world, next| {
        next.middle = None;
        next.hired = (leaver_day(leaver) + world.dice.between(0, 30)).min(TODAY - 1);
        next.left = None;
        change(world, next);
    })
}

fn other_name(world: &mut World, human: &mut Human) {
    human.given = world.given_of(human.culture, human.female);
    human.family = world.family_of(human.culture, human.female);
}

fn leaver_day(leaver: &Human) -> i64 {
    leaver.left.unwrap_or(TODAY)
}

/// The address was free again, and was right for the next one: a namesake, or one with the same given name or
/// the same initial, as the convention has it.
fn address_given_to_the_next(world: &mut World) {
    let leaver = former_colleague(world);
    let convention = world.style.convention;
    let left_address = world.current_mailbox(&leaver);
    if !left_address.starts_with(&format!("{}@", leaver.local)) {
        return; // The mailbox was of the former convention.
    }
    let next = successor(world, &leaver, |world, next| match convention {
        Convention::First => next.family = world.family_of(next.culture, next.female),
        Convention::InitialLast | Convention::LastInitial => next.given = world.given_beside(next),
        _ => {}
    });
    let namesake = leaver.key() == next.key();
    if world.local(&leaver, convention) != world.local(&next, convention)
        || namesake && world.dice.chance(0.75)
    {
        return;
    }
    // Two of one name are two only by their numbers: it could be one who came back.
    let two = !namesake || world.style.numbers >= 1.0;
    let mut account = world.person(&leaver);
    let address = format!("{}@{}", leaver.local, world.domain_on(TODAY));
    account.login = format!("left{}-{}", leaver.number % 1000, account.login);
    let mut old = current_by(world, &leaver, Channel::Export);
    old.email.clone_from(&left_address);
    old.identifier = left_address;
    old.deactivated = world.dice.chance(world.style.cleaned_up);
    let mut person = world.person(&next);
    if person.email.as_ref() == Some(&person.login) {
        person.login.clone_from(&address);
    }
    person.email = Some(address);
    let id = world.enroll_human(account, &leaver);
    let record = world.write(old);
    world.tell(id, vec![record], Vec::new(), "AddressGivenOn", two);
    let id = world.enroll_human(person, &next);
    if world.dice.chance(0.5) {
        return world.tell(id, Vec::new(), Vec::new(), "AddressInherited", two);
    }
    let mut draft = current(world, &next);
    // Insightful refuses a second record with the address.
    forget_address(world, &next, &mut draft);
    let sure = two && draft.told == Told::Full && (draft.team_tells || draft.date_tells);
    world.notice(&next, &draft);
    let record = world.write(draft);
    world.tell(id, vec![record], Vec::new(), "AddressInherited", sure);
}

/// The seat was given to the next one: name and address were overwritten, the identifier is the leaver's.
fn handed_on(world: &mut World) {
    let leaver = former_colleague(world);
    let next = successor(world, &leaver, other_name);
    let mut draft = current(world, &next);
    let before = current_by(world, &leaver, Channel::Invitation);
    draft.identifier = before.email;
    draft.created = before.created;
    draft.email = world.current_mailbox(&next);
    draft.address = Address::Same;
    draft.date_tells = false;
    let account = world.person(&leaver);
    let id = world.enroll_human(account, &leaver);
    world.tell(
        id,
        Vec::new(),
        Vec::new(),
        "HandedOnLeaver",
        draft.told == Told::Full,
    );
    pair(world, &next, draft, "HandedOn");
}

/// Only the name was overwritten, or only the address.
fn handed_on_in_part(world: &mut World) {
    let leaver = former_colleague(world);
    let next = successor(world, &leaver, other_name);
    let name_only = world.dice.chance(0.5);
    let (named, addressed) = if name_only {
        (&next, &leaver)
    } else {
        (&leaver, &next)
    };
    let mut draft = current_by(world, &leaver, Channel::Invitation);
    draft.identifier.clone_from(&draft.email);
    draft.name = world.typed_in_full(named);
    draft.email = world.current_mailbox(addressed);
    let [leaver, next] = [&leaver, &next].map(|human| {
        let person = world.person(human);
        world.enroll_human(person, human)
    });
    let record = world.write(draft);
    world.tell(next, vec![record], Vec::new(), "HandedOnInPart", false);
    world.tell(leaver, Vec::new(), Vec::new(), "HandedOnLeaver", false);
}

// ------------------------------------------------- accounts that are nobody's

/// The account with rights that an admin has beside the own one.
fn admin_account(world: &mut World) {
    let (human, draft) = present(world);
    let person = world.person(&human);
    let own_email = world.dice.chance(0.5);
    let prefix = world.dice.pick(&["adm-", "admin.", "a-", "da_"]);
    let login = format!("{prefix}{}", world.current_mailbox(&human));
    let mark = world.dice.pick(&["", " (Admin)", " - ADM"]);
    let account = Person {
        id: world.dice.id("00u", 20, "").into(),
        email: Some(if own_email {
            world.current_mailbox(&human)
        } else {
            login.clone()
        }),
        login,
        family_name: person
            .family_name
            .as_ref()
            .map(|family| format!("{family}{mark}")),
        other_names: OtherNames::default(),
        employee_number: None,
        title: None,
        ..person.clone()
    };
    let id = world.enroll_human(person, &human);
    world.tell_record(id, &human, draft, Vec::new(), "AdminsOwn");
    let id = world.enroll(account, None);
    world.tell(id, Vec::new(), Vec::new(), "AdminAccount", true);
}

/// An account of no human, named and addressed for what it does.
fn robot(world: &mut World, given: &str, family: &str, local: &str) -> Person {
    let model = world.human();
    let local = world.claim("", local);
    let email = format!("{local}@{}", world.domain_on(TODAY));
    let account = world.person(&model);
    Person {
        login: email.clone(),
        given_name: Some(given.to_owned()),
        family_name: Some(family.to_owned()),
        other_names: OtherNames::default(),
        email: Some(email),
        second_email: None,
        title: None,
        employee_number: None,
        status: OktaStatus::Active,
        ..account
    }
}

fn service_account(world: &mut World) {
    let (given, family, local) = world.dice.pick(&[
        ("Backup", "Service", "svc-backup"),
        ("Okta", "Workflows", "svc-okta-workflows"),
        ("Salesforce", "Integration", "svc-salesforce"),
        ("Scan", "Printer", "scanner"),
        ("Meeting", "Room 3", "room3"),
        ("Break", "Glass", "breakglass"),
        ("Test", "User", "test.user"),
    ]);
    let account = robot(world, given, family, local);
    let id = world.enroll(account, None);
    world.tell(id, Vec::new(), Vec::new(), "ServiceAccount", true);
}

/// A mailbox of several people, which is tracked as if it were one.
fn role_mailbox(world: &mut World) {
    let (given, family, local, name) = world.dice.pick(&[
        ("Front", "Desk", "reception", "Reception"),
        ("Dispatch", "Team", "dispatch", "Dispatch"),
        ("Billing", "Shared", "billing", "Billing"),
        ("Night", "Shift", "nightshift", "Night shift PC"),
        ("Help", "Desk", "helpdesk", "Helpdesk"),
    ]);
    let account = robot(world, given, family, local);
    let human = world.human();
    let mut draft = current_by(world, &human, Channel::Invitation);
    draft.name = name.to_owned();
    draft.email = account.email.clone().unwrap_or_default();
    draft.identifier.clone_from(&draft.email);
    let id = world.enroll(account, None);
    let record = world.write(draft);
    world.tell(id, vec![record], Vec::new(), "RoleMailbox", true);
}

// ----------------------------------------- records of whom Okta knows nothing

pub fn orphan(world: &mut World) {
    let mut human = world.human();
    let mut draft = current(world, &human);
    match world.dice.below(10) {
        // Left before there was Okta, deactivated or forgotten.
        0..6 => {
            leave(world, &mut human, 30);
            draft.deactivated = world.dice.chance(world.style.cleaned_up);
        }
        6 => {
            // Somebody of a client, or of an agency.
            let local = in_address(human.given.latin(), false);
            draft.email = format!("{local}@client{}.com", world.dice.between(1, 60));
            draft.identifier.clone_from(&draft.email);
        }
        7 => forget_address(world, &human, &mut draft),
        _ => {
            let number = world.dice.between(1, 12);
            let word = world.dice.pick(&[
                "Test",
                "Reception PC",
                "Demo User",
                "Kiosk",
                "Conference room",
                "Temp",
                "Trainee",
            ]);
            draft.name = format!("{word} {number}");
            draft.email.clear();
            draft.identifier = format!("pc-{:04}/user", world.dice.between(1, 9_999));
        }
    }
    if world.style.team_names == TeamNames::Mirrored && world.dice.chance(0.1) {
        draft.team = "Unassigned".to_owned();
    }
    draft.address = Address::Nothing;
    world.notice(&human, &draft);
    world.write(draft);
}
