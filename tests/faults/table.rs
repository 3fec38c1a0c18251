//! Prints the results of the fault matrix as tables.

use std::collections::BTreeMap;

use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    matrix::{Call, Fault, Phase, inapplicable},
    run::Cells,
};

/// How many columns fit a terminal.
const MAX_COLUMNS: usize = 5;

/// Prints the symptom of each fault. Returns the failures.
pub fn print(runs: &[(Call, Cells)]) -> Vec<String> {
    let runs: BTreeMap<Call, &Cells> = runs.iter().map(|(call, cells)| (*call, cells)).collect();
    let mut wrong = Vec::new();
    let mut passed = 0;
    for (title, phase) in [
        ("Before finalizing", Phase::Before),
        ("After finalizing", Phase::After),
    ] {
        for calls in Call::ALL.chunks(MAX_COLUMNS) {
            let empty = |call: &Call| inapplicable(Fault::Error, *call, phase).is_some();
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
                        match (inapplicable(fault, *call, phase), runs[call].get(&(phase, fault))) {
                            (Some(_), _) => "-".to_owned(),
                            (None, Some(Ok(seen))) => {
                                passed += 1;
                                seen.clone()
                            }
                            (None, Some(Err(why))) => {
                                wrong.push(format!("{call}, {fault:?}, {phase:?}: {why}"));
                                "FAILED".to_owned()
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
        "{passed} cases passed, {} failed. The cells show the reason of the condition. \"retried\": the call \
         is repeated and no condition is needed; \"next search\": the fault looks like an unchanged directory, and \
         the next search finds the change; \"accepted\": the response is taken as true; \"-\": not applicable.",
        wrong.len()
    );
    wrong
}
