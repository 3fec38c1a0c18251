//! The tour's output: headings, text, commands with their output, and the checks that passed.

use std::io::{IsTerminal as _, Write as _};

/// Wide enough for kubectl's tables, narrow enough for most terminals.
const WIDTH: usize = 120;

/// The width of paragraphs.
const TEXT: usize = 100;

/// Standard output, with colours on a terminal only.
#[derive(Clone, Copy)]
pub struct Screen {
    colours: bool,
    width: usize,
}

impl Screen {
    /// `NO_COLOR` turns colours off. `COLUMNS` sets the width at which the lines of tables are cut.
    pub fn new() -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let asked_for = std::env::var("COLUMNS").ok().and_then(|value| value.parse().ok());
        let terminal = || comfy_table::Table::new().width();
        Self {
            colours: std::io::stdout().is_terminal() && !forbidden,
            width: asked_for.or_else(terminal).map_or(WIDTH, usize::from).max(TEXT),
        }
    }

    pub fn chapter(&self, title: &str) {
        let rule = "─".repeat(TEXT.saturating_sub(title.chars().count() + 4));
        self.line(&format!(
            "\n{}",
            self.painted("1;36", &format!("── {title} {rule}"))
        ));
    }

    /// A paragraph.
    pub fn say(&self, text: &str) {
        self.line("");
        for line in wrapped(text, TEXT) {
            self.line(&line);
        }
    }

    /// A command as a person types it.
    pub fn command(&self, words: &[String]) {
        // An option and its value are not separated.
        let mut together: Vec<String> = Vec::new();
        for word in words {
            match together.last_mut() {
                Some(last) if last.len() == 2 && last.starts_with('-') => *last = format!("{last} {word}"),
                _ => together.push(word.clone()),
            }
        }
        let lines = filled(together.iter().map(String::as_str), self.width - 6);
        self.line("");
        for (number, line) in lines.iter().enumerate() {
            let begin = if number == 0 { "$" } else { "   " };
            let end = if number + 1 < lines.len() { " \\" } else { "" };
            self.line(&self.painted("1", &format!("{begin} {line}{end}")));
        }
    }

    /// The first `rows` lines of a command's output, each cut at the screen's width.
    pub fn output(&self, text: &str, rows: usize) {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        // "… and 1 more" would take as much room as the line itself.
        let shown = if lines.len() <= rows + 1 {
            lines.len()
        } else {
            rows
        };
        for line in &lines[..shown] {
            self.line(&cut(line, self.width));
        }
        if shown < lines.len() {
            self.line(&self.painted("2", &format!("… and {} more", lines.len() - shown)));
        }
    }

    /// A command's output, wrapped.
    pub fn text(&self, text: &str) {
        for line in text.trim_end().lines() {
            for line in wrapped(line, self.width) {
                self.line(&line);
            }
        }
    }

    /// A check that passed.
    pub fn checked(&self, text: &str) {
        let lines = wrapped(text, TEXT - 2);
        for (number, line) in lines.iter().enumerate() {
            let mark = if number == 0 {
                self.painted("32", "✓")
            } else {
                " ".to_owned()
            };
            self.line(&format!("{mark} {line}"));
        }
    }

    /// The reason why the tour ends early.
    pub fn failed(&self, why: &str) {
        // Keeps the order where both streams go to one file.
        let _ = std::io::stdout().flush();
        eprintln!("\n{} {why}", self.painted("1;31", "The tour failed:"));
    }

    /// Ctrl-C.
    pub fn interrupted(&self) {
        self.line("\nInterrupted. Everything was stopped and removed.");
    }

    /// A line, unchanged. Errors are ignored: the reader may close the pipe at any time.
    pub fn line(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Cuts the line to `width` characters.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.trim_end().to_owned();
    }
    let start: String = line.chars().take(width - 1).collect();
    format!("{}…", start.trim_end())
}

/// Breaks the text at spaces into lines of at most `width`. The first line keeps its indentation.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indentation = " ".repeat(text.len() - text.trim_start().len());
    let mut lines = filled(text.split_whitespace(), width - indentation.len());
    lines[0].insert_str(0, &indentation);
    lines
}

/// Joins the words to lines of at most `width`. Returns at least one line.
fn filled<'a>(words: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces_only() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("  indented text", 12), ["  indented", "text"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn a_cut_line_ends_with_an_ellipsis() {
        assert_eq!(cut("Jörg Müller  ", 20), "Jörg Müller");
        assert_eq!(cut("Jörg Müller", 8), "Jörg Mü…");
    }
}
