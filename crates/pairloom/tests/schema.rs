//! Schemas: as TOML and back, what is inferred from names and rows, what hints override, and the
//! words for what makes no sense.

#![allow(clippy::unwrap_used)]

mod common;

use common::raw_rows;
use pairloom::encode::Transform;
use pairloom::input::{Format, RawRow};
use pairloom::schema::{Column, Hints, Role, Schema, infer};
use pairloom::{Error, Result};

const CSV: Format = Format::Csv { delimiter: ',', header: true };
const BARE: Format = Format::Csv { delimiter: '\t', header: false };

fn full() -> Schema {
    let column = |name: &str, role| Column::new(name, role);
    Schema {
        format: Format::Csv { delimiter: ';', header: true },
        positive: Some("ja \"\u{e9}\"".into()),
        item: Vec::new(),
        columns: vec![
            column("y", Role::Label),
            Column { min_count: Some(3), ..column("caf\u{e9} 'x'", Role::Categorical) },
            Column { hash_bits: Some(12), ..column("h", Role::Categorical) },
            Column { separator: Some('|'), ..column("m\nm", Role::Multi) },
            Column {
                transform: Some(Transform::LogSquare),
                bins: Some(7),
                ..column("n", Role::Numeric)
            },
            column("w", Role::Weight),
            column("g", Role::Group),
            column("i", Role::Ignore),
        ],
    }
}

#[test]
fn toml_gives_back_what_was_written() {
    let mut schemas = vec![full()];
    for transform in Transform::ALL {
        let mut schema = full();
        schema.columns[4].transform = Some(transform);
        schemas.push(schema);
    }
    schemas.push(Schema { format: BARE, positive: None, item: Vec::new(), ..full() });
    let pairs = vec![Column::new("label", Role::Label), Column::new("pairs", Role::Pairs)];
    for format in [Format::Libsvm, Format::Libffm] {
        schemas.push(Schema { format, positive: None, item: Vec::new(), columns: pairs.clone() });
    }
    for schema in schemas {
        let text = schema.to_toml().unwrap();
        assert_eq!(Schema::from_toml("schema.toml", &text).unwrap(), schema, "{text}");
    }
}

#[test]
fn toml_is_as_documented() {
    let text = r#"
        positive = "yes"

        [format]
        name = "csv"
        delimiter = ","
        header = true

        [[columns]]
        name = "label"
        role = "label"

        [[columns]]
        name = "tags"
        role = "multi"
        separator = "|"
        min_count = 2

        [[columns]]
        name = "price"
        role = "numeric"
        transform = "log"
    "#;
    let schema = Schema::from_toml("schema.toml", text).unwrap();
    assert_eq!(schema.format, CSV);
    assert_eq!(schema.positive.as_deref(), Some("yes"));
    assert_eq!(schema.find(Role::Multi), Some(1));
    assert_eq!((schema.columns[1].separator, schema.columns[1].min_count), (Some('|'), Some(2)));
    assert_eq!(schema.columns[2].transform, Some(Transform::Log));
    assert_eq!(schema.find(Role::Weight), None);
}

#[test]
fn mistakes_in_toml_name_their_line() {
    let good = Schema { format: CSV, ..full() }.to_toml().unwrap();
    let line_of = |text: &str| good.lines().position(|line| line.contains(text)).unwrap() + 1;
    let cases = [
        ("role = \"label\"", "role = \"labels\"", "unknown variant `labels`"),
        ("bins = 7", "bins = \"many\"", "invalid type"),
        ("bins = 7", "bins = -7", "invalid value"),
        ("bins = 7", "bin = 7", "unknown field `bin`"),
        ("separator = \"|\"", "separator = \"||\"", "invalid value"),
        ("hash_bits = 12", "hash_bits = 1200", "invalid value"),
        ("min_count = 3", "min_count = ", ""),
    ];
    for (right, wrong, expected) in cases {
        assert!(good.contains(right), "{right} is not in the example");
        let error = Schema::from_toml("my.toml", &good.replace(right, wrong)).unwrap_err();
        assert!(matches!(error, Error::Data { .. }), "{error}");
        let message = error.to_string();
        let place = format!("my.toml:{}: ", line_of(right));
        assert!(message.starts_with(&place) && message.contains(expected), "{wrong}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    for text in ["", "columns = []", "format = 3", "\u{0}", "[format]\nname = \"parquet\""] {
        let message = Schema::from_toml("my.toml", text).unwrap_err().to_string();
        assert!(message.starts_with("my.toml:") && !message.contains('\n'), "{message}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let with = |change: &dyn Fn(&mut Schema)| {
        let mut schema = full();
        change(&mut schema);
        match schema.check() {
            Err(Error::Usage(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    full().check().unwrap();
    assert_eq!(
        with(&|s| s.columns[1].role = Role::Label),
        "'y' and 'caf\u{e9} 'x'' are both label"
    );
    assert_eq!(with(&|s| s.columns[6].role = Role::Weight), "'w' and 'g' are both weight");
    assert_eq!(with(&|s| s.columns[6].name = "w".into()), "two columns are named 'w'");
    assert_eq!(
        with(&|s| s.columns[3].separator = None),
        "separator of 'm\nm' must be given, as it is multi"
    );
    let message = "separator of 'm\nm' must be an ASCII character";
    assert_eq!(with(&|s| s.columns[3].separator = Some('\u{e9}')), message);
    let message = "hash_bits of 'h' must be from 1 to 30";
    assert_eq!(with(&|s| s.columns[2].hash_bits = Some(0)), message);
    assert_eq!(with(&|s| s.columns[2].hash_bits = Some(31)), message);
    assert_eq!(with(&|s| s.columns[4].bins = Some(1)), "bins of 'n' must be from 2 to 65536");
    let message = "min_count of 'caf\u{e9} 'x'' must be at least 1";
    assert_eq!(with(&|s| s.columns[1].min_count = Some(0)), message);
    let message = "no column is left to learn from";
    assert_eq!(with(&|s| s.columns.iter_mut().for_each(|c| c.role = Role::Ignore)), message);
}

fn inferred(format: Format, text: &str, hints: &Hints) -> Result<Schema> {
    let (names, rows) = raw_rows("rows", text, format);
    let rows: Vec<&RawRow> = rows.iter().collect();
    infer(format, &names, &rows, true, hints)
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
        infer(CSV, &names, &rows, all, &Hints::default()).unwrap().columns[1].role
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

fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
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
        "column 'a' cannot be both label and ignore"
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

#[test]
fn hints_change_a_given_schema() {
    let hints = Hints {
        label: Some("h".into()),
        categorical: words(&["w"]),
        transforms: vec![("n".into(), Transform::Standard, None)],
        ..Hints::default()
    };
    let schema = hints.apply(full()).unwrap();
    assert_eq!((schema.find(Role::Label), schema.find(Role::Weight)), (Some(2), None));
    assert_eq!(schema.columns[0].role, Role::Ignore);
    assert_eq!(schema.columns[4].transform, Some(Transform::Standard));
    assert_eq!(schema.positive, full().positive);
    let positive = Hints { positive: Some("no".into()), ..Hints::default() };
    assert_eq!(positive.apply(full()).unwrap().positive.as_deref(), Some("no"));
    assert_eq!(Hints::default().apply(full()).unwrap(), full());
}

#[test]
fn a_schema_is_fitted_to_the_columns_of_a_file() {
    let schema = full();
    let names: Vec<String> = schema.columns.iter().map(|column| column.name.clone()).collect();
    assert_eq!(schema.for_columns("f.csv", &names).unwrap(), schema);
    // In another order, with one more: settings go with their names, the new one is ignored.
    let mut other: Vec<String> = names.iter().rev().cloned().collect();
    other.insert(3, "new".into());
    let fitted = schema.for_columns("f.csv", &other).unwrap();
    let found: Vec<&str> = fitted.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(found, other);
    assert_eq!(fitted.columns[3].role, Role::Ignore);
    for column in &schema.columns {
        assert!(fitted.columns.contains(column), "{}", column.name);
    }
    let error = schema.for_columns("f.csv", &names[..6]).unwrap_err().to_string();
    assert!(error.starts_with("f.csv: column 'g' of the schema is missing: "), "{error}");
    // Pairs have no cell of their own.
    let pairs = vec![Column::new("label", Role::Label), Column::new("pairs", Role::Pairs)];
    let sparse =
        Schema { format: Format::Libsvm, positive: None, item: Vec::new(), columns: pairs };
    let fitted = sparse.for_columns("f.svm", &words(&["label", "qid"])).unwrap();
    let roles: Vec<Role> = fitted.columns.iter().map(|column| column.role).collect();
    assert_eq!(roles, [Role::Label, Role::Pairs]);
}

#[test]
fn columns_are_found_by_name_or_by_number() {
    let schema = full();
    assert_eq!(schema.column("n").unwrap(), 4);
    let error = schema.column("N").unwrap_err().to_string();
    assert!(
        error.starts_with("there is no column 'N' (did you mean 'n'?): the columns are y, "),
        "{error}"
    );
    let positions = schema.positions(&words(&["w", "y"]));
    assert_eq!((positions[0], positions[5], positions[1]), (Some(1), Some(0), None));
    let columns = [Role::Categorical, Role::Label, Role::Categorical];
    let columns = (0..).zip(columns).map(|(i, role)| Column::new(i.to_string(), role)).collect();
    let bare = Schema { format: BARE, positive: None, item: Vec::new(), columns };
    let numbers = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
    assert_eq!(bare.positions(&numbers(3)), [Some(0), Some(1), Some(2)]);
    // One column short: it is the label.
    assert_eq!(bare.positions(&numbers(2)), [Some(0), None, Some(1)]);
    assert_eq!(bare.positions(&numbers(1)), [Some(0), None, None]);
}

#[test]
fn names_of_roles_are_those_in_files() {
    use Role::*;
    for role in [Label, Categorical, Multi, Numeric, Weight, Group, Ignore, Pairs] {
        let text = format!("\"{}\"", role.name());
        assert_eq!(serde_json::from_str::<Role>(&text).unwrap(), role);
    }
    for transform in Transform::ALL {
        let text = format!("\"{}\"", transform.name());
        assert_eq!(serde_json::from_str::<Transform>(&text).unwrap(), transform);
    }
}
