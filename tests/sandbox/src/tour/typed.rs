//! Shows and runs the commands that a person would type.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use sandbox::control_plane::Program;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{Failure, Screen};

#[derive(Clone)]
pub struct Terminal {
    pub screen: Screen,
    /// The working directory.
    pub directory: PathBuf,
    pub kubeconfig: PathBuf,
    /// Where kubectl finds the program for reviewers.
    pub programs: PathBuf,
}

impl Terminal {
    /// Runs kubectl. Shows the command and the first `rows` lines of its output.
    pub async fn show(&self, arguments: &[&str], rows: usize) -> Result<String, Failure> {
        self.screen.command(&words("kubectl", arguments));
        let output = self.kubectl(arguments).await?;
        self.screen.output(&output, rows);
        Ok(output)
    }

    /// Runs `kubectl insightful`. Shows the command and the first `rows` lines of its output.
    pub async fn insightful(&self, arguments: &[&str], rows: usize) -> Result<String, Failure> {
        self.show(&[&["insightful"], arguments].concat(), rows).await
    }

    /// Runs kubectl. Shows the command and its output as wrapped text.
    pub async fn show_text(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.screen.command(&words("kubectl", arguments));
        let output = self.kubectl(arguments).await?;
        self.screen.text(&output);
        Ok(output)
    }

    /// Runs kubectl without showing it.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.run(Program::Kubectl, arguments).await
    }

    /// Runs kubectl without showing it, and returns its output as JSON.
    pub async fn json(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let output = self.kubectl(&all).await?;
        serde_json::from_str(&output).map_err(|error| Failure::Command {
            command: line("kubectl", &all),
            output: format!("invalid JSON: {error}"),
        })
    }

    /// Runs helm in the workspace. Shows the command and the first `rows` lines of its output.
    pub async fn show_helm(&self, arguments: &[&str], rows: usize) -> Result<String, Failure> {
        self.screen.command(&words("helm", arguments));
        let output = self.run(Program::Helm, arguments).await?;
        self.screen.output(&output, rows);
        Ok(output)
    }

    /// Starts a kubectl command that runs until it is dropped, and shows it.
    pub fn follow(&self, arguments: &[&str]) -> Result<Followed, Failure> {
        let command_line = line("kubectl", arguments);
        self.screen.command(&words("kubectl", arguments));
        let failed = || Failure::io(format!("run `{command_line}`"));
        let mut child = self
            .command(Program::Kubectl, arguments)?
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed())?;
        let Some(stdout) = child.stdout.take() else {
            return Err(failed()(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Followed {
            lines: BufReader::new(stdout).lines(),
            _child: child,
        })
    }

    async fn run(&self, program: Program, arguments: &[&str]) -> Result<String, Failure> {
        let command_line = line(program.name(), arguments);
        let Output {
            status,
            stdout,
            stderr,
        } = self
            .command(program, arguments)?
            .output()
            .await
            .map_err(Failure::io(format!("run `{command_line}`")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if !status.success() {
            return Err(Failure::Command {
                command: command_line,
                output: text(&stderr).trim().to_owned(),
            });
        }
        // kubectl prints "No resources found" on standard error.
        Ok(text(&stdout) + &text(&stderr))
    }

    fn command(&self, program: Program, arguments: &[&str]) -> Result<Command, Failure> {
        let directory = if program == Program::Helm {
            workspace()
        } else {
            &self.directory
        };
        let mut command = program.command(&self.kubeconfig, &self.directory.join("home"))?;
        command
            .args(arguments)
            .env("PATH", &self.programs)
            .current_dir(directory)
            .stdin(Stdio::null());
        Ok(command)
    }
}

/// A running command. It is killed when dropped.
pub struct Followed {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Followed {
    /// The next line of output; None if the command has exited.
    pub async fn next(&mut self) -> Option<String> {
        self.lines.next_line().await.ok().flatten()
    }
}

/// The root of the repository.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The command line, quoted for a shell.
fn line(program: &str, arguments: &[&str]) -> String {
    words(program, arguments).join(" ")
}

/// The words of a command line, quoted for a shell where necessary.
pub fn words(program: &str, arguments: &[&str]) -> Vec<String> {
    let quoted = arguments.iter().map(|argument| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+%".contains(c);
        if !argument.is_empty() && argument.chars().all(is_plain) {
            return (*argument).to_owned();
        }
        // jsonpath='{.status}', not 'jsonpath={.status}'.
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) if name.chars().all(is_plain) => (format!("{name}="), value),
            _ => (String::new(), *argument),
        };
        format!("{name}'{}'", value.replace('\'', r"'\''"))
    });
    std::iter::once(program.to_owned()).chain(quoted).collect()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_command_can_be_copied_into_a_shell() {
        assert_eq!(line("kubectl", &["get", "oi,em"]), "kubectl get oi,em");
        assert_eq!(
            line("kubectl", &["-p", r#"{"spec":{"finalized":true}}"#]),
            r#"kubectl -p '{"spec":{"finalized":true}}'"#
        );
        assert_eq!(line("echo", &["it's", ""]), r"echo 'it'\''s' ''");
        assert_eq!(
            line("kubectl", &["-o", "jsonpath={.a}"]),
            "kubectl -o jsonpath='{.a}'"
        );
    }
}
