//! Parses email addresses and account names.

use super::{
    folding::{fold, is_of_unromanized_script},
    stopwords::{is_provider, is_role},
};

/// A normalized email address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// In lower case, without a `+tag`.
    pub(super) local: String,
    pub(super) domain: String,
    /// The local part without punctuation.
    pub(super) squeezed: String,
    /// Whether it is a shared mailbox.
    pub(super) role: bool,
    /// Whether it is at a public mail provider.
    pub(super) private: bool,
}

impl Address {
    /// Returns None for text that is not an address, and for addresses that devices make up.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let folded = fold(text.trim());
        let (local, domain) = folded.rsplit_once('@')?;
        let local = local.split('+').next().unwrap_or(local);
        let generated = domain.ends_with(".local")
            || domain.ends_with(".localdomain")
            || domain.ends_with(".lan")
            || domain.ends_with(".invalid")
            || domain.ends_with(".internal")
            || !domain.contains('.');
        (!local.is_empty() && !domain.is_empty() && !generated && !local.contains(['\\', ' '])).then(|| {
            Self {
                local: local.to_owned(),
                domain: domain.to_owned(),
                squeezed: squeezed(local),
                role: is_role(local),
                private: is_provider(domain),
            }
        })
    }
}

/// Removes punctuation, so that `jane.doe` and `janedoe` are equal.
pub(super) fn squeezed(text: &str) -> String {
    let mut squeezed = text.to_owned();
    squeezed.retain(|c| c.is_ascii_alphanumeric());
    squeezed
}

/// Returns the account name in a name that a device reported: `DESKTOP-7\jane`,
/// `ACME/jdoe`, `jane.doe`, `jane@laptop`. None for a human's name.
pub(super) fn account(name: &str) -> Option<String> {
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let (from_device, account) = match name.rsplit_once(['\\', '/']) {
        Some((_, account)) => (true, account),
        None => (name.contains('@'), name),
    };
    let account = account.split('@').next().unwrap_or(account).trim();
    let is_human = || account.contains([' ', ',']) || account.chars().any(is_of_unromanized_script);
    if !from_device && is_human() {
        return None;
    }
    let folded = fold(account);
    if !from_device && folded.contains(' ') {
        return None;
    }
    let account: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
    (!account.is_empty()).then_some(account)
}

/// Returns the domain or computer of an account: `acme` of `ACME\\jdoe`.
pub(super) fn login_domain(identifier: &str) -> Option<String> {
    let (domain, _) = identifier.trim().rsplit_once(['\\', '/'])?;
    Some(fold(domain))
}

/// Whether an account name does not identify its user.
pub(super) fn is_unidentifying(account: &str) -> bool {
    is_role(account) || is_of_computer(account)
}

/// Whether a name is a computer's, such as `desktop-7qf2k1`, `lt-1684` or `nb-x7kw`, and not `jane-doe2`.
fn is_of_computer(name: &str) -> bool {
    let Some((kind, number)) = name.split_once('-') else {
        return false;
    };
    let is_digit = |b: &u8| b.is_ascii_digit();
    let digits = number.bytes().filter(|b| is_digit(b)).count();
    let has_letter_after_digit = number
        .bytes()
        .skip_while(|b| !is_digit(b))
        .any(|b| b.is_ascii_alphabetic());
    ["desktop", "laptop", "pc"].contains(&kind) || digits > 2 || has_letter_after_digit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalized() {
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
    fn device_reported_names_are_account_names() {
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
        assert!(
            is_unidentifying("admin")
                && is_unidentifying("user2")
                && !is_unidentifying("jdoe")
                && !is_unidentifying("104233")
        );
    }
}
