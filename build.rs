//! Embeds the experiments (so that the program works anywhere) and states which commit and compiler built it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=experiments");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
    println!("cargo::rerun-if-env-changed=IMPLICIT_BIAS_COMMIT");

    let mut specs = String::from("[\n");
    for paper in sorted(&root.join("experiments"))? {
        for file in sorted(&paper)?.into_iter().filter(|f| f.extension().is_some_and(|e| e == "toml")) {
            println!("cargo::rerun-if-changed={}", file.display());
            let id = format!("{}/{}", name(&paper), name(&file.with_extension("")));
            specs += &format!("    ({id:?}, include_str!({:?})),\n", file.display().to_string());
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("experiments.rs"), specs + "]\n")?;

    let git = |arguments: &[&str]| output(Command::new("git").current_dir(&root).args(arguments));
    let commit = env::var("IMPLICIT_BIAS_COMMIT").ok().or_else(|| git(&["rev-parse", "HEAD"]));
    let dirty = git(&["status", "--porcelain", "--", "src", "experiments", "Cargo.toml", "Cargo.lock"]);
    println!("cargo::rustc-env=BUILD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILD_DIRTY={}", dirty.is_some_and(|d| !d.is_empty()));
    let rustc = output(Command::new(env::var_os("RUSTC").unwrap_or_default()).arg("--version"));
    println!("cargo::rustc-env=BUILD_RUSTC={}", rustc.as_deref().unwrap_or("unknown"));
    for (name, from) in [("TARGET", "TARGET"), ("FEATURES", "CARGO_CFG_TARGET_FEATURE"), ("OPT_LEVEL", "OPT_LEVEL")] {
        println!("cargo::rustc-env=BUILD_{name}={}", env::var(from).unwrap_or_default());
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let mut paths = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
