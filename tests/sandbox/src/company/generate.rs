use super::Company;
pub(super) fn company(_people: usize, _seed: u64) -> Company {
    Company::acme()
}
