//! Command lines and files that are refused before the work, in which words and with which status.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod common;

use common::is_device;
use common::refusals::{all_fail, fails, room};

#[test]
fn wrong_command_lines() {
    all_fail(
        2,
        &[
            // The parser's own.
            ("train", "the following required arguments were not provided"),
            ("frobnicate", "unrecognized subcommand 'frobnicate'"),
            ("train shop.csv --frobnicate", "unexpected argument '--frobnicate'"),
            ("train shop.csv --factors x", "invalid value 'x' for '--factors"),
            ("train shop.csv --threads -1", "invalid value '-1' for '--threads <N>'"),
            ("train shop.csv --seed 1.5", "invalid value '1.5' for '--seed"),
            ("train shop.csv --header --no-header", "the argument '--header' cannot be used with"),
            (
                "train shop.csv --valid shop.csv --valid-fraction 0.1",
                "the argument '--valid <DATA>' cannot be used with",
            ),
            (
                "train shop.csv --valid-tail 0.1 --valid-fraction 0.1",
                "the argument '--valid-tail <SHARE>' cannot be used with",
            ),
            ("train shop.csv --preset d3l", "invalid value 'd3l' for '--preset"),
            ("train shop.csv --format json", "invalid value 'json' for '--format"),
            ("train shop.csv --delimiter ab", "invalid value 'ab' for '--delimiter"),
            ("train shop.csv --delimiter é", "invalid value 'é' for '--delimiter"),
            ("train shop.csv --on-error maybe", "invalid value 'maybe' for '--on-error"),
            ("train shop.csv --optimizer foo", "invalid value 'foo' for '--optimizer"),
            ("train shop.csv --device gpu", "invalid value 'gpu' for '--device <DEVICE>'"),
            ("train shop.csv --loss hinge", "invalid value 'hinge' for '--loss"),
            ("train shop.csv --transform price", "invalid value 'price' for '--transform"),
            ("train shop.csv --transform price=f", "invalid value 'price=f' for '--transform"),
            (
                "train shop.csv --transform price=log:5",
                "invalid value 'price=log:5' for '--transform",
            ),
            ("train shop.csv --multi tags", "invalid value 'tags' for '--multi"),
            ("completions cobol", "invalid value 'cobol' for '<SHELL>'"),
            ("synth --rows many", "invalid value 'many' for '--rows"),
            ("synth --rows -5", "invalid value '-5' for '--rows"),
            ("predict good.model shop.csv --threads -1", "invalid value '-1' for '--threads"),
            // Fields of indices.
            (
                "train shop.csv --label bought --fields 0-9,10-",
                "fields (--fields) are for the indices of libsvm, and these rows are csv, which",
            ),
            (
                "convert ok.svm -o rows --fields 0-9,5-",
                "--fields 0-9,5-: index 5 is in two ranges (character 5)",
            ),
            ("convert ok.svm -o rows --fields 0-9,x", "--fields 0-9,x: it is neither ranges"),
            ("train shop.csv --order 3", "--order is for --model hofm, and the model is fm"),
            ("train shop.csv --model ffm --rank 3", "--rank is for --model dplr"),
            ("train shop.csv --label bought --model mf", "model (--model) mf takes two fields"),
            ("train ok.svm --model ffm", "model (--model) ffm is about pairs of fields"),
            (
                "train shop.csv --label bought --transform price=spline:3",
                "bins of 'price' must be at least 4 for spline",
            ),
            // Settings out of their range.
            (
                "train shop.csv --label bought --factors 70000",
                "factors (--factors) must be at most 65536",
            ),
            (
                "train shop.csv --label bought --batch-size 0",
                "batch_size (--batch-size) must be from 1",
            ),
            (
                "train shop.csv --label bought --learning-rate nan",
                "learning_rate (--learning-rate) must be",
            ),
            (
                "train shop.csv --label bought --learning-rate inf",
                "learning_rate (--learning-rate) must be",
            ),
            (
                "train shop.csv --label bought --learning-rate -1",
                "learning_rate (--learning-rate) must be",
            ),
            (
                "train shop.csv --label bought --learning-rate 0",
                "learning_rate (--learning-rate) must be",
            ),
            ("train shop.csv --label bought --epochs 0", "epochs (--epochs) must be at least 1"),
            (
                "train shop.csv --label bought --hash-bits 31",
                "hash_bits (--hash-bits) must be from 1 to 30",
            ),
            (
                "train shop.csv --label bought --min-count 0",
                "min_count (--min-count) must be at least 1",
            ),
            ("train shop.csv --label bought --bins 1", "bins (--bins) must be from 2"),
            ("train shop.csv --label bought --transform price=quantile:1", "bins of 'price' must"),
            (
                "train shop.csv --label bought --valid-fraction 1",
                "valid_fraction (--valid-fraction) must be",
            ),
            ("train shop.csv --label bought --valid-tail nan", "valid_tail (--valid-tail) must be"),
            (
                "train shop.csv --label bought --rate-decay 0",
                "rate_decay (--rate-decay) must be in (0, 1]",
            ),
            ("train shop.csv --label bought --init-stdev nan", "init_stdev (--init-stdev) must be"),
            ("train shop.csv --label bought --l2-linear -1", "l2_linear (--l2-linear) must be"),
            (
                "train shop.csv --label bought --optimizer ftrl --l1-linear -1",
                "l1_linear (--l1-linear) must be a number of at least 0",
            ),
            (
                "train shop.csv --label bought --l1-factors 1",
                "l1_factors (--l1-factors) must be a number of at least 0, and 0 without --optimizer",
            ),
            ("train shop.csv --label bought --l2-factors inf", "l2_factors (--l2-factors) must be"),
            (
                "train shop.csv --label bought --no-bias --no-linear --factors 0",
                "bias (--no-bias) must be on",
            ),
            ("train shop.csv --label bought --checkpoint-every nan", "--checkpoint-every must"),
            ("train shop.csv --label bought --checkpoint-every -1", "--checkpoint-every must"),
            (
                "train shop.csv --label bought --threads 100000",
                "threads (--threads) must be at most 1024",
            ),
            ("train shop.csv --label bought -o ./shop.csv", "./shop.csv would replace the input"),
            ("train ok.svm --valid shop.csv --report shop.csv", "shop.csv would replace the input"),
            ("train ok.svm -o new --report ./new", "two outputs have the same name ./new"),
            ("predict model shop.csv -o shop.csv", "shop.csv would replace the input shop.csv"),
            ("predict model shop.csv -o model", "model would replace the input model"),
            ("evaluate model shop.csv --report shop.csv", "shop.csv would replace the input"),
            // Columns.
            ("train shop.csv", "which column is the label? Say --label COLUMN; the columns are id"),
            ("train shop.csv --label nope", "there is no column 'nope': the columns are id, site"),
            ("train shop.csv --label bought --categorical nope", "there is no column 'nope'"),
            (
                "train shop.csv --label bought --weight bought",
                "column 'bought' cannot be both label and weight",
            ),
            (
                "train shop.csv --label bought --categorical price --transform price=log",
                "column 'price' is categorical: only a numeric one has a transform",
            ),
            (
                "train shop.csv --label bought --ignore id,site,price,tags",
                "no column is left to learn from",
            ),
            ("train shop.csv --label bought --positive maybe", "shop.csv: no label is 'maybe'"),
            ("train shop.csv --label bought --loss squared", "shop.csv: squared loss takes numbe"),
            ("train house.csv --label y --loss logistic", "house.csv: logistic loss takes a label"),
            ("train shop.csv --label bought --weight nope", "there is no column 'nope'"),
            ("train shop.csv --label bought --group nope", "there is no column 'nope'"),
            ("train ok.svm --positive 5", "ok.svm: no label is '5'"),
            ("train ok.svm --label 1", "there is no column '1': the columns are label, qid"),
            ("train ok.svm --header", "format libsvm has no header"),
            ("train ok.svm --format libsvm --delimiter ,", "format libsvm has no delimiter"),
            ("train - --valid -", "standard input cannot be both"),
            ("inspect -", "a model is read more than once: it cannot come from standard input"),
            ("predict - shop.csv", "a model is read more than once"),
            ("predict good.model shop.csv --keep site,site", "--keep names column 'site' twice"),
            ("predict good.model shop.csv --json --keep prediction", "--keep prediction: what"),
            (
                "predict good.model shop.csv --keep Site",
                "shop.csv: there is no column 'Site' (did you",
            ),
            (
                "train shop.csv --label Bought",
                "there is no column 'Bought' (did you mean 'bought'?",
            ),
            ("predict good.model house.csv", "house.csv: column 'site' is missing: the model was"),
            ("evaluate good.model house.csv", "house.csv: column 'site' is missing"),
            ("predict good.model shop.csv --keep nope", "shop.csv: there is no column 'nope'"),
            ("synth --format libsvm --header", "--header: libsvm and libffm text has none"),
        ],
    );
}

#[test]
fn an_empty_name() {
    let room = room();
    let done = room.shell("exec $pairloom train shop.csv --label bought -o ''");
    assert_eq!(done.err, "error: the name of a file to write is empty\n");
    assert_eq!(done.code(), 2);
}

#[test]
fn wrong_files() {
    all_fail(
        1,
        &[
            ("train missing.csv", "missing.csv: No such file"),
            ("train folder", "folder: Is a directory"),
            ("train shop.csv --label bought --valid missing.csv", "missing.csv: No such file"),
            ("train shop.csv --label bought --valid folder", "folder: Is a directory"),
            ("train shop.csv --label bought --schema missing.toml", "missing.toml: No such file"),
            ("train shop.csv --label bought --schema shop.csv", "shop.csv:1: "),
            (
                "train shop.csv --label bought -o no/such/m",
                "no/such/m: cannot be written: its fold",
            ),
            ("train shop.csv --label bought -o folder", "folder: is a folder"),
            ("train shop.csv --label bought --report no/r.html", "no/r.html: cannot be written"),
            ("train shop.csv --label bought --report folder", "folder: is a folder"),
            ("train shop.csv --label bought --save-schema no/s", "no/s: cannot be written"),
            ("train shop.csv --label bought --save-schema folder", "folder: is a folder"),
            ("train good.model", "good.model"),
            ("predict missing.model shop.csv", "missing.model: No such file"),
            ("predict folder shop.csv", "folder: is a directory"),
            ("predict shop.csv shop.csv", "shop.csv: not a pairloom model"),
            ("inspect shop.csv", "shop.csv: not a pairloom model"),
            ("inspect /dev/null", "/dev/null: a model is read more than once: it cannot come from"),
            ("evaluate shop.csv shop.csv", "shop.csv: not a pairloom model"),
            ("predict good.model missing.csv", "missing.csv: No such file"),
            ("predict good.model folder", "folder: Is a directory"),
            ("predict good.model good.model", "good.model"),
            ("predict good.model shop.csv -o no/such/p", "no/such/p: cannot be written"),
            ("predict good.model shop.csv -o folder", "folder: is a folder"),
            ("evaluate good.model shop.csv --report no/r.html", "no/r.html: cannot be written"),
            ("predict good.model shop.csv -o /dev/full", "/dev/full: No space left"),
            ("train shop.csv --label bought --epochs 1 -o /dev/full", "/dev/full: No space left"),
            ("synth --rows 10 -o no/such/file", "no/such/file: No such file"),
            ("synth --rows 10 -o folder", "folder"),
            ("synth --rows 100000 -o /dev/full", "/dev/full: No space left"),
            ("man shop.csv/pages", "shop.csv/pages: Not a directory"),
            ("demo --output shop.csv", "shop.csv: "),
        ],
    );
    assert!(is_device("/dev/full"), "a device stays one");
}

/// What is said depends on the machine; that `devices` and `train` say the same does not.
#[test]
fn a_gpu_that_is_not_there_is_told_before_rows_are_read() {
    let room = room();
    let devices = &room.ok("devices --json").json()[0];
    assert!(devices["threads"].as_u64().unwrap() > 0);
    assert!(room.ok("devices").out.contains("cpu"));
    if let Some(why) = devices["no_gpu"].as_str() {
        let error = fails(&room, "train - --device cuda -o new.model", 1);
        assert_eq!(error, format!("error: {why}\n"));
        for line in ["predict good.model shop.csv -o new.csv", "evaluate good.model shop.csv"] {
            let error = fails(&room, &format!("{line} --device cuda"), 1);
            assert_eq!(error, format!("error: {why}\n"));
        }
        assert!(!room.has("new.csv"));
    }
    // What is small is trained on the CPU.
    let line = "train shop.csv --label bought --ignore id --epochs 1";
    let auto = room.ok(&format!("{line} --device auto --json -o auto.model")).json();
    assert!(auto.iter().any(|event| event["device"] == "cpu"));
    room.ok(&format!("{line} --device cpu -o cpu.model"));
    assert_eq!(room.read("auto.model"), room.read("cpu.model"));
}

/// A library by the driver's name may be anything; whatever it lacks is an error with one line, and `auto` trains without.
#[cfg(target_os = "linux")]
#[test]
fn a_driver_that_lacks_functions_is_refused() {
    let room = room();
    let begins = [
        ("", "cuCtxEnablePeerAccess"),
        ("int cuCtxEnablePeerAccess() { return 0; }", "cuCtxGetCurrent"),
    ];
    for (text, lacks) in begins {
        room.write("driver.c", text);
        let made = room.program("cc", &["-shared", "-fPIC", "-o", "libcuda.so.1", "driver.c"]);
        match { made }.status() {
            Ok(status) if status.success() => {}
            _ if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
                panic!("there is no C compiler")
            }
            _ => return eprintln!("LEFT OUT: a driver made by a C compiler, as there is none"),
        }
        let with_it = |line: &str| {
            let folder = room.path("");
            room.command(line).env("LD_LIBRARY_PATH", folder).output().unwrap()
        };
        let message = format!("the NVIDIA driver (libcuda) has no function {lacks}: ");
        for line in [
            "train shop.csv --device cuda -o new.model",
            "predict good.model shop.csv --device cuda",
        ] {
            let done = with_it(line);
            let error = String::from_utf8(done.stderr).unwrap();
            assert!(error.starts_with(&format!("error: {message}")), "{line}: {error}");
            assert_eq!((done.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        }
        let done = with_it("devices");
        assert!(String::from_utf8(done.stdout).unwrap().contains(&message));
        assert!(done.status.success() && !room.has("new.model"));
    }
}
