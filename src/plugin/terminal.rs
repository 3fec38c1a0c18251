//! What is printed, and the questions that are asked. Texts from outside are shown by [`shown`].

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use anstyle::Style;

use super::PluginError;
use crate::model::text::shown;

const BOLD: Style = Style::new().bold();

/// Prints a line. A style is printed only on a terminal, and unless NO_COLOR is set.
pub fn line(text: impl Display) -> Result<(), PluginError> {
    writeln!(anstream::stdout(), "{text}").map_err(PluginError::Output)
}

pub fn heading(text: &str) -> Result<(), PluginError> {
    line(format_args!("{BOLD}{}{BOLD:#}", shown(text)))
}

/// Whether somebody can answer a question.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Prints a text as it is.
pub fn raw(text: &str) -> Result<(), PluginError> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(PluginError::Output)
}

/// Asks, and returns whether the answer is yes.
///
/// # Errors
/// Nobody can answer: `otherwise` says what to do.
pub fn confirm(question: &str, otherwise: &'static str) -> Result<bool, PluginError> {
    if !is_interactive() {
        return Err(PluginError::NobodyToAsk { otherwise });
    }
    let answer = ask(&format!("{question} Type yes to go on: "))?;
    Ok(answer.eq_ignore_ascii_case("yes") || answer.eq_ignore_ascii_case("y"))
}

/// Asks which of several is meant, and returns its place. None if the answer is none of them.
pub fn choose(question: &str, options: &[String]) -> Result<Option<usize>, PluginError> {
    line(shown(question))?;
    for (place, option) in options.iter().enumerate() {
        line(format_args!("  {}  {}", place + 1, shown(option)))?;
    }
    let answer = ask("Number: ")?;
    Ok(answer
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(1))
        .filter(|place| *place < options.len()))
}

fn ask(question: &str) -> Result<String, PluginError> {
    let mut out = io::stdout();
    write!(out, "{}", shown(question)).map_err(PluginError::Output)?;
    out.flush().map_err(PluginError::Output)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(PluginError::Output)?;
    Ok(answer.trim().to_owned())
}
