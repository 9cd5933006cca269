mod options;
mod plot;
mod summary;

pub use options::Arguments;

use super::interrupt::{Interrupt, watch};
use super::{Exit, Outcome, say};
use crate::error::{InputError, Result};
use crate::experiment::fit::{Fit, Fitted, Status};
use crate::record::write_file;

pub fn run(arguments: &Arguments) -> Outcome {
    let file = arguments.data()?;
    arguments.check_outputs()?;
    let dataset = file.read(arguments.shape())?;
    let (name, shape, y) = (dataset.name.clone(), dataset.shape.clone(), dataset.y.clone());
    let fit = Fit::new(dataset, arguments.spec())?;
    let view = summary::View { arguments, shape: &shape, names: file.names(), checked: fit.separability_checked() };
    let stop = watch(Interrupt::Report)?;

    let mut table = summary::IterationTable::default();
    if !arguments.json {
        say(&view.banner(&name, &y, &fit));
    }
    let fitted = fit.run(&stop, |now| {
        if let Some(line) = table.line(now).filter(|_| !arguments.json) {
            say(&line);
        }
    });
    if !arguments.json {
        if let Some(line) = table.last() {
            say(&line);
        }
        say(&view.summary(y.len(), &fitted));
    }
    write(arguments, &shape, &fitted)?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&fitted);
        say(&json.map_err(|e| InputError::new(format!("the result cannot be written as JSON: {e}")))?);
    }
    Ok(match fitted.status {
        Status::Diverged => Exit::RunFailed,
        Status::Interrupted => Exit::Interrupted,
        _ => Exit::Holds,
    })
}

/// The files that were asked for; of a run that diverged the trace alone.
fn write(arguments: &Arguments, shape: &[usize], fitted: &Fitted) -> Result<()> {
    if let Some(path) = &arguments.trace {
        write_file(path, fitted.trace.to_csv().as_bytes())?;
    }
    if fitted.status == Status::Diverged {
        return Ok(());
    }
    if let Some(path) = &arguments.predictor {
        let lines: String = fitted.predictor.iter().map(|b| format!("{b:?}\n")).collect();
        write_file(path, lines.as_bytes())?;
    }
    if let Some(path) = &arguments.plot {
        write_file(path, &plot::draw(path, shape, fitted)?)?;
    }
    Ok(())
}
