//! `pairloom devices`.

use crate::screen::Screen;
use pairloom::Result;
use pairloom::backend::{Found, LEAST_CAPABILITY, compiler, devices};
use pairloom::memory::gib;
use serde_json::json;

/// Arguments of `pairloom devices`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Runs `pairloom devices`: that there is no GPU is no failure.
pub fn run(args: &Args) -> Result<()> {
    let mut screen = Screen::new(args.json, false);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (found, version, why) = match devices() {
        Ok((found, [major, minor])) => (found, Some(format!("{major}.{minor}")), None),
        Err(error) => (Vec::new(), None, Some(error.to_string())),
    };
    let no_compiler = compiler().err().map(|error| error.to_string());
    let number = |found: &Found| found.number.to_string();
    let capability = |found: &Found| found.capability.map(|part| part.to_string()).join(".");
    let mut rows =
        vec![["device", "number", "name", "memory", "capability"].map(String::from).to_vec()];
    let cpu =
        ["cpu".into(), String::new(), format!("{cores} threads"), String::new(), String::new()];
    rows.push(cpu.to_vec());
    rows.extend(found.iter().map(|gpu| {
        let memory = gib(gpu.memory.into());
        vec!["cuda".into(), number(gpu), gpu.name.clone(), memory, capability(gpu)]
    }));
    screen.table(&rows, false)?;
    match (&why, &version) {
        (Some(why), _) => screen.text(&format!("\nno GPU: {why}"))?,
        (None, version) => {
            let version = version.as_deref().unwrap_or_default();
            screen.text(&format!("\nthe driver has CUDA {version}"))?;
            let used: Vec<_> = found.iter().filter(|gpu| gpu.used).map(number).collect();
            let least = LEAST_CAPABILITY.map(|part| part.to_string()).join(".");
            match (used.len(), found.len()) {
                (0, _) => screen.text(&format!(
                    "none of them is new enough to train on: capability {least} is needed"
                ))?,
                (some, all) if some < all => screen.text(&format!(
                    "--device cuda takes {}: up to eight of one capability of at least {least} that all see each other's \
                     memory (peer access)",
                    used.join(", ")
                ))?,
                (1, _) => {}
                _ => screen.text(&format!("--device cuda takes {}", used.join(", ")))?,
            }
            if let Some(why) = &no_compiler {
                screen.text(&format!("no GPU can be trained on: {why}"))?;
            }
        }
    }
    let gpus: Vec<_> = found
        .iter()
        .map(|gpu| {
            json!({
                "number": gpu.number, "name": gpu.name, "memory": gpu.memory,
                "capability": capability(gpu), "used": gpu.used,
            })
        })
        .collect();
    screen.json(&json!({
        "threads": cores, "cuda": version, "gpus": gpus, "no_gpu": why,
        "no_compiler": no_compiler,
    }))
}
