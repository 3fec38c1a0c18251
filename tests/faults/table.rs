//! The table.

use std::collections::BTreeMap;

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    matrix::{Call, Fault, Phase, senseless},
    run::Cells,
};

/// Columns that fit a terminal.
const ACROSS: usize = 5;

/// Prints what was seen of each fault. Gives what was wrong.
pub fn print(runs: &[(Call, Cells)]) -> Vec<String> {
    let runs: BTreeMap<Call, &Cells> = runs.iter().map(|(call, cells)| (*call, cells)).collect();
    let mut wrong = Vec::new();
    let mut counted = 0;
    for (title, phase) in [("Before the finish", Phase::Before), ("After it", Phase::After)] {
        for calls in Call::ALL.chunks(ACROSS) {
            let empty = |call: &Call| senseless(Fault::Error, *call, phase).is_some();
            if calls.iter().all(empty) {
                continue;
            }
            let mut table = Table::new();
            table.load_style(UTF8_FULL_CONDENSED);
            let heads = calls.iter().map(ToString::to_string);
            table.set_header(std::iter::once(title.to_owned()).chain(heads));
            for fault in Fault::ALL {
                let mut row = vec![format!("{fault:?}")];
                for call in calls {
                    row.push(
                        match (senseless(fault, *call, phase), runs[call].get(&(phase, fault))) {
                            (Some(_), _) => "-".to_owned(),
                            (None, Some(Ok(seen))) => {
                                counted += 1;
                                seen.clone()
                            }
                            (None, Some(Err(why))) => {
                                wrong.push(format!("{call}, {fault:?}, {phase:?}: {why}"));
                                "WRONG".to_owned()
                            }
                            (None, None) => {
                                wrong.push(format!("{call}, {fault:?}, {phase:?}: not run"));
                                "not run".to_owned()
                            }
                        },
                    );
                }
                table.add_row(row);
            }
            println!("{table}");
        }
    }
    println!(
        "{counted} cases as they should be, {} wrong. A word is the reason that the condition gave; \"waits\": \
         the call is repeated and nobody need know; \"later\": it looks as if nothing had changed, and the next \
         search brings what did; \"believed\": what it says is so; \"-\": the fault makes no sense there.",
        wrong.len()
    );
    wrong
}
