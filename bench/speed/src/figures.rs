//! Figures by name: of each the best and the median of its repeats.

use std::collections::BTreeMap;

/// Repeats of each figure. All are rates: more is better.
#[derive(Debug, Default)]
pub struct Figures {
    repeats: BTreeMap<String, Vec<f64>>,
    facts: BTreeMap<String, serde_json::Value>,
}

impl Figures {
    /// Adds a repeat.
    pub fn add(&mut self, name: &str, figure: f64) {
        self.repeats.entry(name.into()).or_default().push(figure);
    }

    /// Notes what has no repeats.
    pub fn fact(&mut self, name: &str, fact: impl Into<serde_json::Value>) {
        self.facts.insert(name.into(), fact.into());
    }

    /// Everything in one line.
    pub fn json(mut self) -> String {
        for (name, mut repeats) in self.repeats {
            repeats.sort_by(f64::total_cmp);
            let (best, median) = (repeats.last().copied(), repeats[repeats.len() / 2]);
            self.facts.insert(name, serde_json::json!({ "median": median, "best": best }));
        }
        serde_json::json!(self.facts).to_string()
    }
}
