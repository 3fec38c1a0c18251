//! Reads manifests.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a YAML text cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The text is not YAML.
    #[error(transparent)]
    Syntax(#[from] Box<serde_yaml::Error>),
    /// An object has other fields than its kind.
    #[error("object {index} (counted from 0): {source}")]
    Object {
        /// The position of the object in the text.
        index: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The documents of a YAML text. Empty documents are skipped, and a `List`, as
/// `kubectl get -o yaml` prints it, counts as its items.
pub fn yaml_documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    // The scalars of YAML 1.2, as in the files that this program writes. The parser's default limits are for
    // untrusted input; a large company's file exceeds them.
    let options = serde_yaml::options! {
        budget: None,
        with_snippet: false,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let documents: Vec<Value> = serde_yaml::from_multiple_with_options(text, options).map_err(Box::new)?;
    let objects = documents.into_iter().flat_map(|mut document| {
        let is_list = document["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        match document.get_mut("items") {
            Some(Value::Array(items)) if is_list => std::mem::take(items),
            _ => vec![document],
        }
    });
    objects
        .enumerate()
        .map(|(index, object)| {
            serde_json::from_value(object).map_err(|source| YamlError::Object { index, source })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::api::EmployeeMatch;

    fn round_trip(text: &str) -> Value {
        let object = json!({ "kind": "EmployeeMatch", text: text, "list": [text, { "item": text }] });
        let yaml = serde_yaml::to_string_multiple(&[&object, &object]).unwrap();
        let documents: Vec<Value> = yaml_documents(&yaml).unwrap();
        assert_eq!(documents, [object.clone(), object], "{yaml}");
        documents[0][text].clone()
    }

    #[test]
    fn strings_that_look_like_other_yaml_stay_strings() {
        for text in [
            "",
            " ",
            "~",
            "null",
            "no",
            "yes",
            "on",
            "Off",
            "y",
            "true",
            "1",
            "-1",
            "007",
            "0x1F",
            "1_000",
            "1e3",
            ".5",
            ".nan",
            "-.inf",
            "2021-01-01",
            "12:30:45",
            ": x",
            "x: y",
            "x:",
            "# x",
            "x # y",
            "- x",
            "-",
            "---",
            "...",
            "? x",
            "& x",
            "* x",
            "! x",
            "| x",
            "> x",
            "%x",
            "@x",
            "`x`",
            "'x'",
            "\"x\"",
            "[x]",
            "{x: y}",
            "a, b",
            " x ",
            "x\ny",
            "x\n",
            "\nx",
            "x\n\n",
            " x\ny",
            "x\n # y",
            "x\r\ny",
            "\t",
            "\u{0}",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "<<",
            "=",
            "x\n---\ny",
            "日本語",
        ] {
            assert_eq!(round_trip(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_string_survives_a_file(text in any::<String>()) {
            prop_assert_eq!(round_trip(&text), text);
        }

        #[test]
        fn every_text_of_several_words_survives_a_file(text in "([a-z#:'\"\\\\ -]{0,60}[\n\r\t ]{0,3}){0,5}") {
            prop_assert_eq!(round_trip(&text), text);
        }
    }

    #[test]
    fn a_list_counts_as_its_items_and_empty_documents_are_skipped() {
        let text = "---\n---\n{kind: EmployeeMatchList, items: [{a: 1}, {a: 2}]}\n---\n# nothing\n---\n{items: [3]}\n";
        let documents: Vec<Value> = yaml_documents(text).unwrap();
        assert_eq!(
            documents,
            [json!({ "a": 1 }), json!({ "a": 2 }), json!({ "items": [3] })]
        );
    }

    #[test]
    fn errors_name_the_place_in_the_text() {
        let error = |text| yaml_documents::<EmployeeMatch>(text).unwrap_err().to_string();
        let syntax = error("a: [\n");
        assert!(
            syntax.contains("line 1, column 4") && !syntax.contains('\n'),
            "{syntax}"
        );
        let object = error("---\n---\n{kind: List, items: [{spec: 7}]}\n");
        assert!(object.starts_with("object 0 (counted from 0): "), "{object}");
    }

    #[test]
    fn a_file_may_hold_the_decisions_of_a_large_company() {
        let item = "- {spec: {decision: Ignore}}\n";
        let list = format!("kind: List\nitems:\n{}", item.repeat(100_000));
        assert_eq!(yaml_documents::<Value>(&list).unwrap().len(), 100_000);
        let documents = "---\nspec: {decision: Ignore}\n".repeat(2_000);
        assert_eq!(yaml_documents::<Value>(&documents).unwrap().len(), 2_000);
    }
}
