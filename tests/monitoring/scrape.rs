//! Parses a scrape.

use std::collections::{BTreeMap, BTreeSet};

/// Metadata of a metric family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    pub type_: String,
    pub help: String,
}

/// A series with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
    /// The line without the value.
    pub series: String,
}

#[derive(Clone, Debug, Default)]
pub struct Scrape {
    pub families: BTreeMap<String, Family>,
    pub samples: Vec<Sample>,
}

impl Scrape {
    #[track_caller]
    pub fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                scrape.families.entry(name.to_owned()).or_default().help = help.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, type_) = rest.split_once(' ').unwrap();
                scrape.families.entry(name.to_owned()).or_default().type_ = type_.to_owned();
            } else if !line.starts_with('#') {
                scrape.samples.push(Sample::read(line));
            }
        }
        scrape
    }

    /// Returns the family of a sample.
    pub fn family_of(&self, sample: &Sample) -> Option<&str> {
        ["", "_total", "_info", "_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|suffix| sample.name.strip_suffix(suffix))
            .find(|name| self.families.contains_key(*name))
            .map(|name| self.families.get_key_value(name).unwrap().0.as_str())
    }

    /// Returns all labels of each sample name.
    pub fn labels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for sample in &self.samples {
            let known = labels.entry(sample.name.clone()).or_default();
            known.extend(sample.labels.keys().cloned());
        }
        labels
    }
}

impl Sample {
    #[track_caller]
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels = BTreeMap::new();
        // Label values contain neither quotes nor commas; one that did would fail here.
        for pair in rest
            .strip_suffix('}')
            .unwrap()
            .split(',')
            .filter(|pair| !pair.is_empty())
        {
            let (label, quoted) = pair.split_once('=').unwrap();
            let value = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            labels.insert(label.to_owned(), value.unwrap().to_owned());
        }
        Self {
            name: name.to_owned(),
            labels,
            value: value.parse().unwrap(),
            series: series.to_owned(),
        }
    }
}
