//! The page is whole and safe whatever the data; how it looks, a person has to judge: see
//! `write_examples`.

use rand::RngExt;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;

/// Fails unless every tag is closed in order.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = &page[page.find("<body>").unwrap()..];
    for part in body.split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        assert!(!rest.contains('>'), "stray > after <{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            if name != "html" {
                assert_eq!(open.pop(), Some(name), "in {part}");
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

fn checked(report: &Report<'_>) -> String {
    let page = html(report);
    assert_balanced(&page);
    for word in ["NaN", ">inf", "\"inf", "-inf", " inf", "http://", "https://", "<script"] {
        assert!(!page.contains(word), "{word} in the page");
    }
    page
}

fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn figure(name: &str, value: &str, note: &str) -> Figure {
    Figure { name: name.into(), value: value.into(), note: note.into() }
}

fn history(epochs: u32, floor: f64) -> Vec<Epoch> {
    (1..=epochs)
        .map(|epoch| {
            let e = f64::from(epoch);
            let valid = floor + 0.12 / e.sqrt() + 0.0006 * e;
            Epoch {
                epoch,
                train_loss: floor + 0.14 / e.powf(0.7),
                valid: vec![("log loss".into(), valid), ("AUC".into(), 0.82 - valid / 8.0)],
                learning_rate: 0.1 * 0.95f64.powi(epoch as i32),
            }
        })
        .collect()
}

/// Well calibrated scores with their labels, `scale` the largest.
fn scores(rows: usize, scale: f64) -> (Vec<f64>, Vec<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let p: Vec<f64> = (0..rows).map(|_| scale * rng.random::<f64>().powf(1.7)).collect();
    let y = p.iter().map(|p| f32::from(u8::from(rng.random::<f64>() < *p))).collect();
    (p, y)
}

fn binary<'a>(probability: &'a [f64], label: &'a [f32], weight: Option<&'a [f32]>) -> Report<'a> {
    let kind = Kind::Binary { probability, label, weight, classes: ["no", "yes"] };
    Report {
        title: "clicks.pairloom".into(),
        lead: "Predicts the probability that clicked is yes.".into(),
        summary: vec![
            figure("log loss", "0.4479", "0.5697 for a constant prediction"),
            figure("AUC", "0.7817", "0.5 for a constant prediction"),
            figure("training rows", "45,840,617", "25.6% positive"),
            figure("best epoch", "14", "of 20"),
        ],
        command: Some("pairloom train clicks.csv --label clicked --model ffm --rank 8".into()),
        history: history(20, 0.41),
        loss_name: "log loss".into(),
        kept_epoch: Some(14),
        evaluation: Some(Evaluation { title: "Validation rows".into(), kind }),
        metrics: text(&[
            ("log loss", "0.4479"),
            ("AUC", "0.7817"),
            ("normalized entropy", "0.7862"),
            ("expected calibration error", "0.0041"),
            ("Brier score", "0.1432"),
            ("accuracy", "0.7921"),
            ("precision", "0.6514"),
            ("recall", "0.3902"),
            ("threshold", "0.5"),
            ("rows", "4,584,061"),
        ]),
        segments: vec![by_site()],
        importance: Some(importance()),
        settings: text(&[
            ("model", "ffm"),
            ("rank", "8"),
            ("optimizer", "adagrad"),
            ("learning_rate", "0.1"),
            ("l2", "0.00002"),
            ("batch_size", "4096"),
            ("seed", "1"),
        ]),
        schema: (1..=9)
            .map(|n| [format!("column_{n}"), "feature".into(), "hash".into(), n.to_string()])
            .collect(),
    }
}

fn importance() -> Importance {
    let names = ["site", "hour", "a <column> whose name is longer than all others", "age"];
    let bar = |(at, name): (usize, &&str)| Bar {
        name: name.to_string(),
        value: 0.02 - 0.008 * at as f64,
        deviation: (at > 0).then_some(0.001),
    };
    let cells = vec![(0, 1, 0.03), (2, 0, -0.01), (1, 2, f64::NAN), (0, 3, 0.0), (9, 1, 1.0)];
    Importance {
        title: "Importance".into(),
        note: "On 10,000 rows.".into(),
        bars: vec![Bars {
            title: "Columns".into(),
            unit: "increase of the log loss".into(),
            rows: names.iter().enumerate().map(bar).collect(),
        }],
        maps: vec![HeatMap {
            title: "Pairs of columns".into(),
            unit: "mean contribution".into(),
            names: names.map(String::from).to_vec(),
            cells,
        }],
        tables: vec![by_site()],
    }
}

fn by_site() -> Table {
    let row = |cells: [&str; 3]| cells.map(String::from).to_vec();
    Table {
        title: "By site".into(),
        header: row(["", "predicted", "observed"]),
        rows: vec![row(["news", "0.21", "0.25"]), row(["(3 others)", "0.12", "-"])],
    }
}

fn regression<'a>(prediction: &'a [f64], target: &'a [f32]) -> Report<'a> {
    let mut history = history(1, 0.7);
    history[0].valid = vec![("RMSE".into(), 0.93), ("MAE".into(), 0.71)];
    Report {
        title: "ratings".into(),
        history,
        loss_name: "RMSE".into(),
        evaluation: Some(Evaluation {
            title: "Test rows".into(),
            kind: Kind::Regression { prediction, target, weight: None },
        }),
        metrics: text(&[("rmse", "0.93"), ("mae", "0.71"), ("r2", "0.41")]),
        ..Report::default()
    }
}

fn ratings(rows: usize) -> (Vec<f64>, Vec<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let noise =
        |rng: &mut Xoshiro256PlusPlus| (0..6).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
    let p: Vec<f64> = (0..rows).map(|_| 3.4 + noise(&mut rng)).collect();
    let y = p.iter().map(|p| (0.8 * p + 0.6 + noise(&mut rng)) as f32).collect();
    (p, y)
}

#[test]
fn a_full_report_has_every_part() {
    let (p, y) = scores(3000, 0.9);
    let page = checked(&binary(&p, &y, None));
    assert_eq!(page.matches("<svg").count(), 7);
    for id in ["loss", "auc", "roc", "calibration", "scores", "bars0", "map0"] {
        assert!(page.contains(&format!("aria-labelledby=\"{id}-title {id}-desc\"")));
    }
    for words in [
        "By site",
        "(3 others)",
        "best: epoch 14",
        "log loss (nats)",
        "Columns",
        "45,840,617",
        "--rank 8",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn regression_has_its_own_charts() {
    let (p, y) = ratings(2000);
    let page = checked(&regression(&p, &y));
    assert!(page.contains("id=\"actual-title\"") && page.contains("id=\"residuals-title\""));
    assert!(page.contains("validation, epoch 1: 0.9300"));
}

#[test]
fn poor_data_still_make_a_page() {
    checked(&Report::default());
    checked(&binary(&[], &[], None));
    checked(&binary(&[0.0, 0.0], &[0.0, 0.0], None));
    checked(&binary(&[1.0], &[1.0], Some(&[0.5])));
    checked(&binary(&[f64::NAN, 0.5], &[1.0, 0.0], None));
    checked(&binary(&[0.3, 0.5], &[1.0, 0.0], Some(&[0.0, 0.0])));
    checked(&binary(&[0.3], &[1.0, 0.0], None));
    checked(&regression(&[], &[]));
    checked(&regression(&[2.0], &[2.0]));
    checked(&regression(&[1e12, 1e12 + 1.0], &[-3e30, 1e-40]));
    checked(&regression(&[f64::INFINITY], &[2.0]));
    let only_classes = checked(&binary(&[0.2, 0.4], &[1.0, 1.0], None));
    assert!(only_classes.contains("only one class"));
}

#[test]
fn odd_importance_still_makes_a_page() {
    for value in [0.0, f64::NAN, f64::INFINITY, -1e308, 1e-300] {
        let mut worth = importance();
        for bar in &mut worth.bars[0].rows {
            (bar.value, bar.deviation) = (value, Some(value));
        }
        worth.maps[0].cells.iter_mut().for_each(|cell| cell.2 = value);
        checked(&Report { importance: Some(worth), ..Report::default() });
    }
    let mut worth = importance();
    (worth.bars[0].rows, worth.maps[0].names) = (Vec::new(), Vec::new());
    checked(&Report { importance: Some(worth), ..Report::default() });
}

#[test]
fn a_map_has_each_pair_once_and_says_the_largest() {
    let page = checked(&Report { importance: Some(importance()), ..Report::default() });
    // Five colours of the key, and the pairs that are two of the names and have a number.
    assert_eq!(page.matches("<rect class=\"cell").count(), 5 + 3);
    assert!(page.contains("site with hour: 0.0300"));
    assert!(page.contains("<title>hour with site: 0.0300</title>"));
    assert!(page.contains("a &lt;column&gt; whose \u{2026}"));
}

#[test]
fn odd_histories_still_make_a_page() {
    for losses in [[f64::NAN; 3], [f64::INFINITY, 0.5, f64::NAN], [1e308, 0.0, 1.0], [0.5; 3]] {
        let epoch = |(n, &train_loss)| Epoch {
            epoch: n as u32 * 400,
            train_loss,
            valid: Vec::new(),
            learning_rate: f64::NAN,
        };
        let history = losses.iter().enumerate().map(epoch).collect();
        checked(&Report { history, kept_epoch: Some(9), ..Report::default() });
    }
}

#[test]
fn the_kept_epoch_is_the_last_where_none_was_validated() {
    let mut report = Report { history: history(3, 0.4), kept_epoch: Some(3), ..Report::default() };
    let page = checked(&report);
    assert!(page.contains("best: epoch 3") && page.contains("3 (best)"));
    report.history.iter_mut().for_each(|epoch| epoch.valid.clear());
    let page = checked(&report);
    assert!(page.contains("last: epoch 3") && page.contains("3 (last)"));
}

#[test]
fn epochs_of_any_number_make_a_short_axis() {
    let most = u32::MAX;
    for ends in [[1, most], [most - 1, most], [most, most], [0, 0], [0, most], [1, 17]] {
        let axis = svg::Axis::whole("epoch", ends[0], ends[1]);
        assert!(axis.ticks.len() <= 10, "{ends:?}");
        let history = ends.map(|epoch| Epoch { epoch, train_loss: 0.5, ..Epoch::default() });
        checked(&Report { history: history.into(), kept_epoch: Some(most), ..Report::default() });
    }
}

#[test]
fn text_is_escaped_everywhere() {
    let evil = "<script>alert(\"1\")</script> & 'x'".to_string();
    let pair = vec![(evil.clone(), evil.clone())];
    let evil_kind =
        |probability, label| Kind::Binary { probability, label, weight: None, classes: [&evil; 2] };
    let mut report = binary(&[0.5], &[1.0], None);
    report.title.clone_from(&evil);
    report.command = Some(evil.clone());
    report.loss_name.clone_from(&evil);
    report.history[0].valid = vec![(evil.clone(), 0.5)];
    report.schema = vec![[evil.clone(), evil.clone(), evil.clone(), evil.clone()]];
    report.lead.clone_from(&evil);
    report.summary = vec![figure(&evil, &evil, &evil)];
    (report.metrics, report.settings) = (pair.clone(), pair);
    let cells = vec![evil.clone()];
    let rows = vec![cells.clone()];
    report.segments = vec![Table { title: evil.clone(), header: cells, rows }];
    let worth = report.importance.as_mut().unwrap();
    (worth.title, worth.note, worth.bars[0].unit) = (evil.clone(), evil.clone(), evil.clone());
    (worth.bars[0].title, worth.bars[0].rows[0].name) = (evil.clone(), evil.clone());
    (worth.maps[0].title, worth.maps[0].unit) = (evil.clone(), evil.clone());
    worth.maps[0].names.fill(evil.clone());
    let kind = evil_kind(&[0.5, 0.5], &[1.0, 0.0]);
    report.evaluation = Some(Evaluation { title: evil.clone(), kind });
    let page = checked(&report);
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"));
}

#[test]
fn numbers_are_short() {
    let texts = [
        (999_999.0, "999,999"),
        (-999.96, "\u{2212}1,000.0"),
        (0.0, "0"),
        (0.93127, "0.9313"),
        (12.345, "12.35"),
        (-4321.5, "\u{2212}4,322"),
    ];
    for (value, expected) in texts {
        assert_eq!(svg::number(value), expected);
    }
    assert_eq!(svg::number(2.5e-7), "2.500e\u{2212}7");
    assert_eq!(svg::number(f64::NAN), "\u{2013}");
}

/// `cargo test -p pairloom --lib report -- --ignored`, then open the pages in a browser.
#[test]
#[ignore = "writes pages to look at into the temporary folder"]
fn write_examples() {
    let write = |name: &str, report: &Report<'_>| {
        std::fs::write(std::env::temp_dir().join(name), html(report)).unwrap();
    };
    let (p, y) = scores(20_000, 0.97);
    write("pairloom_binary.html", &binary(&p, &y, None));
    let (p, y) = scores(20_000, 0.13);
    let mut rare = binary(&p, &y, None);
    rare.history.iter_mut().for_each(|epoch| epoch.valid.truncate(1));
    write("pairloom_rare.html", &rare);
    let (p, y) = ratings(20_000);
    write("pairloom_regression.html", &regression(&p, &y));
    write("pairloom_poor.html", &binary(&[0.2, 0.4], &[1.0, 1.0], None));
    write("pairloom_none.html", &binary(&[], &[], None));
}
