//! Words in names and addresses that do not identify anybody.

use std::sync::LazyLock;

use foldhash::HashSet;

type Words = LazyLock<HashSet<&'static str>>;

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split(' ').collect()
}

static TITLES: Words = LazyLock::new(|| {
    words("mr mrs ms miss mx dr prof rev ing dipl herr frau sra srta mme mlle phd md mba msc bsc cpa esq pmp")
});

/// Remarks that admins add to the name of a record.
static REMARKS: Words = LazyLock::new(|| {
    words(
        "contractor external ext extern intern temp consultant freelance freelancer old new laptop desktop pc \
         macbook remote office home work wfh vpn leave maternity parental onsite offsite hybrid trainee apprentice \
         new hire test inactive left copy duplicate admin",
    )
});

/// Parts of family names that are often omitted.
static PARTICLES: Words = LazyLock::new(|| {
    words(
        "de da do dos das del della di du la le van von der den ter zu zum zur af av al el bin ben ibn bint \
         abu y e san st",
    )
});

/// Account names and local parts of roles and machines.
static ROLES: Words = LazyLock::new(|| {
    words(
        "info office contact hello sales support help helpdesk service admin administrator hr people jobs it \
         team reception frontdesk front desk warehouse store shop billing accounts accounting finance invoice \
         invoices marketing press noreply no reply postmaster webmaster root user guest owner pc laptop \
         desktop workstation kiosk meeting room meetingroom test demo default employee unknown shared mailbox \
         mail lab student operator staff public local system temp home computer usr security",
    )
});

/// Public mail providers.
static PROVIDERS: Words = LazyLock::new(|| {
    words(
        "gmail.com googlemail.com yahoo.com hotmail.com outlook.com live.com msn.com icloud.com me.com \
         mac.com aol.com gmx.de gmx.net gmx.com web.de t-online.de proton.me protonmail.com mail.com mail.ru \
         yandex.ru yandex.com qq.com 163.com 126.com orange.fr free.fr laposte.net libero.it wp.pl o2.pl \
         onet.pl interia.pl seznam.cz naver.com rediffmail.com comcast.net verizon.net att.net zoho.com \
         fastmail.com hey.com uol.com.br bol.com.br terra.com.br",
    )
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// `Sr.`, `I`
    First,
    /// `Jr.`, `II`
    Second,
    /// `III`
    Third,
    /// `IV`
    Fourth,
}

/// Returns the generation that a folded word denotes.
pub(super) fn generation(word: &str) -> Option<Generation> {
    Some(match word {
        "sr" | "senior" => Generation::First,
        "jr" | "junior" | "ii" | "2nd" => Generation::Second,
        "iii" | "3rd" => Generation::Third,
        "iv" | "4th" => Generation::Fourth,
        _ => return None,
    })
}

/// How the logins of service accounts begin and end.
const SERVICE_MARKS: [&[&str]; 2] = [
    &["svc-", "svc_", "svc.", "service-", "service_", "sa-", "bot-"],
    &["-svc", "_svc", ".svc", "-bot"],
];

/// The part of a login before the `@`, in lower case.
fn local_part(login: &str) -> String {
    login.split('@').next().unwrap_or_default().trim().to_lowercase()
}

/// Whether a login is that of a service account: `svc-backup@acme.com`.
pub fn is_of_service(login: &str) -> bool {
    let local = local_part(login);
    let [begins, ends] = SERVICE_MARKS;
    begins.iter().any(|mark| local.starts_with(mark)) || ends.iter().any(|mark| local.ends_with(mark))
}

/// Whether a login is that of a role: `info@acme.com`, `sales-team`.
pub fn is_of_role(login: &str) -> bool {
    let local = local_part(login);
    is_role(local.split('+').next().unwrap_or_default())
}

/// Whether a login is that of an account for administration: `adm-jdoe`, `jane.doe_admin`.
pub(super) fn is_of_administrator(login: &str) -> bool {
    let local = local_part(login);
    let separators = ['-', '_', '.'];
    if local.starts_with("a_") || local.starts_with("a-") {
        return true;
    }
    let marks = ["adm", "admin", "priv", "root", "su"];
    let first = local.split_once(separators).map(|(first, _)| first);
    let last = local.rsplit_once(separators).map(|(_, last)| last);
    [first, last]
        .into_iter()
        .flatten()
        .any(|word| marks.contains(&word))
}

pub(super) fn is_title(word: &str) -> bool {
    TITLES.contains(word)
}

pub(super) fn is_remark(word: &str) -> bool {
    REMARKS.contains(word)
}

pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(word)
}

/// Whether all words of a local part or account name are [`ROLES`].
pub(super) fn is_role(name: &str) -> bool {
    let mut words = name
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek().is_some() && words.all(|word| ROLES.contains(word))
}

pub(super) fn is_provider(domain: &str) -> bool {
    PROVIDERS.contains(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_roles_and_service_accounts_are_known_by_their_local_part() {
        for (login, is_role, is_service) in [
            ("info@acme.com", true, false),
            ("Support+EU@acme.com", true, false),
            ("no-reply@acme.com", true, false),
            ("security", true, false),
            ("front.desk2@acme.com", true, false),
            ("info.bern@acme.com", false, false),
            ("jane@support.acme.com", false, false),
            ("SVC-Backup@acme.com", false, true),
            ("svc_backup", false, true),
            ("svc.backup@acme.com", false, true),
            ("service-okta@acme.com", false, true),
            ("sa-terraform@acme.com", false, true),
            ("bot-deploy@acme.com", false, true),
            ("backup-svc@acme.com", false, true),
            ("deploy-bot@acme.com", false, true),
            ("sa.nguyen@acme.com", false, false),
            ("jan.bot@acme.com", false, false),
            ("svcensson@acme.com", false, false),
            ("abbot@acme.com", false, false),
            ("jane.doe@acme.com", false, false),
            ("@acme.com", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (is_of_role(login), is_of_service(login)),
                (is_role, is_service),
                "{login}"
            );
        }
    }
}
