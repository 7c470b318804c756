//! From label cells to numbers and back.

use super::{classes, truth};
use crate::config::Config;
use crate::data::{Interned, Labels};
use crate::input::{is_missing, parse_number, quoted};
use crate::loss::Loss;
use crate::schema::{Role, Schema};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is predicted, learned from the labels of the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "task")]
pub enum Target {
    /// One of two values, or one against all others.
    Binary {
        /// The value that counts as 0; `None` for all others.
        negative: Option<String>,
        /// The value that counts as 1.
        positive: String,
    },
    /// One of several values.
    Classes {
        /// The classes: numbers in their order, then texts by alphabet. A label is the place of its class.
        names: Vec<String>,
    },
    /// How good a row is beside the others of its group: a number of at least 0, as it is.
    Grade,
    /// How many there are of something: a number of at least 0, as it is.
    Count,
    /// A number. The model learns `(y - mean) / scale`, so that learning rates mean the same
    /// whatever the unit of `y`.
    Real {
        /// Weighted mean of the training labels; 0 for a model without bias.
        mean: f64,
        /// Their weighted standard deviation, or 1 if all are equal.
        scale: f64,
    },
}

impl Target {
    /// Classes that are known before any label; of two, the one that the schema calls positive is, else the second.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if these can be no classes.
    pub(super) fn of_classes(names: &[String], schema: &Schema) -> Result<Self> {
        let unfit = || {
            let message = "classes must be 2 to 1000 different labels";
            Error::usage(format!("{message}, and not {}", all(names)))
        };
        let names = classes::sorted(names.to_vec());
        if !classes::are_usable(&names) {
            return Err(unfit());
        }
        let [negative, positive] = &names[..] else { return Ok(Target::Classes { names }) };
        let is_first = |said: &String| same_label(said.as_bytes(), negative);
        let (negative, positive) = match schema.positive.as_ref().is_some_and(is_first) {
            true => (positive, negative),
            false => (negative, positive),
        };
        Ok(Target::Binary { negative: Some(negative.clone()), positive: positive.clone() })
    }

    /// Refuses labels that are none of the classes, if there are classes.
    ///
    /// # Errors
    /// [`crate::Error::Data`]; `file` is the name of the rows there.
    pub(crate) fn check_labels(&self, labels: &Labels, file: &str) -> Result<()> {
        if self.class_names().is_empty() {
            return Ok(());
        }
        let unknown = |what| Error::data(file, format!("label: {what}"));
        let known = |class: &String| self.parse(class.as_bytes()).map(drop).map_err(unknown);
        labels.classes.iter().try_for_each(known)
    }

    /// Whether there are two classes.
    pub fn is_binary(&self) -> bool {
        matches!(self, Target::Binary { .. })
    }

    /// Whether there is a number to be predicted, and no class.
    pub fn is_number(&self) -> bool {
        matches!(self, Target::Count | Target::Grade | Target::Real { .. })
    }

    /// How many classes have a score of their own; 1 where there is one score.
    pub fn classes(&self) -> usize {
        match self {
            Target::Classes { names } => names.len(),
            _ => 1,
        }
    }

    /// The names of several classes; none, if there is one score.
    pub fn names(&self) -> &[String] {
        match self {
            Target::Classes { names } => names,
            _ => &[],
        }
    }

    /// A class that is called as missing values mostly are, if there is one among several.
    pub fn missing_class(&self) -> Option<&str> {
        match self {
            Target::Classes { names } => {
                names.iter().map(String::as_str).find(|name| is_missing(name.as_bytes()))
            }
            _ => None,
        }
    }

    /// The classes in the order of the labels that stand for them, `None` for all others; none at all where
    /// labels are numbers.
    pub fn class_names(&self) -> Vec<Option<&str>> {
        match self {
            Target::Binary { negative, positive } => vec![negative.as_deref(), Some(positive)],
            Target::Classes { names } => names.iter().map(|name| Some(name.as_str())).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the parts make sense: those of a file may not.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Target::Binary { negative, positive } => negative.as_ref() != Some(positive),
            Target::Classes { names } => classes::are_usable(names),
            Target::Count | Target::Grade => true,
            Target::Real { mean, scale } => mean.is_finite() && scale.is_finite() && *scale > 0.0,
        }
    }

    /// The loss of such labels, if none is chosen.
    pub fn usual_loss(&self) -> Loss {
        match self {
            Target::Binary { .. } => Loss::Logistic,
            Target::Classes { .. } => Loss::Softmax,
            Target::Count => Loss::Poisson,
            Target::Grade => Loss::Bpr,
            Target::Real { .. } => Loss::Squared,
        }
    }

    /// Whether a loss is one of such labels.
    pub(super) fn fits(&self, loss: Loss) -> bool {
        match self {
            Target::Real { .. } => {
                !matches!(loss, Loss::Logistic | Loss::Softmax | Loss::Poisson)
                    && !loss.is_ranking()
            }
            Target::Grade => loss.is_ranking(),
            Target::Binary { .. } if loss.is_ranking() => true,
            _ => loss == self.usual_loss(),
        }
    }

    /// How much a label is for 1 of what the model learns.
    pub fn scale(&self) -> f64 {
        match self {
            Target::Real { scale, .. } => *scale,
            _ => 1.0,
        }
    }

    /// The number of a label cell: 0 or 1 of a binary task, the place of a class, else the number itself. `Err` says
    /// what was expected.
    pub fn parse(&self, cell: &[u8]) -> Result<f32, String> {
        match self {
            Target::Binary { negative, positive } => {
                if same_label(cell, positive) {
                    return Ok(1.0);
                }
                match negative {
                    None if cell.trim_ascii().is_empty() => Err("an empty cell".into()),
                    Some(negative) if !same_label(cell, negative) => {
                        let [cell, one] = [cell, positive.as_bytes()].map(quoted);
                        Err(format!("{cell} is neither {one} nor {}", quoted(negative)))
                    }
                    _ => Ok(0.0),
                }
            }
            Target::Classes { names } => match classes::find(names, cell) {
                Some(class) => Ok(class as f32),
                None if cell.trim_ascii().is_empty() => Err("an empty cell".into()),
                None => Err(format!("{} is none of the classes {}", quoted(cell), all(names))),
            },
            Target::Count | Target::Grade | Target::Real { .. } => {
                let number = parse_number(cell).map(|v| v as f32).filter(|v| v.is_finite());
                match number {
                    None => Err(format!("{} is not a number", quoted(cell))),
                    Some(v) if v < 0.0 && *self == Target::Count => Err(no_count(v.into())),
                    Some(v) if v < 0.0 && *self == Target::Grade => Err(no_grade(v)),
                    Some(v) => Ok(v),
                }
            }
        }
    }

    /// The label as the model learns it.
    pub fn standardize(&self, label: f32) -> f64 {
        match self {
            Target::Real { mean, scale } => (f64::from(label) - mean) / scale,
            _ => f64::from(label),
        }
    }

    /// The prediction in the label's own unit from one in the model's.
    pub fn restore(&self, prediction: f64) -> f64 {
        match self {
            Target::Real { mean, scale } => mean + scale * prediction,
            _ => prediction,
        }
    }
}

/// What is wrong with a count that is less than 0.
pub(crate) fn no_count(label: f64) -> String {
    format!("{label} is no count: with --loss poisson labels are at least 0")
}

/// What is wrong with a grade.
fn no_grade(label: f32) -> String {
    format!("{label} is no grade: labels of rows that are ranked are at least 0")
}

/// Learns what is predicted from the labels of the rows that `held_out` leaves.
pub(super) fn learn_target(
    interned: &Interned,
    held_out: &[bool],
    schema: &Schema,
    config: &Config,
    file: &str,
) -> Result<Target> {
    let labels = &interned.labels;
    if schema.find(Role::Trials).is_some() && config.loss.is_some_and(|loss| loss != Loss::Logistic)
    {
        let message = "positives of trials (--trials) are learned with --loss logistic";
        return Err(unfit(file, message));
    }
    // The first label, and whether others differ: of the rows that weigh something, and of those that do not.
    let (mut seen, mut rows) = ([(None, false); 2], [0; 2]);
    training(interned, held_out, |label, weight| {
        let weighs_nothing = usize::from(weight <= 0.0);
        let (first, differ) = &mut seen[weighs_nothing];
        *differ |= *first.get_or_insert(label) != label;
        rows[weighs_nothing] += 1;
    })?;
    // That none weighs anything is another error.
    let found = if seen[0].0.is_some() { seen[0] } else { seen[1] };
    let (Some(first), differ) = found else { return Err(Error::data(file, "no training rows")) };
    if config.loss.is_some_and(Loss::is_ranking) && schema.positive.is_none() {
        let draws = config.drawn_negatives(schema) > 0;
        let is_grade = |class: &String| parse_number(class.as_bytes()).is_some_and(|v| v >= 0.0);
        // Where items are drawn, the lower of two numbers is not what others are drawn in the place of.
        let are_two = labels.classes.len() == 2 && !(draws && labels.classes.iter().all(is_grade));
        if are_two && differ {
            return learn_two(labels, schema, file);
        }
        if differ || draws {
            let refuse = |label: f64| (label < 0.0).then(|| no_grade(label as f32));
            return check_labels(interned, config, file, refuse).map(|()| Target::Grade);
        }
    }
    if !differ {
        let class = quoted(&*labels.text(first));
        let (rows, which) = match rows {
            [weighing, nothing] if weighing > 0 && nothing > 0 => {
                (weighing, " with a weight above 0")
            }
            [weighing, nothing] => (weighing + nothing, ""),
        };
        let message = match (rows, schema.find(Role::Trials)) {
            (_, Some(_)) if first > 0.0 => "all trials of the training rows were positive".into(),
            (_, Some(_)) => "no trial of the training rows was positive".into(),
            (1, _) => format!("the one training row{which} has the label {class}"),
            _ => format!("all {rows} training rows{which} have the label {class}"),
        };
        return Err(Error::data(file, message + ": there is nothing to learn"));
    }
    let binary = match config.loss {
        None => labels.classes.len() == 2 || schema.positive.is_some(),
        Some(loss) => loss == Loss::Logistic || loss.is_ranking(),
    };
    let several = labels.are_several(config.loss);
    match &schema.positive {
        Some(positive) if binary && labels.classes.len() > 2 => {
            learn_one(interned, held_out, positive, file)
        }
        _ if binary => learn_two(labels, schema, file),
        None if several => classes::learn(interned, schema, config.loss.is_some(), file),
        None if config.loss == Some(Loss::Poisson) => {
            let refuse = |label: f64| (label < 0.0).then(|| no_count(label));
            check_labels(interned, config, file, refuse).map(|()| Target::Count)
        }
        None => learn_scale(interned, held_out, config, file),
        Some(positive) => {
            let loss = config.resolved_loss().name();
            let message = format!("{loss} loss knows no positive value {}", quoted(positive));
            Err(unfit(file, &(message + ": leave out --positive or --loss")))
        }
    }
}

/// Gives label and weight of each training row to `take`.
pub(super) fn training(
    interned: &Interned,
    held_out: &[bool],
    mut take: impl FnMut(f64, f64),
) -> Result<()> {
    interned.heads(|first, head| {
        let rows = (0..head.labels.len()).filter(|row| !held_out[first + row]);
        rows.for_each(|row| take(head.labels[row], f64::from(head.weight(row))));
    })
}

/// Classes in a message, the first of many.
pub(super) fn all(classes: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut shown: Vec<String> = classes.iter().take(SHOWN).map(quoted).collect();
    if classes.len() > SHOWN {
        shown.push(format!("... ({} in all)", classes.len()));
    }
    shown.join(", ")
}

/// The error of settings that do not fit the labels of a file.
pub(super) fn unfit(file: &str, message: &str) -> Error {
    Error::usage(format!("{file}: {message}"))
}

/// One value against the rest.
fn learn_one(interned: &Interned, held_out: &[bool], positive: &str, file: &str) -> Result<Target> {
    let labels = &interned.labels;
    let Some(class) = labels.classes.iter().find(|c| same_label(positive.as_bytes(), c)) else {
        let (positive, classes) = (quoted(positive), all(&labels.classes));
        let message = format!("no label is {positive}: they are {classes} and maybe more");
        return Err(unfit(file, &message));
    };
    let target = Target::Binary { negative: None, positive: class.clone() };
    let (wanted, mut found) = (labels.value_of(class), false);
    training(interned, held_out, |label, _| found |= label == wanted)?;
    match found {
        true => Ok(target),
        false => Err(Error::data(file, format!("no training row has the label {}", quoted(class)))),
    }
}

/// Which of the two labels is positive: the one the schema names, else the greater number, else a
/// word for "yes", else the last in the alphabet.
fn learn_two(labels: &Labels, schema: &Schema, file: &str) -> Result<Target> {
    const YES: [&str; 8] = ["1", "y", "yes", "t", "true", "positive", "pos", "click"];
    let [first, second] = &labels.classes[..] else {
        let numbers = if labels.are_text { "" } else { ", or --loss squared for numbers" };
        let message = format!(
            "logistic loss takes a label of two values and this one has more ({}, ...): say \
             --loss softmax for all of them, --positive VALUE for one against the rest{numbers}",
            all(&labels.classes)
        );
        return Err(unfit(file, &message));
    };
    let second_is_positive = match &schema.positive {
        Some(positive) if same_label(positive.as_bytes(), first) => false,
        Some(positive) if same_label(positive.as_bytes(), second) => true,
        Some(positive) => {
            let [positive, first, second] = [positive, first, second].map(quoted);
            let message = format!("no label is {positive}: they are {first} and {second}");
            return Err(unfit(file, &message));
        }
        None => {
            let is_yes = |class: &str| YES.contains(&class.to_lowercase().as_str());
            let numbers = (parse_number(first.as_bytes()), parse_number(second.as_bytes()));
            match numbers {
                (Some(first), Some(second)) => second > first,
                _ if is_yes(first) != is_yes(second) => is_yes(second),
                _ => second > first,
            }
        }
    };
    let (first, second) = (first.clone(), second.clone());
    let (negative, positive) = if second_is_positive { (first, second) } else { (second, first) };
    Ok(Target::Binary { negative: Some(negative), positive })
}

/// Refuses labels that are no numbers.
fn check_numbers(labels: &Labels, loss: Loss, file: &str) -> Result<()> {
    let message = || format!("{} loss takes numbers, not {}", loss.name(), all(&labels.classes));
    if labels.are_text { Err(unfit(file, &message())) } else { Ok(()) }
}

/// Checks that all labels are numbers that the loss takes; `refuse` says what is wrong with one.
fn check_labels(
    interned: &Interned,
    config: &Config,
    file: &str,
    refuse: impl Fn(f64) -> Option<String>,
) -> Result<()> {
    check_numbers(&interned.labels, config.resolved_loss(), file)?;
    let mut bad = None;
    interned.heads(|first, head| {
        let found =
            (first..).zip(&head.labels).find_map(|(row, &label)| Some((row, refuse(label)?)));
        bad = bad.take().or(found);
    })?;
    let Some((row, message)) = bad else { return Ok(()) };
    let place = interned.lines.line(row).map_or(file.into(), |line| format!("{file}:{line}"));
    Err(Error::data(place, format!("label: {message}")))
}

/// Weighted mean and standard deviation of the training labels.
fn learn_scale(
    interned: &Interned,
    held_out: &[bool],
    config: &Config,
    file: &str,
) -> Result<Target> {
    check_numbers(&interned.labels, config.resolved_loss(), file)?;
    let average = |f: &dyn Fn(f64) -> f64| {
        let (mut sum, mut total) = (0.0, 0.0);
        training(interned, held_out, |label, weight| {
            (sum, total) = (sum + weight * f(label), total + weight);
        })?;
        Ok::<f64, Error>(sum / total)
    };
    let mean = if config.bias { average(&|y| y)? } else { 0.0 };
    let scale = average(&|y| (y - mean).powi(2))?.sqrt();
    let lost = average(&|y| (y - f64::from(y as f32)).powi(2))?.sqrt();
    check_precision(average(&|y| y)?, scale, lost, file)?;
    let usable = |x: &f64| x.is_finite() && *x > 0.0;
    Ok(Target::Real { mean, scale: Some(scale).filter(usable).unwrap_or(1.0) })
}

/// Refuses labels that would lose what makes them differ, since rows have them in 32 bits: by the root of the mean
/// square of what is lost, beside the deviation.
fn check_precision(mean: f64, scale: f64, lost: f64, file: &str) -> Result<()> {
    /// What is lost that lets R2 be lower by a ten thousandth.
    const MOST: f64 = 0.01;
    if lost > MOST * scale && scale > 0.0 {
        let message = format!(
            "labels are {mean} in the mean and deviate by {scale:.2e}, of which the 32 bits of a label lose too much: take \
             the same number off all of them and add it to predictions, or multiply them"
        );
        return Err(Error::data(file, message));
    }
    // They differ, and so it is only their square that may be 0.
    if scale == 0.0 {
        let message = "labels deviate by less than 1e-160: multiply all by the same number";
        return Err(Error::data(file, message));
    }
    Ok(())
}

/// Whether a cell is this class: as numbers where both are ("1", "+1" and "1.0" are the same), and true and false in
/// any spelling.
pub(crate) fn same_label(cell: &[u8], class: &str) -> bool {
    let (cell, class) = (cell.trim_ascii(), class.as_bytes());
    let number = parse_number(class);
    cell == class
        || (number.is_some() && parse_number(cell) == number)
        || truth(cell).is_some_and(|said| truth(class) == Some(said))
}
