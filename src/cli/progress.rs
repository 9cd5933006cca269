use crate::experiment::Event;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A bar on a terminal; plain lines elsewhere: one when an experiment starts, then every tenth of it or every 30 s.
pub struct Progress {
    bar: Option<ProgressBar>,
    plain: Mutex<Plain>,
}

struct Plain {
    total: usize,
    done: usize,
    said: usize,
    at: Instant,
}

impl Progress {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            let style =
                ProgressStyle::with_template("  {bar:30} {pos}/{len} runs  {elapsed} (about {eta} left)  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, plain: Mutex::new(Plain { total: 0, done: 0, said: 0, at: Instant::now() }) }
    }

    pub fn tell(&self, event: Event) {
        let Ok(mut plain) = self.plain.lock() else { return };
        match event {
            Event::Started { spec, runs, finished, damaged } => {
                let cached = if finished > 0 { format!(", {finished} finished before") } else { String::new() };
                for file in damaged {
                    note(&format!("{}: damaged, or of another version; its run is computed again", file.display()));
                }
                let line = format!("{}  {} ({} runs{cached})", spec.id, spec.spec.title, runs);
                *plain = Plain { total: runs, done: finished, said: finished, at: Instant::now() };
                match &self.bar {
                    Some(bar) => {
                        bar.println(line);
                        bar.reset();
                        bar.set_length(runs as u64);
                        bar.set_position(finished as u64);
                        bar.enable_steady_tick(Duration::from_millis(200));
                    }
                    None => note(&line),
                }
            }
            Event::Within { text } => match &self.bar {
                Some(bar) => bar.set_message(text.to_owned()),
                None if plain.at.elapsed() > Duration::from_secs(30) => {
                    note(&format!("  {text}"));
                    plain.at = Instant::now();
                }
                None => {}
            },
            Event::Ran { .. } => {
                plain.done += 1;
                let tenth = (plain.done - plain.said) * 10 >= plain.total;
                match &self.bar {
                    Some(bar) => bar.set_position(plain.done as u64),
                    None if tenth && plain.at.elapsed() > Duration::from_secs(2)
                        || plain.at.elapsed() > Duration::from_secs(30) =>
                    {
                        note(&format!("  {}/{} runs", plain.done, plain.total));
                        (plain.said, plain.at) = (plain.done, Instant::now());
                    }
                    None => {}
                }
            }
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line on standard error.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
