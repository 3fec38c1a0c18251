//! A company that is being made: people, their accounts and their records.

use std::collections::{HashMap, HashSet};

use okta_insightful_operator::model::{Employee, OktaStatus, OtherNames, Person};

use super::{
    super::{Company, Truth},
    dice::Dice,
    names::{Culture, Script, Word, capital, cultures, in_address, initial, mistyped, nicknames, plain},
    style::{Channel, Convention, Dates, ExportedName, Login, Spelling, Style, TODAY},
};

#[derive(Clone)]
pub struct Human {
    pub culture: usize,
    pub female: bool,
    pub given: Word,
    pub middle: Option<Word>,
    pub family: Word,
    pub second_family: Option<Word>,
    /// Known by the usual short form of the given name, and not by a rarer one.
    pub usual_nick: bool,
    pub suffix: &'static str,
    pub number: u32,
    pub hired: i64,
    pub left: Option<i64>,
    pub team: usize,
    /// Whether Okta has the person in a team group.
    pub in_team: bool,
    pub local: String,
    /// The mailbox by the former convention.
    pub old_local: String,
    /// The name of the account on a computer.
    pub account: String,
}

impl Human {
    pub fn key(&self) -> NameKey {
        (self.given.latin(), self.family.latin())
    }
}

pub type NameKey = (&'static str, &'static str);

/// How much of the name a record tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Full,
    /// A part of it and a letter: "Anna K.", "A. Kowalska", "akowalska".
    Shortened,
    Given,
}

/// What the record's address or account says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Okta shows the same one, or nobody else ever had it.
    Same,
    /// One of the company's that fits the name.
    Fits,
    Nothing,
}

/// A record before it is written.
pub struct Draft {
    pub name: String,
    pub told: Told,
    pub email: String,
    pub identifier: String,
    pub team: String,
    pub team_tells: bool,
    pub created: i64,
    pub date_tells: bool,
    pub deactivated: bool,
    pub address: Address,
    pub class: &'static str,
}

/// What a truth's `decidable` is found from, once everybody is there.
enum Verdict {
    Known(bool),
    Weigh(Evidence),
    /// Nobody else's record may look like this person's.
    Absent(NameKey, usize),
}

struct Evidence {
    key: NameKey,
    team: usize,
    told: Told,
    address: Address,
    team_tells: bool,
    date_tells: bool,
}

pub struct World {
    pub dice: Dice,
    pub style: Style,
    cultures: Vec<Culture>,
    nicknames: HashMap<&'static str, Vec<&'static str>>,
    people: Vec<(Person, Option<String>)>,
    employees: Vec<(Employee, String)>,
    truths: Vec<(Truth, Verdict)>,
    taken: HashMap<String, u32>,
    emails: HashSet<String>,
    numbers: u32,
    /// The employee numbers that Okta has.
    shown_numbers: HashSet<String>,
    /// How many humans bear a name, a given name, and a given name in a team.
    bearers: HashMap<NameKey, u32>,
    givens: HashMap<&'static str, u32>,
    in_teams: HashMap<(&'static str, usize), u32>,
    /// Names of records that no address ties to a person.
    loose: HashSet<NameKey>,
    loose_givens: HashSet<(&'static str, usize)>,
}

impl World {
    pub fn new(seed: u64, size: usize) -> Self {
        let mut dice = Dice::new(seed);
        let cultures = cultures();
        let style = Style::draw(&mut dice, &cultures, size);
        let numbers = dice.between(1_000, 40_000) as u32;
        Self {
            dice,
            style,
            cultures,
            nicknames: nicknames(),
            people: Vec::new(),
            employees: Vec::new(),
            truths: Vec::new(),
            taken: HashMap::new(),
            emails: HashSet::new(),
            numbers,
            shown_numbers: HashSet::new(),
            bearers: HashMap::new(),
            givens: HashMap::new(),
            in_teams: HashMap::new(),
            loose: HashSet::new(),
            loose_givens: HashSet::new(),
        }
    }

    pub fn people(&self) -> usize {
        self.people.len()
    }

    pub fn employees(&self) -> usize {
        self.employees.len()
    }

    // ---------------------------------------------------------------- humans

    pub fn human(&mut self) -> Human {
        let female = self.dice.chance(0.48);
        self.human_who_is(female)
    }

    pub fn human_who_is(&mut self, female: bool) -> Human {
        let culture = self.dice.weighted(&self.style.cultures);
        let tenure = (TODAY - self.style.founded - 20) as f64 * self.dice.share(0.0, 1.0).powi(2);
        let team = self.dice.share(0.0, 1.0).powf(1.4) * self.style.teams.len() as f64;
        let given = self.given_of(culture, female);
        let middle = self
            .dice
            .chance(0.3)
            .then(|| self.given_of(culture, female))
            .filter(|word| *word != given);
        let second_family = (self.cultures[culture].surnames > 0).then(|| self.family_of(culture, female));
        let family = self.family_of(culture, female);
        let in_team = !self.dice.chance(self.style.teamless);
        let usual_nick = self.dice.chance(0.75);
        self.settled(Human {
            culture,
            female,
            given,
            middle,
            family,
            second_family,
            usual_nick,
            suffix: "",
            number: 0,
            hired: TODAY - 12 - tenure as i64,
            left: None,
            team: (team as usize).min(self.style.teams.len() - 1),
            in_team,
            local: String::new(),
            old_local: String::new(),
            account: String::new(),
        })
    }

    /// Another human with the name, team and first day of the model, as far as `change` leaves them.
    pub fn human_like(&mut self, model: &Human, change: impl FnOnce(&mut Self, &mut Human)) -> Human {
        let mut human = model.clone();
        change(self, &mut human);
        self.settled(human)
    }

    /// Whether the family name changes with a marriage.
    pub fn takes_names(&self, human: &Human) -> bool {
        self.cultures[human.culture].marriage_renames
    }

    pub fn given_of(&mut self, culture: usize, female: bool) -> Word {
        let culture = &self.cultures[culture];
        self.dice
            .common(if female { &culture.female } else { &culture.male })
    }

    pub fn family_of(&mut self, culture: usize, female: bool) -> Word {
        let family = self.dice.common(&self.cultures[culture].family);
        if female { family.female } else { family.male }
    }

    /// Another given name with the same initial, where the culture has one.
    pub fn given_beside(&mut self, human: &Human) -> Word {
        let wanted = initial(human.given.latin());
        let tries = (0..60)
            .map(|_| self.given_of(human.culture, human.female))
            .collect::<Vec<_>>();
        let other = tries
            .iter()
            .find(|word| **word != human.given && initial(word.latin()) == wanted);
        other
            .or_else(|| tries.iter().find(|word| **word != human.given))
            .copied()
            .unwrap_or(human.given)
    }

    /// The short form by which the human is known, if the name has one.
    pub fn nick(&self, human: &Human, script: Script) -> Option<&'static str> {
        let nicks = self.nicknames.get(human.given.in_script(script))?;
        if human.usual_nick {
            nicks.first()
        } else {
            nicks.last()
        }
        .copied()
    }

    pub fn another_team(&mut self, human: &Human) -> usize {
        let step = 1 + self.dice.below(self.style.teams.len() - 1);
        (human.team + step) % self.style.teams.len()
    }

    fn settled(&mut self, mut human: Human) -> Human {
        self.numbers += 1 + self.dice.below(6) as u32;
        human.number = self.numbers;
        human.local = self.claim_mailbox(&human, self.style.convention);
        let old = self
            .style
            .old_convention
            .filter(|_| human.hired < self.style.convention_changed);
        human.old_local = match old {
            Some(old) => self.claim_mailbox(&human, old),
            None => human.local.clone(),
        };
        human.account = match self.style.account {
            Some(convention) => self.claim("account ", &self.local(&human, convention)),
            None => human.local.chars().take(20).collect(),
        };
        self.register(human.key(), human.team);
        human
    }

    /// Makes it known that a human bears the name.
    pub fn register(&mut self, key: NameKey, team: usize) {
        *self.bearers.entry(key).or_default() += 1;
        *self.givens.entry(key.0).or_default() += 1;
        *self.in_teams.entry((key.0, team)).or_default() += 1;
    }

    pub fn local(&self, human: &Human, convention: Convention) -> String {
        let umlauts = self.cultures[human.culture].umlauts;
        let [first, last] = [human.given, human.family].map(|word| in_address(word.latin(), umlauts));
        convention.local(&first, &last)
    }

    pub fn claim_mailbox(&mut self, human: &Human, convention: Convention) -> String {
        let mut local = self.local(human, convention);
        for longer in [Convention::FirstInitial, Convention::FirstDotLast] {
            if convention == Convention::First && self.taken.contains_key(&local) {
                local = self.local(human, longer);
            }
        }
        if let Some(middle) = human
            .middle
            .filter(|_| self.style.middle_initial && self.taken.contains_key(&local))
        {
            let [first, last] = [human.given, human.family].map(|word| in_address(word.latin(), false));
            return self.claim(
                "",
                &format!("{first}.{}.{last}", in_address(&initial(middle.latin()), false)),
            );
        }
        self.claim("", &local)
    }

    /// The word, with a figure after it from the second time on.
    pub fn claim(&mut self, kind: &str, word: &str) -> String {
        let times = self.taken.entry(format!("{kind}{word}")).or_default();
        *times += 1;
        if *times == 1 {
            return word.to_owned();
        }
        let numbered = format!("{word}{times}");
        self.taken.insert(format!("{kind}{numbered}"), 1);
        numbered
    }

    // ------------------------------------------------------------- addresses

    /// The address that a human had on the day.
    pub fn mailbox(&self, human: &Human, day: i64) -> String {
        let local = if day < self.style.convention_changed {
            &human.old_local
        } else {
            &human.local
        };
        format!("{local}@{}", self.domain_on(day))
    }

    pub fn domain_on(&self, day: i64) -> String {
        let old = self
            .style
            .old_domain
            .as_ref()
            .filter(|_| day < self.style.rebranded);
        old.unwrap_or(&self.style.domain).clone()
    }

    pub fn current_mailbox(&self, human: &Human) -> String {
        self.mailbox(human, human.left.unwrap_or(TODAY))
    }

    pub fn private_mailbox(&mut self, human: &Human) -> String {
        let nick = self.nick(human, Script::Latin).filter(|_| self.dice.chance(0.4));
        let [nick, family] =
            [nick.unwrap_or(human.given.latin()), human.family.latin()].map(|name| in_address(name, false));
        let year = self.dice.between(70, 99);
        let local = match self.dice.below(4) {
            0 => format!("{nick}.{family}{year}"),
            1 => format!("{nick}{year}"),
            2 => format!("{family}.{nick}"),
            _ => format!("{}{family}{}", initial(&nick), self.dice.between(1, 999)),
        };
        format!(
            "{local}@{}",
            self.dice
                .pick(&["gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com"])
        )
    }

    // ----------------------------------------------------------------- names

    pub fn given_name(&self, human: &Human, spelling: Spelling) -> String {
        self.spelled(human, human.given, spelling)
    }

    pub fn family_name(&self, human: &Human, spelling: Spelling) -> String {
        let main = self.spelled(human, human.family, spelling);
        match human.second_family.filter(|_| spelling.both_surnames) {
            None => main,
            Some(second) if self.cultures[human.culture].surnames == 1 => {
                format!("{main} {}", self.spelled(human, second, spelling))
            }
            Some(second) => format!("{} {main}", self.spelled(human, second, spelling)),
        }
    }

    fn spelled(&self, human: &Human, word: Word, spelling: Spelling) -> String {
        let word = word.in_script(spelling.script);
        if spelling.plain {
            plain(word, self.cultures[human.culture].umlauts)
        } else {
            word.to_owned()
        }
    }

    /// Given and family name in the order of the culture.
    pub fn full_name(&self, human: &Human, spelling: Spelling) -> String {
        let [given, family] = [
            self.given_name(human, spelling),
            self.family_name(human, spelling),
        ];
        match self.cultures[human.culture].family_first && spelling.script == Script::Native {
            true if !family.is_ascii() && human.family.latin() != family => format!("{family}{given}"),
            true => format!("{family} {given}"),
            false => format!("{given} {family}"),
        }
    }

    fn exported_name(&mut self, human: &Human) -> String {
        let spelling = self.style.insightful_spelling;
        let [given, mut family] = [
            self.given_name(human, spelling),
            self.family_name(human, spelling),
        ];
        if !human.suffix.is_empty() {
            family = format!("{family} {}", human.suffix);
        }
        let middle = human.middle.map(|word| self.spelled(human, word, spelling));
        let with_middle = match &middle {
            Some(middle) => format!("{given} {middle}"),
            None => given.clone(),
        };
        match self.style.exported_name {
            ExportedName::FirstLast if human.suffix.is_empty() => self.full_name(human, spelling),
            ExportedName::FirstLast => format!("{given} {family}"),
            ExportedName::LastCommaFirst => format!("{family}, {given}"),
            ExportedName::CapitalLastCommaFirst => format!("{}, {given}", family.to_uppercase()),
            ExportedName::CapitalLastFirst => format!("{} {given}", family.to_uppercase()),
            ExportedName::FirstMiddleLast => format!("{with_middle} {family}"),
            ExportedName::LastCommaFirstMiddle => match middle {
                Some(middle) => format!("{family}, {given} {}.", initial(&middle)),
                None => format!("{family}, {given}"),
            },
            ExportedName::TitleFirstLast => {
                let title = if human.female { "Ms." } else { "Mr." };
                let title = self.dice.weighted(&[(90, title), (8, "Dr."), (2, "Prof.")]);
                format!("{title} {given} {family}")
            }
        }
    }

    /// The name as a manager types it.
    fn typed_name(&mut self, human: &Human, team: &str) -> (String, Told) {
        let spelling = Spelling {
            both_surnames: self.style.insightful_spelling.both_surnames && self.dice.chance(0.3),
            ..self.style.insightful_spelling
        };
        let dirt = self.style.dirt;
        let family = self.family_name(human, spelling);
        let nick = self.nick(human, spelling.script);
        let called = match nick.filter(|_| self.dice.chance(0.35)) {
            Some(nick) if spelling.plain => plain(nick, false),
            Some(nick) => nick.to_owned(),
            None => self.given_name(human, spelling),
        };
        let mut told = Told::Full;
        let mut name = if self.dice.chance(dirt * 0.5) {
            told = Told::Given;
            called.clone()
        } else if self.dice.chance(dirt * 0.4) {
            told = Told::Shortened;
            format!("{called} {}.", initial(&family))
        } else if self.dice.chance(dirt * 0.2) {
            told = Told::Shortened;
            format!("{}. {family}", initial(&called))
        } else if self.dice.chance(dirt * 0.4) {
            format!("{called} {}", mistyped(&family, &mut self.dice))
        } else if self.dice.chance(dirt * 0.2) {
            format!("{} {family}", mistyped(&called, &mut self.dice))
        } else if spelling.script == Script::Native && called == self.given_name(human, spelling) {
            self.full_name(human, spelling)
        } else {
            format!("{called} {family}")
        };
        if self.dice.chance(dirt * 0.6) {
            name = name.to_lowercase();
        }
        if self.dice.chance(dirt * 0.7) {
            let note = self.dice.pick(&[
                "(WFH)",
                "- WFH",
                "(Support)",
                "(new)",
                "- night shift",
                "(remote)",
                "PT",
                "(laptop 2)",
                "- temp",
            ]);
            name = format!("{name} {note}");
        } else if self.dice.chance(dirt * 0.5) && !team.is_empty() {
            name = format!("{name} [{team}]");
        }
        if self.dice.chance(dirt * 0.2) {
            name.push(' ');
        }
        (name, told)
    }

    fn directory_name(&mut self, human: &Human, team: &str) -> (String, Told) {
        let spelling = self.style.insightful_spelling;
        let [given, family] = [
            self.given_name(human, spelling),
            self.family_name(human, spelling),
        ];
        match self.style.ad_name {
            0 => (format!("{given} {family}"), Told::Full),
            1 => (format!("{family}, {given}"), Told::Full),
            2 => (format!("{family}, {given} ({team})"), Told::Full),
            _ => (human.account.clone(), Told::Shortened),
        }
    }

    pub fn typed_in_full(&mut self, human: &Human) -> String {
        self.full_name(human, self.style.insightful_spelling)
    }

    // -------------------------------------------------------------- accounts

    pub fn person(&mut self, human: &Human) -> Person {
        let spelling = self.style.okta_spelling;
        let email = self.current_mailbox(human);
        let legal = self.given_name(human, spelling);
        let nick = self.nick(human, spelling.script);
        let preferred = nick.filter(|_| self.dice.chance(self.style.preferred_names));
        let given = preferred.map_or(legal, str::to_owned);
        let family = self.family_name(human, spelling);
        let display = match self.dice.below(8) {
            0 => format!("{family}, {given}"),
            _ => format!("{given} {family}"),
        };
        let created = if human.hired <= self.style.okta_since {
            self.style.okta_since + self.dice.between(0, 1)
        } else {
            (human.hired - self.dice.between(0, 9)).min(TODAY - 1)
        };
        let status = match human.left {
            Some(_) if self.dice.chance(0.06) => OktaStatus::Suspended,
            Some(_) => OktaStatus::Deprovisioned,
            None => self.dice.weighted(STATUSES).into(),
        };
        let updated = human
            .left
            .unwrap_or_else(|| self.dice.between(created, TODAY - 1))
            .max(created);
        let number = self.dice.chance(self.style.numbers).then(|| self.number(human));
        self.shown_numbers.extend(number.clone());
        let second_email = self
            .dice
            .chance(self.style.second_emails)
            .then(|| self.private_mailbox(human));
        Person {
            id: self.dice.id("00u", 20, "").into(),
            login: match self.style.login {
                Login::Email => email.clone(),
                Login::Upn => format!(
                    "{}@{}",
                    human.account,
                    self.style.domain.replace('.', "-") + ".local"
                ),
                Login::Short => human.account.clone(),
            },
            given_name: Some(given),
            family_name: Some(family),
            other_names: OtherNames {
                middle: human
                    .middle
                    .filter(|_| self.dice.chance(0.3))
                    .map(|word| self.spelled(human, word, spelling)),
                nick: nick
                    .filter(|_| self.dice.chance(self.style.nicks))
                    .map(str::to_owned),
                display: self.dice.chance(self.style.displays).then_some(display),
            },
            email: Some(email),
            second_email,
            title: self
                .dice
                .chance(self.style.titles)
                .then(|| self.dice.pick(TITLES).to_owned()),
            employee_number: number,
            status,
            transitioning_to: None,
            created: Some(self.moment(created)),
            last_updated: Some(self.moment(updated)),
            attributes: Box::default(),
        }
    }

    pub fn number(&self, human: &Human) -> String {
        format!("{}{}", self.style.number_prefix, human.number)
    }

    fn moment(&mut self, day: i64) -> String {
        let (year, month, of_month) = date(day);
        let [hour, minute, second] = [
            self.dice.between(7, 17),
            self.dice.between(0, 59),
            self.dice.between(0, 59),
        ];
        format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }

    pub fn enroll(&mut self, person: Person, team: Option<usize>) -> String {
        let id = person.id.to_string();
        let team = team.map(|team| self.style.teams[team].okta.clone());
        self.people.push((person, team));
        id
    }

    /// The person, in the team's group.
    pub fn enroll_human(&mut self, person: Person, human: &Human) -> String {
        let stays = human.left.is_none() || self.dice.chance(0.15);
        self.enroll(person, (human.in_team && stays).then_some(human.team))
    }

    // --------------------------------------------------------------- records

    /// The day of the record, and whether it tells anything; None if the human had left by then.
    fn record_day(&mut self, human: &Human) -> Option<(i64, bool)> {
        let since = self.style.insightful_since;
        if human.left.is_some_and(|left| left < since) {
            return None;
        }
        if human.hired <= since {
            return Some((since, false));
        }
        let tells = human.hired > self.style.okta_since;
        Some(match self.style.dates {
            Dates::Batches => ((human.hired + 29 - human.hired % 30).min(TODAY), false),
            Dates::Follow | Dates::OneDay => ((human.hired + self.dice.between(0, 8)).min(TODAY), tells),
        })
    }

    pub fn draft(&mut self, human: &Human) -> Option<Draft> {
        let channel = self.dice.weighted(&self.style.channels);
        self.draft_by(human, channel)
    }

    pub fn draft_by(&mut self, human: &Human, channel: Channel) -> Option<Draft> {
        let (created, date_tells) = self.record_day(human)?;
        let mut draft = Draft {
            name: String::new(),
            told: Told::Full,
            email: String::new(),
            identifier: String::new(),
            team: self.style.teams[human.team].insightful.clone(),
            team_tells: self.style.teams_tell() && human.in_team && human.left.is_none(),
            created,
            date_tells,
            deactivated: human.left.is_some() && self.dice.chance(self.style.cleaned_up),
            address: Address::Nothing,
            class: "Plain",
        };
        self.address(&mut draft, human);
        match channel {
            Channel::Export => {
                draft.name = self.exported_name(human);
                if self.style.exported_with_numbers {
                    draft.identifier = self.number(human);
                }
                if !self.style.exported_with_emails && self.style.exported_with_numbers {
                    draft.email.clear();
                    draft.class = "NumberOnly";
                    draft.address = Address::Nothing;
                }
            }
            Channel::Invitation => {
                (draft.name, draft.told) = self.typed_name(human, &draft.team);
                self.mistype_address(&mut draft, human);
            }
            Channel::Directory => {
                (draft.name, draft.told) = self.directory_name(human, &draft.team);
                draft.identifier = self.computer_account(human);
                if !self.style.ad_with_emails {
                    draft.email.clear();
                    draft.class = "AdLogin";
                    draft.address = Address::Fits;
                }
                if self.style.login != Login::Email || self.style.account.is_none() {
                    draft.address = Address::Same;
                }
            }
        }
        Some(draft)
    }

    /// The address that the mailbox had when the record was made, or the present one.
    fn address(&mut self, draft: &mut Draft, human: &Human) {
        let first = self.mailbox(human, draft.created);
        let now = self.current_mailbox(human);
        draft.identifier = first.clone();
        draft.address = Address::Same;
        draft.email = now;
        if first == draft.email || self.dice.chance(self.style.kept_up) {
            return;
        }
        let local = |email: &str| email.split('@').next().map(str::to_owned);
        if local(&first) == local(&draft.email) {
            draft.class = "Rebrand";
        } else {
            draft.class = "Convention";
            draft.address = Address::Fits;
        }
        draft.email = first;
    }

    /// What goes wrong, or is done on purpose, when an address is typed by hand.
    fn mistype_address(&mut self, draft: &mut Draft, human: &Human) {
        if self.dice.chance(self.style.dirt * 0.2) {
            draft.email = capital(&draft.email);
        }
        let (local, domain) = draft.email.split_once('@').unwrap_or((&draft.email, ""));
        let (local, domain) = (local.to_owned(), domain.to_owned());
        if self.dice.chance(self.style.dirt * 0.15) {
            draft.email = format!("{}@{domain}", mistyped(&local, &mut self.dice));
            draft.class = "TypoAddress";
            draft.address = Address::Fits;
        } else if self.dice.chance(self.style.dirt * 0.25) {
            draft.email = self.private_mailbox(human);
            draft.class = "PrivateAddress";
            draft.address = Address::Nothing;
        } else if self.dice.chance(self.style.dirt * 0.08) {
            let tag = self.dice.pick(&["insightful", "wfh", "tracking", "laptop"]);
            draft.email = format!("{local}+{tag}@{domain}");
            draft.class = "PlusTag";
            draft.address = Address::Same;
        } else {
            return;
        }
        draft.identifier.clone_from(&draft.email);
    }

    /// The account as the agent on the computer reported it.
    pub fn computer_account(&mut self, human: &Human) -> String {
        let account = &human.account;
        match self.style.ad_identifier {
            _ if self.style.ad_domain.is_empty() => account.clone(),
            0 | 1 => format!("{}\\{account}", self.style.ad_domain),
            2 => format!("lt-{:04}/{account}", self.dice.between(100, 9_999)),
            _ => format!("{account}@{}.local", self.style.ad_domain.to_lowercase()),
        }
    }

    pub fn write(&mut self, draft: Draft) -> String {
        let id = self.dice.id("w", 15, "-_");
        let mut email = draft.email;
        while !email.is_empty() && !self.emails.insert(email.to_lowercase()) {
            email = email.replacen('@', "1@", 1);
        }
        let one_hour = draft.created == self.style.insightful_since;
        let second = if one_hour {
            self.dice.between(36_000, 37_200)
        } else {
            self.dice.between(28_800, 64_000)
        };
        let millis = (draft.created * 86_400 + second) * 1_000 + self.dice.between(0, 999);
        let team_id = format!(
            "w{:x}",
            draft
                .team
                .bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte))
                    .wrapping_mul(0x0100_0000_01b3))
        );
        let employee = Employee {
            id: id.as_str().into(),
            name: draft.name,
            email,
            identifier: draft.identifier,
            team: team_id.chars().take(15).collect::<String>().into(),
            settings: None,
            deactivated: draft.deactivated,
            created_at: Some(millis),
        };
        self.employees.push((employee, draft.team));
        id
    }

    // ---------------------------------------------------------------- truths

    pub fn tell(
        &mut self,
        person: String,
        records: Vec<String>,
        old: Vec<String>,
        class: &'static str,
        sure: bool,
    ) {
        self.note(person, records, old, class, Verdict::Known(sure));
    }

    pub fn tell_absent(&mut self, person: String, human: &Human, class: &'static str) {
        self.note(
            person,
            Vec::new(),
            Vec::new(),
            class,
            Verdict::Absent(human.key(), human.team),
        );
    }

    /// Writes the record as the person's; whether that is decidable is weighed at the end.
    pub fn tell_record(
        &mut self,
        person: String,
        human: &Human,
        mut draft: Draft,
        old: Vec<String>,
        class: &'static str,
    ) {
        self.compare_number(human, &mut draft);
        let evidence = Evidence {
            key: human.key(),
            team: human.team,
            told: draft.told,
            address: draft.address,
            team_tells: draft.team_tells,
            date_tells: draft.date_tells,
        };
        self.notice(human, &draft);
        let record = self.write(draft);
        self.note(person, vec![record], old, class, Verdict::Weigh(evidence));
    }

    /// The employee number ties the record to the person, where Okta has it.
    pub fn compare_number(&self, human: &Human, draft: &mut Draft) {
        if self.shown_numbers.contains(&draft.identifier) && draft.identifier == self.number(human) {
            draft.address = Address::Same;
        }
    }

    /// Makes it known that the record could be taken for a namesake's.
    pub fn notice(&mut self, human: &Human, draft: &Draft) {
        if draft.address != Address::Same {
            self.loose.insert(human.key());
            if draft.told != Told::Full {
                self.loose_givens.insert((human.given.latin(), human.team));
            }
        }
    }

    /// A further record of the person who was told of last.
    pub fn tell_further_record(&mut self, record: String) {
        if let Some((truth, _)) = self.truths.last_mut() {
            truth.records.push(record);
        }
    }

    fn note(
        &mut self,
        person: String,
        records: Vec<String>,
        old: Vec<String>,
        class: &'static str,
        verdict: Verdict,
    ) {
        let truth = Truth {
            person,
            records,
            old,
            decidable: false,
            class,
        };
        self.truths.push((truth, verdict));
    }

    pub fn finish(mut self) -> Company {
        let verdicts = std::mem::take(&mut self.truths).into_iter();
        let truths = verdicts
            .map(|(truth, verdict)| Truth {
                decidable: self.decidable(&verdict),
                ..truth
            })
            .collect();
        let mut company = Company {
            people: self.people,
            employees: self.employees,
            truths,
        };
        // No list is in the order in which the other one is.
        company
            .employees
            .sort_by(|a, b| a.0.id.as_str().cmp(b.0.id.as_str()));
        company
    }

    fn decidable(&self, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Known(sure) => *sure,
            Verdict::Absent(key, team) => {
                !self.loose.contains(key) && !self.loose_givens.contains(&(key.0, *team))
            }
            Verdict::Weigh(evidence) => self.weigh(evidence),
        }
    }

    fn weigh(&self, evidence: &Evidence) -> bool {
        let &Evidence {
            key,
            team,
            told,
            address,
            team_tells,
            date_tells,
        } = evidence;
        let alone = self.bearers.get(&key) == Some(&1);
        let given_alone = self.givens.get(key.0) == Some(&1);
        let given_alone_in_team = self.in_teams.get(&(key.0, team)) == Some(&1);
        match (address, told) {
            (Address::Same, _) => true,
            (Address::Fits, Told::Full) => alone,
            (Address::Nothing, Told::Full) => alone && (team_tells || date_tells),
            (Address::Fits, Told::Shortened) => alone && (team_tells || date_tells),
            (Address::Fits, Told::Given) => given_alone && team_tells,
            (Address::Nothing, _) => given_alone_in_team && team_tells && date_tells,
        }
    }
}

const STATUSES: &[(u32, &str)] = &[
    (930, "ACTIVE"),
    (25, "PASSWORD_EXPIRED"),
    (15, "LOCKED_OUT"),
    (20, "PROVISIONED"),
    (10, "RECOVERY"),
];

const TITLES: &[&str] = &[
    "Specialist",
    "Senior Specialist",
    "Team Lead",
    "Analyst",
    "Senior Analyst",
    "Manager",
    "Engineer",
    "Senior Engineer",
    "Coordinator",
    "Consultant",
    "Associate",
    "Director",
    "Account Manager",
    "Support Agent",
    "Intern",
    "Accountant",
];

/// The date of a day counted from 1970.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_month)
}
