//! Running the command as a real process, each time in an empty folder of its own.

#![allow(clippy::unwrap_used, dead_code)] // Helpers of tests are tests too; no test uses all.

pub mod refusals;
pub mod sets;

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The command under test.
pub const PAIRLOOM: &str = env!("CARGO_BIN_EXE_pairloom");

/// Trains on the shop with labels in the column `bought`.
pub const TRAIN: &str =
    "train shop.csv --label bought --ignore id --epochs 3 --patience 0 --factors 4 --seed 5";

/// Whatever hangs is ended after this time and fails its test.
const PATIENCE: Duration = Duration::from_secs(60);

/// An empty folder that the command runs in.
pub struct Room {
    folder: tempfile::TempDir,
}

/// What a finished command has left behind.
pub struct Done {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub bytes: Vec<u8>,
    /// Standard output as text.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub time: Duration,
}

impl Room {
    /// An empty folder.
    pub fn new() -> Self {
        Room { folder: tempfile::tempdir().unwrap() }
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Reads a file of text.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// The names of all files, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The command with these arguments, which are separated by blanks.
    pub fn command(&self, line: &str) -> Command {
        self.program(PAIRLOOM, &line.split_whitespace().collect::<Vec<_>>())
    }

    /// Any program, run in the folder.
    pub fn program(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.folder.path()).env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a line of shell, in which `$pairloom` is the command.
    pub fn shell(&self, script: &str) -> Done {
        let mut command = self.program("sh", &["-c", script]);
        finish(command.env("pairloom", PAIRLOOM).spawn().unwrap(), Vec::new())
    }

    /// Runs the command, whatever comes of it.
    pub fn run(&self, line: &str) -> Done {
        finish(self.command(line).spawn().unwrap(), Vec::new())
    }

    /// Runs the command with something on standard input.
    pub fn run_with(&self, line: &str, input: impl Into<Vec<u8>>) -> Done {
        finish(self.command(line).stdin(Stdio::piped()).spawn().unwrap(), input.into())
    }

    /// Runs the command, which must succeed.
    pub fn ok(&self, line: &str) -> Done {
        self.run(line).success(line)
    }

    /// Runs the command with something on standard input; it must succeed.
    pub fn ok_with(&self, line: &str, input: impl Into<Vec<u8>>) -> Done {
        self.run_with(line, input).success(line)
    }

    /// Writes a synthetic click log.
    pub fn synth(&self, file: &str, settings: &str) {
        self.ok(&format!("synth -o {file} {settings}"));
    }
}

impl Done {
    /// The exit status; -1 for a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Panics unless the command has succeeded.
    pub fn success(self, line: &str) -> Self {
        assert_eq!(self.code(), 0, "pairloom {line}\n{}\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON, one value a line.
    pub fn json(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// The lines of standard output as numbers.
    pub fn numbers(&self) -> Vec<f64> {
        self.out.lines().map(|line| line.parse().unwrap()).collect()
    }
}

/// Feeds a process and waits for it.
pub fn finish(mut child: Child, input: Vec<u8>) -> Done {
    let begun = Instant::now();
    let stdin = child.stdin.take();
    let feeder = thread::spawn(move || {
        // A process may end before it has read everything.
        stdin.map(|mut stdin| stdin.write_all(&input))
    });
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("the command hangs");
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let time = begun.elapsed();
    drop(feeder.join().unwrap());
    let bytes = out.join().unwrap();
    let out = String::from_utf8_lossy(&bytes).into_owned();
    let err = String::from_utf8_lossy(&err.join().unwrap()).into_owned();
    Done { status, bytes, out, err, time }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// A CSV of sales with a column of each kind; `price` decides most of the labels.
pub fn shop(rows: usize) -> String {
    let mut text = String::from("id,site,price,tags,bought\n");
    for (i, [a, b, c]) in draws(rows).into_iter().enumerate() {
        let price = f64::from(a % 1000) / 8.0;
        let likely = price > 60.0 || (b % 5 == 1 && c % 3 == 0);
        let bought = if likely == (c % 10 > 0) { "yes" } else { "no" };
        let tags = ["red|new", "new", "red|old|big", "", "big", "old|new", "big|red"];
        let tags = tags[(c % 7) as usize];
        text += &format!("r{i},s{},{price},{tags},{bought}\n", b % 5);
    }
    text
}

/// A folder with such a CSV in it.
pub fn shop_room(rows: usize) -> Room {
    let room = Room::new();
    room.write("shop.csv", shop(rows));
    room
}

/// And with a model of it.
pub fn trained_shop(rows: usize) -> Room {
    let room = shop_room(rows);
    room.ok(TRAIN);
    room
}

/// Number of lines.
pub fn rows_in(text: &str) -> usize {
    text.lines().count()
}

/// A CSV of numbers in which `y` is about `2 a - b`.
pub fn house(rows: usize) -> String {
    let mut text = String::from("a,b,kind,y\n");
    for [a, b, c] in draws(rows) {
        let (a, b) = (f64::from(a % 997) / 100.0, f64::from(b % 883) / 100.0);
        let y = 2.0 * a - b + f64::from(c % 3);
        text += &format!("{a},{b},k{},{y}\n", c % 3);
    }
    text
}

/// Numbers that look random and are the same everywhere.
pub fn draws(rows: usize) -> Vec<[u32; 3]> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = || {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as u32
    };
    (0..rows).map(|_| [draw(), draw(), draw()]).collect()
}

/// A CSV without one of its columns, or with its columns in another order.
pub fn columns(csv: &str, wanted: &[usize]) -> String {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        wanted.iter().map(|&i| cells[i]).collect::<Vec<_>>().join(",") + "\n"
    };
    csv.lines().map(row).collect()
}

/// The same without its first line.
pub fn without_header(csv: &str) -> String {
    csv.split_once('\n').unwrap().1.to_string()
}

/// Whether a path is a character device.
pub fn is_device(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(Path::new(path)).unwrap().file_type().is_char_device()
}
