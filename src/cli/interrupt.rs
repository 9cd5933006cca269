use super::Exit;
use super::progress::note;
use crate::error::{InputError, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long runs in progress get to see that they are to stop.
const GRACE: Duration = Duration::from_millis(1000);

/// What an interrupt (Ctrl-C, or SIGTERM from a scheduler) does.
#[derive(Clone, Copy)]
pub enum Interrupt {
    /// Nothing is lost at any moment: runs in progress get one second, then the program ends with these words.
    Leave(&'static str),
    /// What is reached is still to be told: the program goes on to its next observation; a second interrupt ends it.
    Report,
}

/// The flag that the first interrupt sets.
pub fn watch(interrupt: Interrupt) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(Exit::Interrupted as i32);
        }
        match interrupt {
            Interrupt::Report => note("\nstopping with what is reached; press Ctrl-C again to stop at once"),
            Interrupt::Leave(words) => {
                note("\nstopping");
                std::thread::spawn(move || {
                    std::thread::sleep(GRACE);
                    note(words);
                    std::process::exit(Exit::Interrupted as i32);
                });
            }
        }
    });
    handler.map_err(|e| InputError::new(format!("cannot watch for Ctrl-C: {e}")))?;
    Ok(stop)
}
