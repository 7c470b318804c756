//! Work that panics over what it was given.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread's panics are caught and told as errors.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// The result of `work`, or what it said as it panicked. Readers of Parquet and of Arrow's arrays take some
/// things for granted, which a damaged file has not, and panic over them where we owe an error; what they left
/// behind is not used again. Nothing is printed.
pub(in crate::input) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let told = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CAUGHT.get() {
                told(panic);
            }
        }));
    });
    let outer = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(outer);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "no reason given".into())
    })
}
