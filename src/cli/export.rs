use super::verify::no_records;
use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::experiment::matching;
use crate::record::{Store, write_file};
use crate::report::{self, Look, Story, Style, Theme, figure, tensorboard};
use clap::{Args, Subcommand, ValueEnum};
use std::fs;
use std::path::{Component, Path, PathBuf};

#[derive(Subcommand)]
pub enum Command {
    /// Jupyter notebooks that read the CSV, redraw the figures and assert every claim (Python, pandas, matplotlib)
    ///
    /// Examples:
    ///   implicit-bias export notebook
    ///   implicit-bias export notebook 09-decay-law --from results/full --out notebooks
    #[command(verbatim_doc_comment)]
    Notebook(Notebook),
    /// Figures drawn again in another look or format
    ///
    /// Example:
    ///   implicit-bias export figures 11-how-far --theme dark --style talk --format png
    #[command(verbatim_doc_comment)]
    Figures(Figures),
    /// One table per experiment: the trace with the parameters of each run
    ///
    /// Example:
    ///   implicit-bias export csv gunasekar2018 --out tables
    #[command(verbatim_doc_comment)]
    Csv(Tables),
    /// The same as Parquet (needs a build with `--features parquet`)
    ///
    /// Example:
    ///   implicit-bias export parquet gunasekar2018 --out tables
    #[command(verbatim_doc_comment)]
    Parquet(Tables),
    /// Traces as scalars for TensorBoard, at most 50 runs an experiment
    ///
    /// Example:
    ///   implicit-bias export tensorboard 11-how-far && tensorboard --logdir tensorboard-export
    #[command(verbatim_doc_comment)]
    Tensorboard(Tensorboard),
}

/// Which records.
#[derive(Args)]
struct Records {
    /// Papers, experiments or regular expressions; none means every record
    #[arg(value_name = "PAPER|EXPERIMENT|REGEX")]
    filters: Vec<String>,
    /// Results folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    from: PathBuf,
}

#[derive(Args)]
pub struct Notebook {
    #[command(flatten)]
    records: Records,
    /// Folder for <paper>/<experiment>.ipynb
    #[arg(long, value_name = "DIR", default_value = "notebooks-export")]
    out: PathBuf,
}

#[derive(Args)]
pub struct Figures {
    #[command(flatten)]
    records: Records,
    /// Ground and ink
    #[arg(long, value_enum, default_value_t = ThemeName::Light)]
    theme: ThemeName,
    /// Size of type: for a paper, or for slides
    #[arg(long, value_enum, default_value_t = StyleName::Paper)]
    style: StyleName,
    /// File format (pdf needs a build with `--features pdf`)
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    format: Format,
    /// Folder for <paper>/<experiment>/<figure>.<format>
    #[arg(long, value_name = "DIR", default_value = "figures-export")]
    out: PathBuf,
}

#[derive(Args)]
pub struct Tables {
    #[command(flatten)]
    records: Records,
    /// Folder for <paper>/<experiment>.csv or .parquet
    #[arg(long, value_name = "DIR", default_value = "tables-export")]
    out: PathBuf,
}

#[derive(Args)]
pub struct Tensorboard {
    #[command(flatten)]
    records: Records,
    /// Folder for <paper>/<experiment>/<run>/, the --logdir of TensorBoard
    #[arg(long, value_name = "DIR", default_value = "tensorboard-export")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum ThemeName {
    Light,
    Dark,
}

#[derive(Clone, Copy, ValueEnum)]
enum StyleName {
    Paper,
    Talk,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Svg,
    Png,
    Pdf,
}

pub fn run(command: &Command) -> Outcome {
    let (files, out) = match command {
        Command::Notebook(a) => (a.records.each(|id, folder| notebook(a, id, folder))?, &a.out),
        Command::Figures(a) => (a.records.each(|id, folder| figures(a, id, folder))?, &a.out),
        Command::Csv(a) => {
            let write = |id: &str, folder: &Path| {
                put(a.out.join(format!("{id}.csv")), report::tidy(folder)?.to_csv().as_bytes())
            };
            (a.records.each(write)?, &a.out)
        }
        Command::Parquet(a) => {
            let write =
                |id: &str, folder: &Path| put(a.out.join(format!("{id}.parquet")), &parquet(&report::tidy(folder)?)?);
            (a.records.each(write)?, &a.out)
        }
        Command::Tensorboard(a) => (a.records.each(|id, folder| scalars(a, id, folder))?, &a.out),
    };
    say(&format!("{files} files written under {}", out.display()));
    Ok(Exit::Holds)
}

impl Records {
    /// Calls `write` with the id and the folder of every record that is wanted; how many files it wrote in all.
    fn each(&self, write: impl Fn(&str, &Path) -> Result<usize>) -> Result<usize> {
        let folders = Store::records(&self.from, None)?;
        let part = |p: Option<&Path>| p.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        let id = |f: &PathBuf| [part(f.parent()), part(Some(f))].map(Option::unwrap_or_default).join("/");
        let ids: Vec<String> = folders.iter().map(id).collect();
        if ids.is_empty() {
            return Err(no_records(&self.from, None));
        }
        let wanted = matching(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &self.filters)?;
        ids.iter().zip(&folders).zip(wanted).filter(|(_, w)| *w).map(|((id, folder), _)| write(id, folder)).sum()
    }
}

fn put(path: PathBuf, bytes: &[u8]) -> Result<usize> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| InputError::new(e.to_string()).at(folder.display()))?;
    write_file(&path, bytes).map(|()| 1)
}

fn notebook(a: &Notebook, id: &str, folder: &Path) -> Result<usize> {
    let path = a.out.join(format!("{id}.ipynb"));
    let own = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(own).map_err(|e| InputError::new(e.to_string()).at(own.display()))?;
    let text = report::notebook(&a.records.from, folder, &relative(own, folder)?)?;
    put(path, text.as_bytes())
}

/// The way from one folder to another, with `/`.
fn relative(from: &Path, to: &Path) -> Result<String> {
    let whole = |p: &Path| p.canonicalize().map_err(|e| InputError::new(e.to_string()).at(p.display()));
    let (from, to) = (whole(from)?, whole(to)?);
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|c: Component| c.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

fn figures(a: &Figures, id: &str, folder: &Path) -> Result<usize> {
    let theme = if matches!(a.theme, ThemeName::Dark) { Theme::Dark } else { Theme::Light };
    let style = if matches!(a.style, StyleName::Talk) { Style::Talk } else { Style::Paper };
    let story = Story::read(folder)?;
    for spec in &story.figures {
        let svg = figure::render(folder, spec, Look { theme, style })?;
        let (ending, bytes) = match a.format {
            Format::Svg => ("svg", svg.into_bytes()),
            Format::Png => ("png", figure::png(&svg)?),
            Format::Pdf => ("pdf", pdf(&svg)?),
        };
        put(a.out.join(id).join(format!("{}.{ending}", spec.name)), &bytes)?;
    }
    Ok(story.figures.len())
}

fn scalars(a: &Tensorboard, id: &str, folder: &Path) -> Result<usize> {
    let (runs, total) = tensorboard::tensorboard(folder)?;
    if total > runs.len() {
        say(&format!("{id}: {} of {total} runs, evenly over the grid; the CSV has all", runs.len()));
    }
    runs.iter().map(|run| put(a.out.join(id).join(&run.name).join(tensorboard::EVENT_FILE), &run.bytes)).sum()
}

#[cfg(feature = "parquet")]
use report::parquet::parquet;

#[cfg(not(feature = "parquet"))]
fn parquet(_: &crate::record::table::Table) -> Result<Vec<u8>> {
    Err(without("parquet"))
}

#[cfg(feature = "pdf")]
use figure::pdf;

#[cfg(not(feature = "pdf"))]
fn pdf(_: &str) -> Result<Vec<u8>> {
    Err(without("pdf"))
}

#[cfg(not(all(feature = "parquet", feature = "pdf")))]
fn without(feature: &str) -> InputError {
    InputError::new(format!(
        "this program was built without `{feature}`. Build it with `cargo build --release --features {feature}`"
    ))
}
