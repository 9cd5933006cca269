use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::experiment::{ResolvedSpec, Size, Spec, judge};
use crate::record::table::{Cell, Table};
use crate::record::{Manifest, SUMMARY_COLUMNS, Store};
use crate::report::table::verdict_table;
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// Only this paper
    paper: Option<String>,
    /// Results folder
    #[arg(long, value_name = "DIR", default_value = "results")]
    from: PathBuf,
}

pub fn run(arguments: &Arguments) -> Outcome {
    let mut worst = Exit::Holds;
    let mut judged = vec![];
    for folder in Store::records(&arguments.from, arguments.paper.as_deref())? {
        let Some(manifest) = Store::manifest(&folder)? else { continue };
        let spec = stored_spec(&manifest).map_err(|e| e.at(folder.join("record.toml").display()))?;
        let runs = Table::read(&folder.join("runs.csv"))?;
        if runs.rows.len() != manifest.runs {
            return Err(InputError::value(
                "runs.csv",
                format!("{} rows long", runs.rows.len()),
                &format!("{} rows long", manifest.runs),
                "Restore the file or run the experiment again.",
            )
            .at(folder.display()));
        }
        let rows = judge(&spec, &runs)?;
        worst = worst.max(exit_of(&spec, &runs, &rows));
        judged.extend(rows);
    }
    if judged.is_empty() {
        return Err(InputError::new(format!(
            "no records under {}. Make some with `implicit-bias reproduce`, or name another folder with --from DIR",
            arguments.from.display()
        )));
    }
    print(&judged);
    Ok(worst)
}

fn stored_spec(manifest: &Manifest) -> Result<ResolvedSpec> {
    let spec = Spec::parse(&manifest.spec, "spec")?;
    let size = [Size::Smoke, Size::Quick, Size::Full].into_iter().find(|s| s.name() == manifest.size);
    let size =
        size.ok_or_else(|| InputError::value("size", &manifest.size, "smoke, quick or full", "Restore the record."))?;
    let resolved = spec.resolve(&format!("{}/{}", manifest.paper, manifest.experiment), size)?;
    if resolved.hash != manifest.spec_hash {
        return Err(InputError::value(
            "spec_hash",
            &manifest.spec_hash,
            &resolved.hash,
            "The stored spec was changed after the run; run the experiment again.",
        ));
    }
    Ok(resolved)
}

/// The verdict table and a line that counts.
pub fn print(rows: &[Vec<Cell>]) {
    let mut table = Table::new(SUMMARY_COLUMNS);
    rows.iter().for_each(|r| table.push(r.clone()));
    let count = |verdict: &str| rows.iter().filter(|r| r[8].text() == verdict).count();
    say(&verdict_table(&table, 118, std::io::stdout().is_terminal()));
    say(&format!("{} claims hold, {} fail, {} not run at this size", count("holds"), count("fails"), count("not-run")));
}

/// 1 if a claim fails, 3 if a run diverged where none may.
pub fn exit_of(spec: &ResolvedSpec, runs: &Table, rows: &[Vec<Cell>]) -> Exit {
    let status = runs.column("status");
    let diverged = runs.rows.iter().any(|r| status.is_some_and(|s| r[s].text() == "diverged"));
    if diverged && !spec.spec.may_diverge {
        Exit::RunFailed
    } else if rows.iter().any(|r| r[8].text() == "fails") {
        Exit::ClaimFails
    } else {
        Exit::Holds
    }
}
