//! Addresses and account names.

use super::{
    folding::{fold, is_of_unread_script},
    stopwords::{is_provider, is_role},
};

/// An address as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// Lower case, without what follows a `+`.
    pub(super) local: String,
    pub(super) domain: String,
    /// The local part without punctuation.
    pub(super) squeezed: String,
    /// It is a role's or a team's mailbox, so that it names nobody.
    pub(super) role: bool,
    /// It is at a mail provider.
    pub(super) private: bool,
}

impl Address {
    /// None if it is not an address, or one that a machine made up.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let folded = fold(text.trim());
        let (local, domain) = folded.rsplit_once('@')?;
        let local = local.split('+').next().unwrap_or(local);
        let made_up = domain.ends_with(".local")
            || domain.ends_with(".localdomain")
            || domain.ends_with(".lan")
            || domain.ends_with(".invalid")
            || domain.ends_with(".internal")
            || !domain.contains('.');
        (!local.is_empty() && !domain.is_empty() && !made_up && !local.contains(['\\', ' '])).then(|| Self {
            local: local.to_owned(),
            domain: domain.to_owned(),
            squeezed: squeezed(local),
            role: is_role(local),
            private: is_provider(domain),
        })
    }
}

/// Letters and digits only, so that `jane.doe` and `janedoe` are equal.
pub(super) fn squeezed(text: &str) -> String {
    let mut squeezed = text.to_owned();
    squeezed.retain(|c| c.is_ascii_alphanumeric());
    squeezed
}

/// The account name that a device gave for a name: `DESKTOP-7\jane`, `ACME/jdoe`,
/// `jane.doe`, `jane@laptop`. None for what reads as a human's name.
pub(super) fn account(name: &str) -> Option<String> {
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let (machine, account) = match name.rsplit_once(['\\', '/']) {
        Some((_, account)) => (true, account),
        None => (name.contains('@'), name),
    };
    let account = account.split('@').next().unwrap_or(account).trim();
    let human = || account.contains([' ', ',']) || account.chars().any(is_of_unread_script);
    if !machine && human() {
        return None;
    }
    let folded = fold(account);
    if !machine && folded.contains(' ') {
        return None;
    }
    let account: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
    (!account.is_empty()).then_some(account)
}

/// Whether an account name says nothing about who uses it.
pub(super) fn is_nobody(account: &str) -> bool {
    is_role(account)
        || account.starts_with("desktop-")
        || account.starts_with("laptop-")
        || account.starts_with("pc-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_tags() {
        let parse =
            |text: &str| Address::parse(text).map(|address| format!("{}@{}", address.local, address.domain));
        for (text, expected) in [
            (" Jane.Doe+vpn@Acme.COM ", Some("jane.doe@acme.com")),
            ("jörg@acme.com", Some("jorg@acme.com")),
            ("jane@desktop-1.local", None),
            ("jane@laptop", None),
            ("DESKTOP-1\\jane", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_device_gives_an_account_name_and_a_human_a_name() {
        for (name, expected) in [
            ("DESKTOP-7\\Jane", Some("jane")),
            ("ACME/jdoe", Some("jdoe")),
            ("jane.doe@laptop", Some("jane.doe")),
            ("jdoe2", Some("jdoe2")),
            ("Jane Doe", None),
            ("Doe, J.", None),
            ("김철수", None),
        ] {
            assert_eq!(account(name).as_deref(), expected, "{name}");
        }
        assert!(is_nobody("admin") && is_nobody("user2") && !is_nobody("jdoe") && !is_nobody("104233"));
    }
}
