use super::json::say_json;
use super::progress::note;
use super::{Exit, Outcome, say};
use crate::data::fetch::{Event, Options, State, fetch, present, sources_named, verify};
use crate::error::InputError;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Subcommand)]
pub enum Command {
    /// List the data sets: what they are, how large, their licence, whether they are here
    ///
    /// Example:
    ///   implicit-bias data list
    #[command(verbatim_doc_comment)]
    List {
        /// One JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        dest: Dest,
    },
    /// Download data sets from their official addresses, verify and unpack them; goes on where it stopped
    ///
    /// Examples:
    ///   implicit-bias data fetch mnist fashion-mnist
    ///   implicit-bias data fetch cifar10 --mirror https://example.org/sets --timeout 120
    #[command(verbatim_doc_comment)]
    Fetch {
        /// mnist, fashion-mnist, cifar10
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// Address of a folder with the archives, instead of the official ones
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
        /// Give a server up that is silent, or slower than 1 KiB/s, for so long
        #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u16).range(1..))]
        timeout: u16,
        #[command(flatten)]
        dest: Dest,
    },
    /// Check the files that are here, by size and SHA-256
    ///
    /// Examples:
    ///   implicit-bias data verify
    ///   implicit-bias data verify mnist --json
    #[command(verbatim_doc_comment)]
    Verify {
        /// Data sets that must be here [default: check those that are]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// One JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        dest: Dest,
    },
}

#[derive(Args)]
pub struct Dest {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    dest: PathBuf,
}

pub fn run(command: &Command) -> Outcome {
    match command {
        Command::List { json, dest } => list(*json, &dest.dest),
        Command::Fetch { names, mirror, timeout, dest } => {
            let patience = Duration::from_secs((*timeout).into());
            download(names, &Options { dest: &dest.dest, mirror: mirror.as_deref(), patience })
        }
        Command::Verify { names, json, dest } => check(names, *json, &dest.dest),
    }
}

fn list(json: bool, dest: &Path) -> Outcome {
    let (mut lines, mut rows) = (vec![], vec![]);
    for source in sources_named(&[])? {
        let here = present(&source, dest);
        let bytes: u64 = source.archives.iter().map(|a| a.bytes).sum();
        let unpacked: u64 = source.files().map(|f| f.bytes).sum();
        lines.push(format!(
            "{}  {}\n    {} to download, {} on disk; licence: {}; {}\n    {} {}: {}\n",
            source.name,
            source.title,
            megabytes(bytes),
            megabytes(unpacked),
            source.licence,
            source.origin,
            if here { "present in" } else { "not in" },
            dest.join(&source.folder).display(),
            source.files().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", "),
        ));
        rows.push(serde_json::json!({
            "present": here, "download_bytes": bytes, "bytes": unpacked, "path": dest.join(&source.folder), "source": source,
        }));
    }
    if json {
        say_json(rows)
    } else {
        say(&lines.join("\n"))
    }
    Ok(Exit::Holds)
}

fn download(names: &[String], options: &Options) -> Outcome {
    let bar = ProgressBar::no_length();
    let style =
        ProgressStyle::with_template("  {msg} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec} (about {eta} left)");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let terminal = std::io::stderr().is_terminal();
    for source in sources_named(names)? {
        let mut tenth = 0;
        let fetched = fetch(&source, options, &mut |event| match event {
            Event::Present(a) => note(&format!("{}: in place already", a.name)),
            Event::Unpacked(a) => bar.suspend(|| note(&format!("{}: verified and unpacked", a.name))),
            Event::Received(a, bytes) if terminal => {
                bar.set_length(a.bytes);
                bar.set_message(a.name.clone());
                bar.set_position(bytes);
            }
            Event::Received(a, bytes) => {
                let now = bytes * 10 / a.bytes.max(1);
                if now != tenth && a.bytes > 1 << 23 {
                    note(&format!("{}: {} of {}", a.name, megabytes(bytes), megabytes(a.bytes)));
                }
                tenth = now;
            }
        });
        bar.finish_and_clear();
        fetched?;
        say(&format!("{} is whole: {}", source.name, options.dest.join(&source.folder).display()));
    }
    Ok(Exit::Holds)
}

fn check(names: &[String], json: bool, dest: &Path) -> Outcome {
    let (mut lines, mut rows, mut good) = (vec![], vec![], 0);
    for source in sources_named(names)? {
        let files = verify(&source, dest)?;
        if names.is_empty() && files.iter().all(|(_, state)| *state == State::Missing) {
            continue;
        }
        for (file, state) in &files {
            let path = dest.join(&source.folder).join(&file.name);
            let (said, why) = match state {
                State::Whole => ("whole", None),
                State::Missing => ("missing", None),
                State::Damaged(why) => ("damaged", Some(why)),
            };
            lines.push(format!("{}: {said}{}", path.display(), why.map_or(String::new(), |w| format!(": {w}"))));
            rows.push(serde_json::json!({ "set": source.name, "path": path, "state": said, "why": why }));
            good += usize::from(*state == State::Whole);
        }
    }
    let checked = rows.len();
    if checked == 0 {
        let message =
            "there is no data set. Get one with `implicit-bias data fetch NAME`, or name its folder with --dest DIR";
        return Err(InputError::new(message).at(dest.display()));
    }
    lines.push(format!("{good} of {checked} files are whole"));
    if json {
        say_json(rows)
    } else {
        say(&lines.join("\n"))
    }
    if good < checked {
        note("Remove the damaged files and fetch the set again: `implicit-bias data fetch NAME`.");
    }
    Ok(if good == checked { Exit::Holds } else { Exit::ClaimFails })
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
