//! Schemas: as TOML and back, what a given one is fitted to, and the words for what makes no sense.

use crate::common::{CSV, words};
use pairloom::Error;
use pairloom::encode::Transform;
use pairloom::input::{Format, TimePattern};
use pairloom::schema::{Column, Hints, Role, Schema};

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
    for text in ["", "columns = []", "format = 3", "\u{0}", "[format]\nname = \"orc\""] {
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
fn what_is_learned_is_no_time() {
    let pattern = || Some(TimePattern::new("unix").unwrap());
    for role in [Role::Label, Role::Weight, Role::Categorical] {
        let mut schema = full();
        schema
            .columns
            .iter_mut()
            .filter(|column| column.role == role)
            .for_each(|c| c.time = pattern());
        let refused = schema.check().err().map(|error| error.to_string());
        let said = refused.is_some_and(|said| said.contains(" and a time too"));
        assert_eq!(said, role != Role::Categorical, "{role:?}");
    }
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
