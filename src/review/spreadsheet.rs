//! People as a table for a spreadsheet (CSV).

use csv::{ReaderBuilder, StringRecord, WriterBuilder};

use super::{Company, Decided, PersonView, import::Wanted};
use crate::{
    api::{CandidateStatus, Decision},
    model::text::shown,
};

const MAX_CANDIDATES: usize = 5;

const COLUMNS: [&str; 13] = [
    "okta_user_id",
    "person",
    "email",
    "title",
    "team",
    "state",
    "employee_id",
    "employee",
    "employee_email",
    "employee_team",
    "confidence",
    "evidence",
    "why",
];
/// The columns that are read back.
const DECISION_COLUMNS: [&str; 4] = ["decision", "employee_ids", "rejected_employee_ids", "note"];

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot be read as CSV: {0}")]
    Csv(#[from] csv::Error),
    #[error("has no column {column}: the first line must name the columns, as in an export")]
    NoColumn { column: &'static str },
    #[error(
        "line {line}: {decision} is not a decision: write Match, Create, Ignore, Deactivate or Auto, or nothing"
    )]
    UnknownDecision { line: u64, decision: String },
    #[error("line {line}: employee_ids is filled and decision is empty: write Match, or empty employee_ids")]
    NoDecision { line: u64 },
    #[error("cannot be written: {0}")]
    Write(String),
}

/// A cell that no spreadsheet takes for a formula, with everything that hides visible.
fn cell(text: &str) -> String {
    let text = shown(text);
    match text.starts_with(['=', '+', '-', '@', '\'']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

/// The text of such a cell.
fn text_of(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\'']) => rest,
        _ => cell,
    }
}

/// Returns these people as CSV, each with the employee that is shown and all candidates. As written, it changes no
/// decision.
///
/// # Errors
/// Only if a cell cannot be written.
pub fn table<'a>(people: impl IntoIterator<Item = PersonView<'a>>) -> Result<String, TableError> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    let candidates = (1..=MAX_CANDIDATES).map(|number| format!("candidate_{number}"));
    let columns = COLUMNS.into_iter().map(str::to_owned).chain(candidates);
    writer.write_record(columns.chain(DECISION_COLUMNS.map(str::to_owned)))?;
    for person in people {
        writer.write_record(row(person).iter().map(|text| cell(text)))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| TableError::Write(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| TableError::Write(error.to_string()))
}

fn row(person: PersonView<'_>) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let employee = person.employee();
    let mut row = vec![
        person.id().to_owned(),
        person.name().to_owned(),
        text(person.email()),
        text(person.title()),
        text(person.team()),
        person
            .state()
            .map(|state| format!("{state:?}"))
            .unwrap_or_default(),
        text(employee.map(|employee| employee.id.as_str())),
        text(employee.map(|employee| employee.name.as_str())),
        text(employee.map(|employee| employee.email.as_str())),
        text(employee.and_then(|employee| employee.team.as_deref())),
        person
            .confidence()
            .map(|percent| percent.to_string())
            .unwrap_or_default(),
        person
            .evidence()
            .map(|kind| format!("{kind:?}"))
            .unwrap_or_default(),
        person.explanation(),
    ];
    let candidates = person.candidates();
    row.extend((0..MAX_CANDIDATES).map(|place| candidates.get(place).map(candidate).unwrap_or_default()));
    let Decided {
        decision,
        employee_ids,
        rejected_employee_ids,
        note,
    } = person.decided();
    row.push(match decision {
        Decision::Auto => String::new(),
        decision => format!("{decision:?}"),
    });
    row.push(employee_ids.join(" "));
    row.push(rejected_employee_ids.join(" "));
    row.push(note.unwrap_or_default());
    row
}

fn candidate(candidate: &CandidateStatus) -> String {
    let CandidateStatus {
        employee_id,
        name,
        email,
        team,
        deactivated,
        matched_to,
        confidence,
        ..
    } = candidate;
    let mut parts = vec![
        employee_id.clone(),
        name.clone(),
        email.clone(),
        format!("{confidence}%"),
    ];
    parts.extend(team.as_ref().map(|team| format!("team {team}")));
    parts.extend(deactivated.then(|| "deactivated".to_owned()));
    parts.extend(matched_to.as_ref().map(|holder| format!("matched to {holder}")));
    parts.join(" | ")
}

/// Reads the decisions of a table: of each row that decides something else than the person's EmployeeMatch does. Columns
/// other than those of the decision are not read, and may be missing, as may be `rejected_employee_ids` and `note`.
///
/// # Errors
/// The text is no table, lacks a column, or has a cell that is no decision.
pub fn decisions(text: &str, company: &Company) -> Result<Vec<Wanted>, TableError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .from_reader(text.as_bytes());
    let columns = reader.headers()?.clone();
    let place = |name: &str| columns.iter().position(|column| column.trim() == name);
    let required = |column: &'static str| place(column).ok_or(TableError::NoColumn { column });
    let (id, decision) = (required("okta_user_id")?, required("decision")?);
    let employees = required("employee_ids")?;
    let (rejected, note) = (place("rejected_employee_ids"), place("note"));
    let mut wanted = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |place: usize| text_of(record.get(place).unwrap_or_default());
        if is_empty(&record) {
            continue;
        }
        let before = company
            .person(cell(id))
            .map(|person| person.decided())
            .unwrap_or_default();
        let decided = Decided {
            decision: match (cell(decision), cell(employees)) {
                ("", "") => Decision::Auto,
                ("", _) => return Err(TableError::NoDecision { line }),
                (text, _) => parse(text).ok_or_else(|| TableError::UnknownDecision {
                    line,
                    decision: shown(text).into_owned(),
                })?,
            },
            employee_ids: ids(cell(employees), &before.employee_ids),
            rejected_employee_ids: match rejected {
                Some(place) => ids(cell(place), &before.rejected_employee_ids),
                None => before.rejected_employee_ids,
            },
            // As written, what a cell shows as a code changes no note.
            note: match (note.map(cell), before.note) {
                (Some(cell), Some(before)) if cell == shown(&before).trim() => Some(before),
                (Some(cell), _) => (!cell.is_empty()).then(|| cell.to_owned()),
                (None, before) => before,
            },
        };
        wanted.push(Wanted {
            place: format!("line {line}"),
            okta_user_id: cell(id).to_owned(),
            decided,
        });
    }
    Ok(wanted)
}

/// The character between the cells: spreadsheets write another one where the comma separates decimals.
fn delimiter(text: &str) -> u8 {
    let columns = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| columns.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter))
        .unwrap_or(b',')
}

fn is_empty(record: &StringRecord) -> bool {
    record.iter().all(|cell| cell.trim().is_empty())
}

fn ids(text: &str, before: &[String]) -> Vec<String> {
    if text == shown(&before.join(" ")).trim() {
        return before.to_vec();
    }
    let ids = text
        .split([' ', ',', ';', '\n', '\t'])
        .filter(|id| !id.is_empty());
    ids.map(str::to_owned).collect()
}

fn parse(text: &str) -> Option<Decision> {
    [
        Decision::Auto,
        Decision::Match,
        Decision::Create,
        Decision::Ignore,
        Decision::Deactivate,
    ]
    .into_iter()
    .find(|decision| format!("{decision:?}").eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::EmployeeMatch,
        review::{
            example::{company, person},
            import::check,
        },
    };

    fn decided(name: &str, note: &str) -> EmployeeMatch {
        let mut object = person("00u1", name, "Review", Some("w1"), 80);
        object.spec.decision = Decision::Match;
        object.spec.employee_ids = vec!["w1".to_owned(), "-w2".to_owned()];
        object.spec.note = Some(note.to_owned());
        object
    }

    #[test]
    fn an_export_read_back_changes_nothing() {
        let company = company(
            vec![
                decided("Jane Doe", "a\n=contractor "),
                person("00u2", "Bob", "Unmatched", None, 0),
            ],
            vec![],
        );
        let text = table(company.people()).unwrap();
        let wanted = decisions(&text, &company).unwrap();
        assert_eq!(wanted.len(), 2);
        assert_eq!(check(&company, wanted).unwrap(), []);
    }

    #[test]
    fn no_cell_is_a_formula_or_a_line_of_its_own() {
        for name in [
            "=HYPERLINK(\"x\")",
            "+1",
            "-1",
            "@SUM(A1)",
            "'=1",
            "a\nb\r\n=c",
            "\u{1b}[2J",
            "\u{202e}x",
            "a,\"b;",
        ] {
            let company = company(vec![decided(name, name)], vec![]);
            let text = table(company.people()).unwrap();
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows: Vec<StringRecord> = reader.records().map(Result::unwrap).collect();
            assert_eq!((rows.len(), text.lines().count()), (1, 2), "{text}");
            for cell in &rows[0] {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
                assert_eq!(shown(cell), cell);
            }
        }
    }

    proptest! {
        #[test]
        fn every_text_survives_a_cell(text in any::<String>()) {
            let shown = shown(&text);
            let cell = cell(&text);
            prop_assert_eq!(text_of(&cell), shown.trim());
        }
    }

    #[test]
    fn a_table_of_another_spreadsheet_is_read() {
        let company = company(vec![person("00u1", "Jane", "Review", Some("w1"), 80)], vec![]);
        let text = "\u{feff}person;okta_user_id;decision;employee_ids\r\nJane;00u1;match;w1, w2\r\n;;;\r\n";
        let wanted = decisions(text, &company).unwrap();
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].decided.to_string(), "Match w1, w2");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let company = company(vec![person("00u1", "Jane", "Review", Some("w1"), 80)], vec![]);
        let error = |text: &str| decisions(text, &company).unwrap_err().to_string();
        assert!(error("a,b\n").starts_with("has no column okta_user_id"));
        let columns = "okta_user_id,decision,employee_ids\n";
        assert!(error(&format!("{columns}00u1,Perhaps,\n")).starts_with("line 2: Perhaps is not a decision"));
        assert!(error(&format!("{columns}00u1,,w1\n")).starts_with("line 2: employee_ids is filled"));
    }
}
