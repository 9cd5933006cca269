//! The program: see `implicit-bias --help`.

fn main() -> std::process::ExitCode {
    implicit_bias::cli::main()
}
