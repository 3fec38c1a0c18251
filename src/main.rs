//! Operator.
fn main() {
    for (_, yaml) in okta_insightful_operator::api::definitions().unwrap_or_default() {
        print!("---\n{yaml}");
    }
}
