//! SIGINT and SIGTERM while training: the first asks it to stop where it can go on later, the
//! second ends the command at once.

use pairloom::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signal that has come, if one has.
#[derive(Debug, Default)]
pub struct Signals {
    number: Arc<AtomicUsize>,
    /// Whether they are listened for.
    listening: Cell<bool>,
    /// Whether one has come, in the form that the second one asks for.
    caught: Arc<AtomicBool>,
}

impl Signals {
    /// Waits for them from now on. Before there is anything to save, or a file that is not whole to be
    /// removed, they end the command as usual.
    pub fn listen(&self) -> Result<()> {
        if self.listening.replace(true) {
            // Registered twice, the first signal would count as the second.
            return Ok(());
        }
        [SIGINT, SIGTERM]
            .into_iter()
            .try_for_each(|signal| self.register(signal))
            .map_err(|e| Error::io("signals", e))
    }

    fn register(&self, signal: i32) -> io::Result<()> {
        // In this order: the first signal finds the flag unset, and sets it for the second.
        flag::register_conditional_default(signal, Arc::clone(&self.caught))?;
        flag::register(signal, Arc::clone(&self.caught))?;
        flag::register_usize(signal, Arc::clone(&self.number), signal as usize)?;
        Ok(())
    }

    /// The exit status that tells of the signal, as shells have it.
    pub fn status(&self) -> Option<u8> {
        match self.number.load(Ordering::Relaxed) {
            0 => None,
            number => Some(128 + number as u8),
        }
    }
}
