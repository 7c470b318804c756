//! Schemas that are inferred from names and rows, and what hints override.

use crate::common::{CSV, raw_rows, words};
use pairloom::encode::Transform;
use pairloom::input::{Format, RawRow};
use pairloom::schema::{Column, Hints, Role, Schema, infer};
use pairloom::{Error, Result};

const BARE: Format = Format::Csv { delimiter: '\t', header: false };

fn inferred(format: Format, text: &str, hints: &Hints) -> Result<Schema> {
    let (names, rows) = raw_rows("rows", text, format);
    let rows: Vec<&RawRow> = rows.iter().collect();
    infer(format, &names, &[], &rows, true, hints)
}

/// A column `c` of these cells beside a label.
fn guessed(name: &str, cells: &[String]) -> Column {
    let lines: String =
        cells.iter().enumerate().map(|(i, c)| format!("{},x,{c}\n", i % 2)).collect();
    let schema = inferred(CSV, &format!("label,other,{name}\n{lines}"), &Hints::default()).unwrap();
    schema.columns.into_iter().nth(2).unwrap()
}

fn cells(count: usize, cell: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(cell).collect()
}

#[test]
fn roles_are_guessed_from_names_and_cells() {
    // Numbers that look drawn at random, with no structure among neighbours.
    let mixed = |i: usize| (i * 7919) % 10_007;
    let cases = [
        ("few whole numbers", "c", cells(300, |i| (i % 5).to_string()), Role::Categorical),
        (
            "shades, with few rows for each",
            "x7",
            cells(300, |i| (mixed(i) % 40).to_string()),
            Role::Numeric,
        ),
        (
            "names, with few rows for each",
            "region",
            cells(300, |i| (mixed(i) % 40).to_string()),
            Role::Categorical,
        ),
        (
            "an id of many values",
            "user_id",
            cells(300, |i| (mixed(i) % 97).to_string()),
            Role::Categorical,
        ),
        ("camel case", "userId", cells(300, |i| (mixed(i) % 97).to_string()), Role::Categorical),
        ("a key", "id", cells(300, |i| i.to_string()), Role::Ignore),
        ("a quantity", "age", cells(3000, |i| (mixed(i) % 90).to_string()), Role::Numeric),
        ("fractions", "price", cells(300, |i| format!("{}.5", i % 9)), Role::Numeric),
        (
            "fractions and holes",
            "p",
            cells(300, |i| if i % 3 == 0 { "NA".into() } else { format!("{i}.25") }),
            Role::Numeric,
        ),
        ("words", "city", cells(300, |i| format!("city{}", i % 40)), Role::Categorical),
        (
            "words of which one is a number",
            "c",
            cells(300, |i| if i % 5 == 0 { "7".into() } else { format!("w{}", i % 4) }),
            Role::Categorical,
        ),
        ("lists", "tags", cells(300, |i| format!("a{}|b{}", i % 7, i % 5)), Role::Multi),
        (
            "lists by semicolon",
            "tags",
            cells(300, |i| format!("a{};b{};c", i % 7, i % 5)),
            Role::Multi,
        ),
        ("free text", "title", cells(300, |i| format!("words of {i} and more")), Role::Ignore),
        ("little free text", "title", cells(40, |i| format!("words of {i}")), Role::Categorical),
        ("nothing", "c", cells(50, |_| String::new()), Role::Categorical),
        ("nothing but words for it", "c", cells(50, |_| "NA".into()), Role::Categorical),
        (
            "uneven numbers",
            "c",
            cells(4000, |i| ((mixed(i) % 61) * (mixed(i + 1) % 61) % 997).to_string()),
            Role::Categorical,
        ),
    ];
    for (what, name, cells, role) in cases {
        let column = guessed(name, &cells);
        assert_eq!(column.role, role, "{what}: {}", column.why);
        assert!(!column.why.is_empty(), "{what}");
        assert_eq!(column.why == "empty so far", what.starts_with("nothing"), "{what}");
        let separator = match what {
            "lists" => Some('|'),
            "lists by semicolon" => Some(';'),
            _ => None,
        };
        assert_eq!(column.separator, separator, "{what}");
    }
}

#[test]
fn few_whole_numbers_are_names_where_rows_tell_of_each() {
    let row = |i: usize| {
        let of = |column: usize| ((i * 7919 + column * 31) % 1009 % 15).to_string();
        format!("{},{},{}\n", i % 2, of(1), of(2))
    };
    let text: String = (0..290).map(row).collect();
    let role = |names: &str, all: bool| {
        let (names, rows) = raw_rows("rows", &format!("label,{names}\n{text}"), CSV);
        let rows: Vec<&RawRow> = rows.iter().collect();
        infer(CSV, &names, &[], &rows, all, &Hints::default()).unwrap().columns[1].role
    };
    // 30 values in all for 290 rows, and half of them if one column is named.
    assert_eq!(role("a,b", true), Role::Numeric);
    assert_eq!(role("a,region", true), Role::Categorical);
    assert_eq!(role("a,b", false), Role::Categorical);
}

#[test]
fn the_label_is_found_by_name_or_comes_first_without_header() {
    let label = |format, text: &str| {
        let schema = inferred(format, text, &Hints::default()).unwrap();
        (schema.find(Role::Label), schema.columns[schema.find(Role::Label).unwrap()].why.clone())
    };
    for name in ["label", "Label", "TARGET", "y", "click", "clicked", "rating"] {
        let text = format!("a,{name},b\nx,1,u\ny,0,v\n");
        assert_eq!(label(CSV, &text), (Some(1), "by its name".into()), "{name}");
    }
    let first = "the first column, as there is no header";
    assert_eq!(label(BARE, "1\tx\tu\n0\ty\tv\n"), (Some(0), first.into()));
    let error = inferred(CSV, "a,b\nx,1\ny,2\n", &Hints::default()).unwrap_err().to_string();
    assert_eq!(error, "which column is the label? Say --label COLUMN; the columns are a, b");
    // A long list of columns is cut.
    let names: Vec<String> = (0..25).map(|i| format!("c{i}")).collect();
    let text = format!("{}\n{}\n", names.join(","), vec!["1"; 25].join(","));
    let error = inferred(CSV, &text, &Hints::default()).unwrap_err().to_string();
    assert!(error.ends_with("c18, c19 and 5 more"), "{error}");
}

#[test]
fn two_labels_are_a_question() {
    for (names, pair) in
        [("click,label,x", "'click' or 'label'"), ("x,Rating,y", "'Rating' or 'y'")]
    {
        let text = format!("{names}\n1,0,1\n0,1,0\n");
        let error = inferred(CSV, &text, &Hints::default()).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
        let begins = format!("which column is the label, {pair}? Say --label");
        assert!(error.to_string().starts_with(&begins), "{error}");
        let first = pair.split('\'').nth(1).unwrap();
        let hints = Hints { ignore: words(&[first]), ..Hints::default() };
        assert!(inferred(CSV, &text, &hints).is_ok());
    }
}

#[test]
fn numbers_with_commas_are_no_names() {
    let semicolons = Format::Csv { delimiter: ';', header: true };
    let row = |i: usize| format!("{};{},{}\n", i % 2, i % 7, i % 10);
    let text = format!("label;x\n{}0;\n1;4\n", (0..60).map(row).collect::<String>());
    let error = inferred(semicolons, &text, &Hints::default()).unwrap_err().to_string();
    let begins =
        "rows:2:3: column 'x' is numeric and '0,0' is a number with a decimal comma: write";
    assert!(error.starts_with(begins), "{error}");
    let given = Hints { categorical: words(&["x"]), ..Hints::default() };
    assert_eq!(inferred(semicolons, &text, &given).unwrap().columns[1].role, Role::Categorical);
    let text = text.replace("3,", "a,");
    assert!(inferred(semicolons, &text, &Hints::default()).is_ok());
}

#[test]
fn sparse_rows_have_a_label_pairs_and_maybe_groups() {
    let roles = |format, text| -> Vec<(String, Role)> {
        let schema = inferred(format, text, &Hints::default()).unwrap();
        schema.columns.into_iter().map(|column| (column.name, column.role)).collect()
    };
    let qid = ("qid".to_string(), Role::Group);
    let [label, pairs] = [("label", Role::Label), ("pairs", Role::Pairs)]
        .map(|(name, role)| (name.to_string(), role));
    assert_eq!(roles(Format::Libsvm, "1 1:1\n0 2:1\n"), [label.clone(), pairs.clone()]);
    let queries = roles(Format::Libsvm, "1 qid:1 1:1\n0 qid:2 2:1\n");
    assert_eq!(queries, [label.clone(), qid, pairs.clone()]);
    let hints = Hints { categorical: words(&["qid"]), ..Hints::default() };
    let schema = inferred(Format::Libsvm, "1 qid:1 1:1\n0 qid:2 2:1\n", &hints).unwrap();
    let chosen: Vec<Role> = schema.columns.iter().map(|column| column.role).collect();
    assert_eq!(chosen, [Role::Label, Role::Categorical, Role::Pairs], "what is said holds");
    assert_eq!(roles(Format::Libffm, "1 0:1:1\n0 1:2:1\n"), [label, pairs]);
}

#[test]
fn hints_come_before_guesses() {
    let lines: String =
        (0..200).map(|i| format!("{},{},{}.5,{},{}\n", i % 2, i % 3, i, i % 4, i)).collect();
    let text = format!("label,a,b,c,d\n{lines}");
    let hints = Hints {
        label: Some("a".into()),
        weight: Some("c".into()),
        categorical: words(&["b"]),
        numeric: words(&["label"]),
        transforms: vec![("d".into(), Transform::Quantile, Some(9))],
        positive: Some("2".into()),
        ..Hints::default()
    };
    let schema = inferred(CSV, &text, &hints).unwrap();
    let roles: Vec<Role> = schema.columns.iter().map(|column| column.role).collect();
    use Role::*;
    assert_eq!(roles, [Numeric, Label, Categorical, Weight, Numeric]);
    assert_eq!(schema.columns[4].transform, Some(Transform::Quantile));
    assert_eq!((schema.columns[4].bins, schema.positive.as_deref()), (Some(9), Some("2")));
    assert!(schema.columns.iter().all(|column| column.why.is_empty()), "{:?}", schema.columns);
    let hints = Hints {
        group: Some("a".into()),
        ignore: words(&["b", "c"]),
        multi: vec![("d".into(), '5')],
        ..Hints::default()
    };
    let schema = inferred(CSV, &text, &hints).unwrap();
    let roles: Vec<Role> = schema.columns.iter().map(|column| column.role).collect();
    assert_eq!(roles, [Label, Group, Ignore, Ignore, Multi]);
    assert_eq!(schema.columns[4].separator, Some('5'));
}

#[test]
fn contradicting_hints_are_refused() {
    let text = "label,a,b\n1,x,2\n0,y,3\n";
    let refusal = |hints: Hints| match inferred(CSV, text, &hints) {
        Err(Error::Usage(message)) => message,
        other => panic!("{other:?}"),
    };
    let hints = Hints::default;
    assert_eq!(
        refusal(Hints { categorical: words(&["b"]), numeric: words(&["b"]), ..hints() }),
        "column 'b' cannot be both categorical and numeric"
    );
    assert_eq!(
        refusal(Hints { label: Some("a".into()), ignore: words(&["a"]), ..hints() }),
        "column 'a' cannot be both label and ignored"
    );
    let transforms = vec![("a".to_string(), Transform::Log, None)];
    assert_eq!(
        refusal(Hints { categorical: words(&["a"]), transforms, ..hints() }),
        "column 'a' is categorical: only a numeric one has a transform"
    );
    assert_eq!(
        refusal(Hints { numeric: words(&["z"]), ..hints() }),
        "there is no column 'z': the columns are label, a, b"
    );
    assert_eq!(
        refusal(Hints { ignore: words(&["a", "b"]), ..hints() }),
        "no column is left to learn from"
    );
    assert_eq!(
        refusal(Hints { item: words(&["a"]), label: Some("a".into()), ..hints() }),
        "column 'a' must be the name of an item, and so categorical: it is label"
    );
    assert_eq!(
        refusal(Hints { item: words(&["b"]), numeric: words(&["b"]), ..hints() }),
        "column 'b' must be the name of an item, and so categorical: it is numeric"
    );
    // The same thing said twice is no contradiction.
    inferred(CSV, text, &Hints { categorical: words(&["a", "a"]), ..hints() }).unwrap();
}

/// What names an item is a name, whatever it looks like; what else tells of it is as it looks.
#[test]
fn the_first_column_of_an_item_is_categorical() {
    let row = |i: usize| format!("{},u{},{},{}.25,name{i}\n", i % 2, i % 9, 1000 + i * 7, i % 83);
    let text = format!("y,user,item,price,code\n{}", (0..200).map(row).collect::<String>());
    let role = |hints: &Hints, name: &str| {
        let schema = inferred(CSV, &text, hints).unwrap();
        schema.columns[schema.column(name).unwrap()].role
    };
    for first in ["item", "code"] {
        assert_ne!(role(&Hints::default(), first), Role::Categorical);
        let hints = Hints { item: words(&[first, "price"]), ..Hints::default() };
        assert_eq!(role(&hints, first), Role::Categorical);
        assert_eq!(role(&hints, "price"), Role::Numeric);
    }
    // Of a given schema too, but what is the label or the group there is no item.
    let group = Hints { group: Some("user".into()), ..Hints::default() };
    let schema = inferred(CSV, &text, &group).unwrap();
    let item = |name: &str| Hints { item: words(&[name]), ..Hints::default() };
    let apply = |name: &str| item(name).apply(schema.clone());
    for name in ["item", "code"] {
        let found = apply(name).unwrap();
        assert_eq!(found.columns[found.column(name).unwrap()].role, Role::Categorical);
    }
    for (name, role) in [("y", "label"), ("user", "group")] {
        let said = apply(name).unwrap_err().to_string();
        assert_eq!(said, format!("column '{name}' is the {role} and no item"));
    }
}
