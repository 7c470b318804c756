//! Ranking the rows of groups, given or drawn, from a file to figures.

use crate::common::{
    bytes, folder, job, model, path, plain_config, random, refusal, trained, write,
};
use pairloom::batch::Outcomes;
use pairloom::config::Config;
use pairloom::fit::{Checkpoints, FitEvent, Stop};
use pairloom::interaction::Kind;
use pairloom::loss::Loss;
use pairloom::metric::{Metrics, Ranking};
use pairloom::model::Model;
use pairloom::negatives::NegativeSampling;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading;
use pairloom::schema::Hints;
use pairloom::train::{Event, Job, SchemaSource, convert, train};
use rand::RngExt;
use std::fmt::Write as _;
use std::time::Duration;

/// Queries of six rows, whose grade is how well a document of one of twelve kinds suits a query of one of
/// eight. Rows of a query do not lie together.
fn queries(count: usize, seed: u64) -> String {
    let mut random = random(seed);
    let suits = |query: usize, kind: usize| (query * 7 + kind * kind * 5 + query * kind * 3) % 13;
    let mut rows = Vec::new();
    for query in 0..count {
        let of = random.random_range(0..8);
        for _ in 0..6 {
            let kind = random.random_range(0..12);
            rows.push((
                random.random::<u32>(),
                format!("q{query},t{of},d{kind},{}\n", suits(of, kind) / 4),
            ));
        }
    }
    rows.sort();
    format!("query,topic,kind,grade\n{}", rows.into_iter().map(|row| row.1).collect::<String>())
}

fn ranked(loss: Loss) -> Config {
    Config { loss: Some(loss), epochs: 30, ..plain_config() }
}

fn query_job(data: &str, config: &Config) -> Job {
    let hints = Hints {
        label: Some("grade".into()),
        group: Some("query".into()),
        categorical: vec!["topic".into(), "kind".into()],
        ..Hints::default()
    };
    Job { schema: SchemaSource::Infer(hints), ..job(data, config) }
}

/// Users of three tastes who have items of their taste, and now and then another; each row is a user, an item
/// and what it is of.
fn tastes(users: usize, seed: u64) -> String {
    let mut random = random(seed);
    let mut text = String::from("user,item,genre,one\n");
    for user in 0..users {
        let mut has = Vec::new();
        while has.len() < 8 {
            let own = random.random_range(0..10) > 0;
            let item = 3 * random.random_range(0..20)
                + if own { user % 3 } else { random.random_range(0..3) };
            if !has.contains(&item) {
                has.push(item);
                writeln!(text, "u{user},i{item},g{},1", item % 6).unwrap();
            }
        }
    }
    text
}

fn taste_job(data: &str, config: &Config) -> Job {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    let hints = Hints {
        label: Some("one".into()),
        group: Some("user".into()),
        item: names(&["item", "genre"]),
        categorical: names(&["user", "item", "genre"]),
        ..Hints::default()
    };
    Job { schema: SchemaSource::Infer(hints), ..job(data, config) }
}

fn ranking(metrics: &Metrics) -> &Ranking {
    match metrics {
        Metrics::Ranking(found) => found,
        other => panic!("{other:?}"),
    }
}

fn valid(model: &Model) -> &Ranking {
    ranking(model.kept_epoch().unwrap().valid.as_ref().unwrap())
}

#[test]
fn given_groups_are_learned() {
    let folder = folder();
    let data = write(&folder, "rows.csv", queries(400, 1));
    for loss in Loss::ranking() {
        let run = trained(&query_job(&data, &ranked(loss)));
        let groups = run.start.unwrap().groups.unwrap();
        assert!(groups.all == 320 && groups.ranked > 280 && groups.ranked < 320, "{groups:?}");
        let model = run.model.unwrap();
        let found = valid(&model);
        assert_eq!(found.groups + found.groups_left_out, 80, "whole groups are held out");
        // In an order by chance the area is a half.
        assert!(found.grouped_auc.unwrap() > 0.97 && found.ndcg > 0.97, "{loss}: {found:?}");
        assert!(model.history.windows(2).all(|pair| pair[0].train_loss.is_finite()));
    }
}

#[test]
fn drawn_items_are_learned_from() {
    let folder = folder();
    let data = write(&folder, "rows.csv", tastes(300, 2));
    for loss in Loss::ranking() {
        for negative_sampling in NegativeSampling::ALL {
            let config = Config { negatives: Some(5), negative_sampling, ..ranked(loss) };
            let run = trained(&taste_job(&data, &config));
            assert_eq!(run.start.as_ref().unwrap().items, Some(60));
            let model = run.model.unwrap();
            let found = valid(&model);
            // Rows are held out, not groups, and each is a list with what is drawn for it: all items that the
            // user has not, as these are fewer than are drawn.
            assert_eq!(found.groups, 480);
            // 20 items of the taste are before 40 others: the area is above .8 if this is all that is known.
            assert!(found.grouped_auc.unwrap() > 0.75, "{loss} {negative_sampling:?}: {found:?}");
            assert_eq!(model.config.negatives, Some(5));
        }
    }
}

#[test]
fn all_models_rank_with_all_optimizers() {
    let folder = folder();
    let given = write(&folder, "given.csv", queries(60, 3));
    let drawn = write(&folder, "drawn.csv", tastes(30, 3));
    for &kind in Kind::ALL {
        for loss in Loss::ranking() {
            for optimizer in Optimizer::ALL {
                let sgd = optimizer == Optimizer::Sgd;
                let config = Config {
                    model: kind,
                    optimizer,
                    learning_rate: Some(if sgd { 0.01 } else { 0.05 }),
                    epochs: 2,
                    negatives: Some(3),
                    ..ranked(loss)
                };
                let rows = query_job(&given, &Config { negatives: None, ..config.clone() });
                // What is drawn has three fields, and mf takes two.
                let drawn = (kind != Kind::Mf).then(|| taste_job(&drawn, &config));
                for job in [rows].into_iter().chain(drawn) {
                    let model = model(&job);
                    assert!(model.weights.is_finite(), "{kind:?} {loss} {optimizer:?}");
                }
            }
        }
    }
}

#[test]
fn the_bits_depend_on_no_threads_and_on_no_interruption() {
    let folder = folder();
    let given = write(&folder, "given.csv", queries(80, 4));
    let drawn = write(&folder, "drawn.csv", tastes(60, 4));
    for loss in Loss::ranking() {
        let config = Config { epochs: 4, batch_size: Some(32), negatives: Some(4), ..ranked(loss) };
        let plain = Config { negatives: None, ..config.clone() };
        for job in [query_job(&given, &plain), taste_job(&drawn, &config)] {
            let expected = bytes(&model(&job));
            assert!(bytes(&model(&Job { threads: 3, ..job.clone() })) == expected, "{loss}");
            let at = path(&folder, "checkpoint");
            let to = |resume| Checkpoints { path: at.clone(), every: Duration::MAX, resume };
            let mut batches = 0;
            let first = Job { checkpoints: Some(to(false)), ..job.clone() };
            let stopped = train(&first, &mut |event| {
                batches += usize::from(matches!(event, Event::Fit(FitEvent::Batch { .. })));
                batches < 17
            });
            assert_eq!(stopped.unwrap().stop, Stop::Interrupted);
            let second = Job { checkpoints: Some(to(true)), threads: 2, ..job };
            assert!(bytes(&model(&second)) == expected, "{loss}: resumed");
        }
    }
}

#[test]
fn groups_stay_together_in_windows_of_a_file() {
    let folder = folder();
    let data = write(&folder, "rows.csv", queries(60_000, 5));
    let config = Config { memory: Some(44 << 20), epochs: 2, ..ranked(Loss::Bpr) };
    let run = trained(&Job {
        temp_dir: folder.path().to_str().unwrap().into(),
        ..query_job(&data, &config)
    });
    assert!(run.start.unwrap().disk_bytes > 0);
    assert!(valid(&run.model.unwrap()).ndcg > 0.97);
}

/// The groups of a file to evaluate are those of its column, wherever their rows are; of converted rows too.
#[test]
fn evaluation_is_of_groups() {
    let folder = folder();
    let data = write(&folder, "rows.csv", queries(200, 6));
    let test = write(&folder, "test.csv", queries(50, 7));
    let job = query_job(&data, &Config { epochs: 3, ..ranked(Loss::Listwise) });
    let model = model(&job);
    let threads = Threads::new(1).unwrap();
    let kept = path(&folder, "kept.rows");
    convert(&Job { data: test.clone(), ..job }, &kept, &mut |_| true).unwrap();
    let evaluate = |file: &str| {
        let mut reader = reading::open(file, &Default::default(), &model.schema).unwrap();
        model.evaluate(&mut *reader, file, &EvaluateOptions::default(), &threads).unwrap()
    };
    let found = evaluate(&test);
    let (mut outcomes, mut groups) = (Outcomes::default(), Vec::new());
    for line in std::fs::read_to_string(&test).unwrap().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let known = groups.iter().position(|group| group == cells[0]);
        let group = known.unwrap_or(groups.len()) as u32;
        groups.extend(known.is_none().then(|| cells[0].to_string()));
        outcomes.push_in(Some(group), cells[3].parse().unwrap(), 1.0);
    }
    let expected =
        Ranking::measure(&found.predictions, &outcomes, Some(Loss::Listwise), 10).unwrap();
    assert_eq!(found.metrics, Metrics::Ranking(expected));
    assert_eq!(evaluate(&kept).metrics, found.metrics);
}

#[test]
fn classes_and_weights_are_taken() {
    let folder = folder();
    let text = "g,a,w,y\n1,x,1,no\n1,y,1,yes\n2,x,0,no\n2,y,2,yes\n2,z,1,no\n3,z,1,yes\n";
    let data = write(&folder, "rows.csv", text);
    let hints = Hints {
        label: Some("y".into()),
        group: Some("g".into()),
        weight: Some("w".into()),
        categorical: vec!["a".into()],
        ..Hints::default()
    };
    let config = Config { valid_fraction: Some(0.0), ..ranked(Loss::Warp) };
    let run = trained(&Job { schema: SchemaSource::Infer(hints), ..job(&data, &config) });
    assert_eq!(run.start.as_ref().unwrap().groups.map(|g| (g.ranked, g.all)), Some((2, 3)));
    let model = run.model.unwrap();
    let scores: Vec<f64> = ["x", "y", "z"]
        .map(|a| {
            let text = format!("g,a,w,y\n1,{a},1,no\n");
            let mut reader =
                pairloom::input::from_bytes("r.csv", text, &Default::default()).unwrap();
            let mut found = 0.0;
            let options = Default::default();
            let threads = Threads::new(1).unwrap();
            model
                .predict_rows(&mut *reader, "r.csv", &options, &threads, |piece| {
                    found = piece.predictions.first().copied().unwrap_or(found);
                    Ok(())
                })
                .unwrap();
            found
        })
        .to_vec();
    assert!(scores[1] > scores[0] && scores[1] > scores[2], "{scores:?}");
    assert_eq!(model.weights.bias, [0.0], "a bias would move all scores alike");
}

#[test]
fn what_cannot_be_ranked_is_refused() {
    let folder = folder();
    let data = write(&folder, "rows.csv", queries(20, 8));
    let tastes = write(&folder, "tastes.csv", tastes(10, 8));
    let bpr = ranked(Loss::Bpr);
    let hints = |job: &Job| match &job.schema {
        SchemaSource::Infer(hints) => hints.clone(),
        SchemaSource::Given(_) => Hints::default(),
    };
    let with = |job: Job, change: &dyn Fn(&mut Hints)| {
        let mut hints = hints(&job);
        change(&mut hints);
        refusal(&Job { schema: SchemaSource::Infer(hints), ..job })
    };
    let said = |message: String, what: &str| assert!(message.contains(what), "{message}");
    let given = || query_job(&data, &bpr);
    said(
        with(given(), &|h| h.group = None),
        "bpr ranks the rows of a group: say which column it is, by group",
    );
    said(with(given(), &|h| h.item = vec!["nothing".into()]), "there is no column 'nothing'");
    said(
        with(given(), &|h| h.item = vec!["grade".into()]),
        "column 'grade' must be the name of an item",
    );
    said(
        with(taste_job(&tastes, &bpr), &|h| {
            h.item = vec!["item".into(), "user".into(), "one".into()]
        }),
        "must be a feature",
    );
    let five = Config { negatives: Some(5), ..bpr.clone() };
    said(refusal(&query_job(&data, &five)), "draws items: say which columns they are, by item");
    let logistic = Config { loss: Some(Loss::Logistic), ..bpr.clone() };
    said(
        refusal(&taste_job(&tastes, &logistic)),
        "is for ranking: take bpr, warp, listwise as loss",
    );
    said(
        refusal(&query_job(&data, &Config { negatives: Some(5), ..logistic })),
        "must be at most 10000, and 0 without --loss bpr",
    );
    let one = "user,item,genre,one\nu1,i1,g,1\nu2,i1,g,1\n";
    let one = write(&folder, "one.csv", one);
    said(
        refusal(&taste_job(&one, &Config { valid_fraction: Some(0.0), ..bpr.clone() })),
        "have one item",
    );
    let below = write(&folder, "below.csv", "query,topic,kind,grade\nq,t,d,1\nq,t,e,2\nq,t,f,-1\n");
    said(refusal(&query_job(&below, &bpr)), "below.csv:4: label: -1 is no grade");
    let alike = write(&folder, "alike.csv", "query,topic,kind,grade\nq,t,d,1\nr,t,e,1\nr,t,f,1\n");
    said(refusal(&query_job(&alike, &bpr)), "all 3 training rows have the label '1'");
    let apart = write(&folder, "apart.csv", "query,topic,kind,grade\nq,t,d,1\nr,t,e,2\nr,t,f,2\n");
    let all = Config { valid_fraction: Some(0.0), ..bpr.clone() };
    said(
        refusal(&query_job(&apart, &all)),
        "none of the 2 groups of training rows has rows of different labels",
    );
    let valid = Job { valid: Some(apart), ..query_job(&data, &bpr) };
    said(refusal(&valid), "of validation rows has rows of different labels");
    let lacks = write(&folder, "lacks.csv", "topic,kind,grade\nt0,d1,1\nt0,d2,2\n");
    said(
        refusal(&Job { valid: Some(lacks), ..query_job(&data, &bpr) }),
        "column 'query' is missing",
    );
}
