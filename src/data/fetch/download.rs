use super::check::Hash;
use super::{Archive, Event, Options, Source};
use crate::error::{InputError, Result};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, Instant};
use ureq::http::{Response, header};
use ureq::{Agent, Body};

/// The least bytes a second, over every stretch of the patience: what is slower is given up.
const SLOWEST: f64 = 1024.0;
/// How often a connection that breaks off after some progress is taken up again.
const TRIES: usize = 10;

/// Brings `file` up to the archive, from the first address that gives it, and verifies it.
pub(super) fn download(
    source: &Source,
    archive: &Archive,
    file: &mut File,
    options: &Options,
    tell: &mut dyn FnMut(Event),
) -> Result<()> {
    let mirror = options.mirror.map(str::to_owned);
    let addresses = mirror.as_ref().map_or(source.addresses.as_slice(), std::slice::from_ref);
    let mut download = Download { agent: agent(options.patience), archive, file, patience: options.patience, tell };
    let mut reasons = vec![];
    for address in addresses {
        let url = format!("{}/{}", address.trim_end_matches('/'), archive.name);
        match download.from(&url) {
            Ok(()) => return Ok(()),
            Err(why) => reasons.push(format!("{url} {why}")),
        }
    }
    Err(InputError::new(format!(
        "{} cannot be fetched: {}. What came is kept, and the same command goes on from there. Without a way to these \
         addresses: name a mirror with --mirror URL; or put {} into {} by hand and run the command again; or use \
         scripts/fetch-data.sh, which needs package registries only.",
        source.name,
        reasons.join("; "),
        archive.name,
        options.dest.join(&source.folder).display()
    )))
}

fn agent(patience: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_resolve(Some(patience))
        .timeout_connect(Some(patience))
        .timeout_send_request(Some(patience))
        .timeout_recv_response(Some(patience))
        .timeout_per_read(Some(patience))
        .max_redirects(5)
        .user_agent(concat!("implicit-bias/", env!("CARGO_PKG_VERSION")));
    config.build().into()
}

/// Why a request did not give the rest of the archive.
enum Failure {
    /// The connection broke off: the next request may go on.
    Cut(String),
    /// Anything else.
    Final(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Final(on_disk(error))
    }
}

fn on_disk(error: io::Error) -> String {
    format!("cannot be kept on the disk ({error})")
}

struct Download<'a> {
    agent: Agent,
    archive: &'a Archive,
    file: &'a mut File,
    patience: Duration,
    tell: &'a mut dyn FnMut(Event),
}

impl Download<'_> {
    /// The archive from one address, verified.
    fn from(&mut self, url: &str) -> std::result::Result<(), String> {
        for _ in 0..TRIES {
            let before = self.length().map_err(on_disk)?;
            match self.transfer(url) {
                Ok(()) => {}
                Err(Failure::Cut(_)) if self.length().map_err(on_disk)? > before => continue,
                Err(Failure::Cut(why) | Failure::Final(why)) => return Err(why),
            }
            let found = self.hash().map_err(on_disk)?;
            if found == self.archive.sha256 {
                return Ok(());
            }
            self.file.set_len(0).map_err(on_disk)?;
            // What was here before may be to blame: once more, from the start.
            if before == 0 {
                return Err(format!("is another file: SHA-256 {found} instead of {}", self.archive.sha256));
            }
        }
        Err(format!("broke off or changed {TRIES} times"))
    }

    /// One request for what is missing.
    fn transfer(&mut self, url: &str) -> std::result::Result<(), Failure> {
        let whole = self.archive.bytes;
        let mut have = self.length()?;
        if have > whole {
            have = self.restart()?;
        }
        if have == whole {
            return Ok(());
        }
        let request = self.agent.get(url);
        let request = if have > 0 { request.header(header::RANGE, format!("bytes={have}-")) } else { request };
        let mut response = request.call().map_err(|e| Failure::Final(format!("cannot be had ({e})")))?;
        // A server that knows no ranges sends everything.
        let start = if response.status() == 206 { first_byte(&response) } else { Some(0) };
        let start = start.filter(|s| [0, have].contains(s));
        let start = start.ok_or_else(|| Failure::Final("answers with another range than asked for".into()))?;
        let wrong_size = |found| Failure::Final(format!("is another file: {found} bytes instead of {whole}"));
        if let Some(rest) = response.body().content_length().filter(|rest| start.checked_add(*rest) != Some(whole)) {
            return Err(wrong_size(start.saturating_add(rest).to_string()));
        }
        if start != have {
            have = self.restart()?;
        }
        let mut body = response.body_mut().as_reader();
        let (mut buffer, mut since, mut received) = (vec![0; 1 << 16], Instant::now(), 0);
        while have < whole {
            let n = body.read(&mut buffer).map_err(|e| match ureq::Error::from(e) {
                ureq::Error::Timeout(_) => {
                    Failure::Final(format!("was silent for {:?} at byte {have} of {whole}", self.patience))
                }
                e => Failure::Cut(format!("broke off at byte {have} of {whole} ({e})")),
            })?;
            have += n as u64;
            if n == 0 {
                return Err(Failure::Cut(format!("broke off at byte {have} of {whole}")));
            }
            if have > whole {
                self.restart()?;
                return Err(wrong_size(format!("{have} or more")));
            }
            self.file.write_all(&buffer[..n])?;
            (self.tell)(Event::Received(self.archive, have));
            received += n;
            let seconds = since.elapsed();
            if seconds > self.patience {
                if (received as f64) < SLOWEST * seconds.as_secs_f64() {
                    return Err(Failure::Final(format!("is slower than 1 KiB/s at byte {have} of {whole}")));
                }
                (since, received) = (Instant::now(), 0);
            }
        }
        Ok(())
    }

    fn restart(&mut self) -> io::Result<u64> {
        self.file.set_len(0).map(|()| 0)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn hash(&mut self) -> io::Result<String> {
        let mut hash = Hash::new();
        self.file.rewind()?;
        io::copy(&mut hash.of(&mut *self.file), &mut io::sink())?;
        Ok(hash.hex())
    }
}

/// Of a partial answer.
fn first_byte(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
