//! Names of columns in messages: which there are, and which one may have been meant.

use crate::input::shown;

/// "the columns are a, b and 3 more".
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(20).map(|name| shown(name.as_bytes()));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(20) {
        0 => format!("the columns are {shown}"),
        more => format!("the columns are {shown} and {more} more"),
    }
}

/// "the features are a, b and 3 more".
pub(crate) fn list_features<'a>(names: impl Iterator<Item = &'a str>) -> String {
    list(names).replacen("columns", "features", 1)
}

/// " (did you mean 'Age'?)", if one of the names is much like the wanted one; else nothing.
pub(crate) fn did_you_mean<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    near(wanted, names).map_or(String::new(), |name| format!(" (did you mean '{name}'?)"))
}

/// The name most like the wanted one, if it is much like it.
pub(crate) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = bare(wanted);
    let far = |name: &&str| distance(&plain, &bare(name));
    names.filter(|name| far(name) * 3 <= plain.len().min(6)).min_by_key(far)
}

/// A name without what is easily mistaken: case, blanks and signs. Its beginning is enough.
fn bare(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).take(64).collect()
}

/// How many letters must be changed, added, left out or swapped with their neighbour to come from
/// one name to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least =
                (rows[i][j] + usize::from(x != y)).min(row[j] + 1).min(rows[i][j + 1] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_names_are_meant() {
        let names = ["Revenue", "user_id", "age", "x", "Région"];
        let cases = [
            ("revenue", "Revenue"),
            (" Revenue", "Revenue"),
            ("Revnue", "Revenue"),
            ("Reveneu", "Revenue"),
            ("userId", "user_id"),
            ("agee", "age"),
            ("region", "Région"),
            ("X", "x"),
        ];
        for (wanted, meant) in cases {
            let expected = format!(" (did you mean '{meant}'?)");
            assert_eq!(did_you_mean(wanted, names.into_iter()), expected, "{wanted}");
        }
        for far in ["nope", "y", "", "label", "ag3x", "venue"] {
            assert_eq!(did_you_mean(far, names.into_iter()), "", "{far}");
        }
    }
}
