//! A child process that never outlives this process, even if a panic, Ctrl-C or `SIGKILL` ends it.
//!
//! Each program runs under a supervisor, a shell script in a process group of its own that reads from a pipe whose
//! other end only this process holds. When the pipe closes, the supervisor stops the program. Ctrl-C in a terminal
//! signals the foreground process group only, which the program is not part of.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// Arguments: the tenths of a second between TERM and KILL, a directory to remove at the end (or an empty string),
/// the program and its arguments. Prints the program's process id. Each line of its input is a signal for the program.
///
/// It sleeps a tenth of a second at a time, so that no long `sleep` outlives it.
const SUPERVISOR: &str = r#"
tenths=$1 remove=$2
shift 2
exec 3<&0
"$@" </dev/null >&2 3<&- &
program=$!
echo "$program"
exec >&2
(
    while read -r signal; do kill -s "$signal" "$program"; done <&3
    kill -s TERM "$program"
    while [ "$tenths" -gt 0 ]; do sleep 0.1; tenths=$((tenths - 1)); done
    kill -s KILL "$program"
) 2>/dev/null &
watcher=$!
wait "$program" 2>/dev/null
status=$?
kill "$watcher" 2>/dev/null
[ -z "$remove" ] || rm -rf "$remove"
exit "$status"
"#;

const POLL: Duration = Duration::from_millis(10);

/// How a program is stopped.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The time between TERM and KILL, in whole tenths of a second.
    pub grace: Duration,
    /// A directory to remove after the program has ended for any reason.
    pub remove: Option<PathBuf>,
}

impl Default for Ending {
    /// Five seconds of grace.
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            remove: None,
        }
    }
}

/// A running program that ends with this process at the latest. Dropping it stops the program and blocks until it has
/// exited; [`stop`](Self::stop) does the same without blocking the thread.
#[derive(Debug)]
pub struct ChildProcess {
    supervisor: Child,
    /// The program is stopped when this is closed.
    lifeline: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

impl ChildProcess {
    /// Starts `command` without input and with all output appended to the file `log`; its own standard streams are
    /// ignored. A program that is missing from `PATH` exits with 127 instead of an error.
    pub fn spawn(command: &Command, log: impl Into<PathBuf>, ending: &Ending) -> io::Result<Self> {
        let program = Path::new(command.get_program());
        if program.components().count() > 1 && !program.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{} is not a file", program.display()),
            ));
        }
        let log = log.into();
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let tenths = ending.grace.as_millis() / 100;

        let mut supervisor = Command::new("/bin/sh");
        supervisor
            .args(["-c", SUPERVISOR, "supervisor", &tenths.to_string()])
            .arg(ending.remove.as_ref().map_or_else(OsString::new, OsString::from))
            .arg(program)
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output)
            .process_group(0);
        if let Some(directory) = command.get_current_dir() {
            supervisor.current_dir(directory);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => supervisor.env(name, value),
                None => supervisor.env_remove(name),
            };
        }

        let mut supervisor = supervisor.spawn()?;
        let lifeline = supervisor.stdin.take();
        let mut line = String::new();
        if let Some(answer) = supervisor.stdout.take() {
            BufReader::new(answer).read_line(&mut line)?;
        }
        let pid = line.trim().parse().map_err(|_| {
            io::Error::other(format!(
                "the supervisor of {} did not start it",
                program.display()
            ))
        })?;
        Ok(Self {
            supervisor,
            lifeline,
            pid,
            log,
        })
    }

    /// The process id of the program, not of its supervisor.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last `lines` lines of the log; empty if it cannot be read.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut tail: Vec<&str> = text.lines().rev().take(lines).collect();
        tail.reverse();
        tail.join("\n")
    }

    /// The exit status if the program has exited; as in a shell, 128 plus the signal's number for a killed program.
    pub fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.supervisor.try_wait()
    }

    pub fn has_exited(&mut self) -> bool {
        matches!(self.exit_status(), Ok(Some(_)))
    }

    /// Waits until the program exits.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Stops the program by TERM, and by KILL after the grace period.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        self.lifeline = None;
        self.wait().await
    }

    /// Pauses the program by `SIGSTOP`. It does not exit before it is resumed or killed.
    pub fn pause(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// Resumes a paused program.
    pub fn resume(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let mut kill = Command::new("kill");
        let status = kill.args(["-s", name, &self.pid.to_string()]).status()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("cannot send {name} to {}", self.pid)))
    }

    /// Kills the program by `SIGKILL`, as a crash would, and waits until it has exited.
    pub async fn kill(&mut self) -> io::Result<ExitStatus> {
        if let Some(lifeline) = &mut self.lifeline
            && let Err(error) = lifeline.write_all(b"KILL\n")
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(error);
        }
        self.wait().await
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.lifeline = None;
        while matches!(self.exit_status(), Ok(None)) {
            thread::sleep(POLL);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is a test failure")]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn is_alive(pid: u32) -> bool {
        let status = Command::new("kill")
            .args(["-0", &pid.to_string()])
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }

    async fn logged(process: &ChildProcess, text: &str) {
        while !process.log_tail(5).contains(text) {
            tokio::time::sleep(POLL).await;
        }
    }

    #[tokio::test]
    async fn the_exit_status_and_the_output_are_available() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = shell("echo $WORD; echo $PWD >&2; exit 3");
        command.env("WORD", "out").current_dir(directory.path());
        let log = directory.path().join("log");
        let mut process = ChildProcess::spawn(&command, log, &Ending::default()).unwrap();
        assert_eq!(process.wait().await.unwrap().code(), Some(3));
        assert!(process.has_exited());
        let place = directory.path().display();
        assert_eq!(process.log_tail(2), format!("out\n{place}"));
        assert_eq!(process.log_tail(1), place.to_string());
        assert_eq!(process.kill().await.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn stop_kills_the_program_after_the_grace_period() {
        let directory = tempfile::tempdir().unwrap();
        let ending = Ending {
            grace: Duration::from_millis(300),
            remove: None,
        };

        let polite = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
        let process = ChildProcess::spawn(&polite, directory.path().join("polite"), &ending).unwrap();
        logged(&process, "ready").await;
        assert!(process.stop().await.unwrap().success());

        let deaf = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        let process = ChildProcess::spawn(&deaf, directory.path().join("deaf"), &ending).unwrap();
        logged(&process, "ready").await;
        let pid = process.pid();
        assert_eq!(process.stop().await.unwrap().code(), Some(128 + 9));
        assert!(!is_alive(pid));
    }

    #[tokio::test]
    async fn kill_ends_the_program_without_grace() {
        let directory = tempfile::tempdir().unwrap();
        let command = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
        let mut process =
            ChildProcess::spawn(&command, directory.path().join("log"), &Ending::default()).unwrap();
        logged(&process, "ready").await;
        assert!(is_alive(process.pid()));
        assert_eq!(process.kill().await.unwrap().code(), Some(128 + 9));
        assert!(!is_alive(process.pid()));
        assert_eq!(process.log_tail(5), "ready");
    }

    #[tokio::test]
    async fn a_paused_program_does_nothing_until_it_is_resumed() {
        let directory = tempfile::tempdir().unwrap();
        let command = shell("n=0; while :; do n=$((n + 1)); echo $n; sleep 0.01; done");
        let process =
            ChildProcess::spawn(&command, directory.path().join("log"), &Ending::default()).unwrap();
        logged(&process, "3").await;
        process.pause().unwrap();
        let last = process.log_tail(1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(process.log_tail(1), last);
        process.resume().unwrap();
        let next = last.parse::<u32>().unwrap() + 1;
        logged(&process, &next.to_string()).await;
    }

    #[test]
    fn drop_stops_the_program_and_removes_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        let ending = Ending {
            grace: Duration::ZERO,
            remove: Some(data.clone()),
        };
        let log = directory.path().join("log");
        let process = ChildProcess::spawn(&shell("exec sleep 600"), log, &ending).unwrap();
        let pid = process.pid();
        assert!(is_alive(pid) && data.exists());
        drop(process);
        assert!(!is_alive(pid));
        assert!(!data.exists());
    }

    #[test]
    fn a_missing_program_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let command = Command::new(directory.path().join("nothing"));
        let error =
            ChildProcess::spawn(&command, directory.path().join("log"), &Ending::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
