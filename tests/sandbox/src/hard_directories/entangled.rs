//! Cases of several humans who are easily confused.

use super::{
    Class, Scheme,
    classes::{both_if, initial},
    company::{Company, DAY, START, TODAY, Traces, local},
    names, spelling,
};

impl Company<'_> {
    pub(super) fn shared_mailbox(&mut self) -> Vec<Traces> {
        let mailbox = format!(
            "{}@{}",
            self.pick(&["info", "reception", "warehouse", "store12", "front.desk"]),
            self.domain
        );
        let count = 2 + self.rng.usize(..3);
        let in_okta = self.rng.bool();
        (0..count)
            .map(|_| {
                let human = self.hire();
                let (mut user, mut record) = (self.user(&human), self.record(&human));
                record.email = mailbox.clone();
                record.identifier = mailbox.clone();
                if in_okta {
                    user.email = Some(mailbox.clone());
                    user.login = human.email();
                }
                both_if(user, record, Class::SharedMailbox, in_okta)
            })
            .collect()
    }

    /// A person departs, and another person gets the address.
    pub(super) fn reused_address(&mut self) -> Vec<Traces> {
        let mut leaver = self.hire();
        leaver.hired = self.rng.i64(-500..900);
        let mut newcomer = self.hire();
        newcomer.hired = TODAY - self.rng.i64(20..300);
        let style = self.rng.u8(..4);
        match style {
            // The same family name.
            0 => newcomer.family = leaver.family.clone(),
            // The same initial and family name, which give the same address.
            1 => {
                newcomer.family = leaver.family.clone();
                let list = names::language(newcomer.language).givens(newcomer.sex);
                let like: Vec<&str> = list
                    .iter()
                    .copied()
                    .filter(|name| initial(name) == initial(&leaver.given) && *name != leaver.given)
                    .collect();
                if !like.is_empty() {
                    newcomer.given = self.pick(&like).to_owned();
                }
            }
            // The same given name: `maria@`.
            2 => newcomer.given = leaver.given.clone(),
            _ => {}
        }
        while newcomer.full() == leaver.full() {
            newcomer.family = names::language(newcomer.language).family(&mut self.rng, 1.0);
        }
        newcomer.local = leaver.local.clone();
        newcomer.domain = leaver.domain.clone();
        let mut left = self.leaver(&leaver);
        left.class = Class::LostAddress;
        left.decidable = style != 2;
        if let Some(user) = &mut left.user {
            user.status = "DEPROVISIONED";
            if self.rng.bool() {
                user.login = format!("{}-left", user.login);
            }
        }
        if self.rng.bool() {
            left.user = None;
        }
        let user = self.user(&newcomer);
        let mut record = self.record(&newcomer);
        let mut traces = Traces {
            user: Some(user),
            records: vec![],
            class: Class::ReusedAddress,
            decidable: style != 2,
        };
        match self.rng.u8(..4) {
            // Only the leaver has a record, with the address.
            0 | 1 => traces.decidable = true,
            // The newcomer has a record with another address.
            2 => {
                record.email = format!("{}.new@{}", newcomer.local, newcomer.domain);
                record.identifier = record.email.clone();
                traces.records.push(record);
                traces.decidable = false;
            }
            _ => traces.records.push(record),
        }
        // Some leavers' records have no address, or only initials.
        if let Some(record) = left.records.first_mut() {
            match self.rng.u8(..6) {
                0 => record.name = format!("{}. {}", initial(&leaver.given), leaver.family),
                1 => record.name = leaver.local.clone(),
                _ => return vec![left, traces],
            }
            left.decidable = false;
            traces.decidable = false;
        }
        vec![left, traces]
    }

    pub(super) fn father_and_son(&mut self) -> Vec<Traces> {
        let mut father = self.hire();
        father.hired = self.rng.i64(-1400..300);
        let mut son = self.hire_named(
            father.language,
            father.sex,
            father.given.clone(),
            father.family.clone(),
        );
        son.hired = self.rng.i64(900..TODAY - 30);
        son.middle = None;
        let suffixes = [(" Sr.", " Jr."), ("", " Jr."), ("", " II"), ("", "")];
        let (of_father, of_son) = self.pick(&suffixes);
        let shared = self.chance(0.2);
        let mut traces = Vec::new();
        for (human, suffix) in [(&father, of_father), (&son, of_son)] {
            let (mut user, mut record) = (self.user(human), self.record(human));
            let mut decidable = true;
            if self.chance(0.6) {
                user.last_name = Some(format!("{}{suffix}", human.family));
            }
            if self.chance(0.6) {
                record.name.push_str(suffix);
            }
            if shared {
                record.email = father.email();
                record.identifier = father.email();
                decidable = false;
            } else if self.chance(0.2) {
                record.email = String::new();
                record.identifier = String::new();
                decidable = false;
            }
            traces.push(Traces {
                user: Some(user),
                records: vec![record],
                class: Class::FatherSon,
                decidable,
            });
        }
        // The father retired: his records may be deactivated or deleted.
        if self.rng.bool() {
            if let Some(user) = &mut traces[0].user {
                user.status = "DEPROVISIONED";
            }
            if self.rng.bool() {
                traces[0].user = None;
            }
            if self.rng.bool()
                && let Some(record) = traces[0].records.first_mut()
            {
                record.deactivated = 1_000 * DAY + START;
            }
        }
        traces
    }

    pub(super) fn twins(&mut self) -> Vec<Traces> {
        let one = self.hire();
        let list = names::language(one.language).givens(one.sex);
        let like: Vec<&str> = list
            .iter()
            .copied()
            .filter(|name| spelling::similar(name, &one.given))
            .collect();
        let others: Vec<&str> = list.iter().copied().filter(|name| *name != one.given).collect();
        let given = if like.is_empty() {
            self.pick(&others)
        } else {
            self.pick(&like)
        };
        let mut other = self.hire_named(one.language, one.sex, given.to_owned(), one.family.clone());
        other.hired = one.hired;
        other.team = one.team.clone();
        let muddle = self.rng.u8(..4);
        let mut traces: Vec<Traces> = [&one, &other]
            .into_iter()
            .map(|human| {
                let (user, mut record) = (self.user(human), self.record(human));
                let mut decidable = true;
                match muddle {
                    0 => {
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    1 => {
                        record.name = format!("{}. {}", initial(&human.given), human.family);
                        decidable = initial(&one.given) != initial(&other.given) || !record.email.is_empty();
                    }
                    _ => {}
                }
                both_if(user, record, Class::Twins, decidable)
            })
            .collect();
        // One twin's record has the other's address.
        if muddle == 2 {
            traces[1].decidable = false;
            traces[1].records[0].email = one.email();
            traces[1].records[0].identifier = one.email();
        }
        traces
    }

    pub(super) fn namesakes(&mut self) -> Vec<Traces> {
        let one = self.hire();
        let mut other = self.hire_named(one.language, one.sex, one.given.clone(), one.family.clone());
        if self.rng.bool() {
            other.team = one.team.clone();
        }
        [&one, &other]
            .into_iter()
            .map(|human| {
                let (user, mut record) = (self.user(human), self.record(human));
                let mut decidable = true;
                match self.rng.u8(..6) {
                    0 => {
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    1 => {
                        record.email = self.address_at_old_domain(human);
                        record.identifier = record.email.clone();
                        decidable = false;
                    }
                    2 => {
                        record.name = local(human, Scheme::FLast);
                        record.email = String::new();
                        record.identifier = String::new();
                        decidable = false;
                    }
                    _ => {}
                }
                both_if(user, record, Class::Namesake, decidable)
            })
            .collect()
    }
}
