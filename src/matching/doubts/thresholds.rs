//! The strength of evidence that outweighs each doubt, in one table.
//!
//! A strength is the evidence of a pair after the prior, in bits: 10 bits are odds of 1,000 : 1. All were chosen on
//! tuning companies, so that hardly any pair is false that outweighs its doubts.

/// Stronger than any pair: no honest history explains the contradiction.
pub(super) const NEVER: f64 = f64::INFINITY;

// The lead over other pairs.

/// Lead of the best pair over the runner-up of either side: 256 : 1.
pub(in crate::matching) const MIN_MARGIN_BITS: f64 = 8.0;
/// The same if several records share the address, which then says nothing about which of them is meant.
pub(super) const MIN_SHARED_MARGIN_BITS: f64 = 16.0;

// The prior.

/// Number of candidates from which strength is counted: how often an address is reassigned, or a stranger has a
/// name, does not depend on how small a company is.
pub(super) const MIN_PRIOR_CANDIDATES: usize = 128;

// Pairs with an equal address.

/// The names agree only in part, or another record has an address of the pair: the address is no new holder's.
pub(super) const MIN_ADDRESS_STRENGTH: f64 = 14.0;
/// Only the teams differ: people change teams more often than addresses change hands.
pub(super) const MIN_MOVED_STRENGTH: f64 = 8.0;
/// Only the address shows that the first names are two forms of one.
pub(super) const MIN_NICKNAME_STRENGTH: f64 = 8.0;
/// The address may have been another person's.
pub(super) const MIN_REASSIGNED_STRENGTH: f64 = 20.0;

// Pairs with an equal name, and the same address at a former domain.

/// The team or the dates differ.
pub(super) const MIN_FORMER_DOMAIN_STRENGTH: f64 = 17.0;
/// Neither the team nor the dates support the pair.
pub(super) const MIN_UNSUPPORTED_FORMER_DOMAIN_STRENGTH: f64 = 19.0;
/// Support by team, dates and login from which the former domain needs no further strength.
pub(super) const MIN_FORMER_DOMAIN_SUPPORT_BITS: f64 = 2.0;

// Pairs without a common address.

/// A full name, or an account name that is the person's login, with support.
pub(super) const MIN_NAME_STRENGTH: f64 = 3.0;
/// A name that agrees in part, with support.
pub(super) const MIN_PARTIAL_NAME_STRENGTH: f64 = 3.0;
/// Another account name, with support: colleagues with the same initial have it, too.
pub(super) const MIN_ACCOUNT_STRENGTH: f64 = 4.0;
/// A name in another team.
pub(super) const MIN_MOVED_NAME_STRENGTH: f64 = 7.0;
/// A name that only a login supports, which is derived from the name itself.
pub(super) const MIN_LOGIN_STRENGTH: f64 = 7.0;
/// An address of an agency beside the person's own.
pub(super) const MIN_OTHER_DOMAIN_STRENGTH: f64 = 5.0;
/// Several people or employees have the name.
pub(super) const MIN_NAMESAKE_STRENGTH: f64 = 12.0;

// Support and contradiction by teams and dates, in bits.

/// Team and dates support a name that agrees in part, beside an equal address.
pub(super) const MIN_SUPPORT_BITS: f64 = 3.0;
/// The dates support a pair by themselves, where a namesake may be in the same team.
pub(super) const MIN_DATE_SUPPORT_BITS: f64 = 2.0;
/// Evidence of the dates above which an address was not reassigned.
pub(super) const MIN_SAME_HOLDER_BITS: f64 = -1.0;
/// Evidence of the team or the dates that contradicts a pair.
pub(super) const MAX_CONTRADICTION_BITS: f64 = -2.5;

// Names.

/// Length of a last name up to which one letter makes another name, as of Chen and Cheng or Xu and Xue.
pub(super) const MAX_SHORT_NAME_LEN: usize = 4;
