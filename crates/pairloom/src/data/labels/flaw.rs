//! What is wrong with a label beside those of the rows before it.

use super::Labels;
use crate::encode::MOST_CLASSES;
use crate::error::{OR_SKIP, Place};
use crate::input::{is_missing, parse_number, quoted, spelled};
use crate::loss::Loss;

/// What is wrong with a label.
pub(super) struct Flaw {
    pub(super) message: String,
    /// Whether it is wrong with all rows, not only with this one; and where, if not in this one.
    pub(super) of_column: Option<Option<Place>>,
}

impl Labels {
    /// What makes a label doubtful that nobody has named: another value than two.
    pub(super) fn third(&self, name: &str) -> Option<Flaw> {
        let [first, second] = self.classes.first_chunk()?.each_ref().map(quoted);
        let message =
            format!("label: {} is a third value beside {first} and {second}", quoted(name));
        Some(Flaw { message, of_column: None })
    }

    /// What is wrong with another class, if something is.
    pub(super) fn flaw(&self, name: &str, number: Option<f64>) -> Option<Flaw> {
        if self.classes.len() < 2 {
            return None;
        }
        if let Some(spelled) = spelled(name.as_bytes()) {
            let message = format!("label: {} is {spelled}", quoted(name));
            return Some(Flaw { message, of_column: None });
        }
        if self.classes.len() >= MOST_CLASSES {
            let message = format!(
                "label: {} is one value more than the {MOST_CLASSES} that can be classes: is the \
                 label another column, or can values be put together?",
                quoted(name)
            );
            return Some(Flaw { message, of_column: Some(None) });
        }
        if self.are_classes() { None } else { self.mixed(name, number.is_some()) }
    }

    /// What is wrong where numbers and texts are mixed, unless each is said to be a class: with another one beside
    /// two or more of one kind, or with the first of three, where the other two are not of its kind.
    fn mixed(&self, name: &str, is_number: bool) -> Option<Flaw> {
        let of_kind = |class: &&str| parse_number(class.as_bytes()).is_some() == is_number;
        let classes = self.classes.iter().map(String::as_str);
        let (same, others): (Vec<&str>, Vec<&str>) = classes.partition(of_kind);
        let (odd, is_text, others, of_column) = match (same.is_empty(), others.first()) {
            (_, None) => return None,
            (true, _) => (name, !is_number, others, None),
            (false, Some(&first)) => {
                let at = self.first[usize::from(is_number)].clone();
                (first, is_number, [&same[..], &[name]].concat(), Some(at))
            }
        };
        let skip = if of_column.is_none() { OR_SKIP } else { "" };
        let message = match is_text && is_missing(odd.as_bytes()) {
            true => format!("stands for a missing number: leave out rows without a label{skip}"),
            false => {
                let meant = if self.loss.is_none() { if_meant() } else { String::new() };
                format!("{}: correct it{skip}{meant}", alone(is_text, &others))
            }
        };
        Some(Flaw { message: format!("label: {} {message}", quoted(odd)), of_column })
    }
}

/// What is wrong with a label that is a text among numbers, or a number among texts.
pub(crate) fn alone(is_text: bool, others: &[&str]) -> String {
    let (is, are) = if is_text { ("is not a number", "are") } else { ("is a number", "are not") };
    let others: Vec<String> = others.iter().take(2).map(quoted).collect();
    format!("{is}, and the others {are} ({}, ..)", others.join(", "))
}

/// How to say that numbers and texts are classes alike.
pub(crate) fn if_meant() -> String {
    format!("; if each value is a class, train with --loss {}", Loss::Softmax.name())
}
