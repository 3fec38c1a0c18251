//! A headless Chromium that all tests share, driven by the DevTools protocol over a pipe.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::Command,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use sandbox::control_plane::child_process::{ChildProcess, Ending};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use crate::tools;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

const ARGUMENTS: [&str; 15] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // All tests but one are in the background.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--lang=en-US",
    "--window-size=1280,900",
];

/// The browser reads commands from descriptor 3 and writes to descriptor 4.
const ON_PIPES: &str = r#"exec 3<"$1" 4>"$2"; shift 2; exec "$@""#;

pub struct Chrome {
    process: ChildProcess,
    to: Mutex<Writer>,
    shared: Arc<Shared>,
}

struct Writer {
    pipe: File,
    next: u64,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    /// Scripts that failed, by session.
    failures: Mutex<HashMap<String, Vec<String>>>,
}

impl Chrome {
    /// The browser of this process, which ends with it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Chrome, String>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(chrome) => chrome,
            Err(why) => panic!("{why}"),
        }
    }

    fn start() -> Result<Self, String> {
        let program = tools::chrome()?;
        let failed = |error: std::io::Error| format!("cannot start {}: {error}", program.display());
        let place = tempfile::Builder::new()
            .prefix("review-browser-")
            .tempdir()
            .map_err(failed)?
            .keep();
        let [to, from] = ["to", "from"].map(|name| place.join(name));
        let made = Command::new("mkfifo")
            .args([&to, &from])
            .status()
            .map_err(failed)?;
        assert!(made.success(), "mkfifo failed in {}", place.display());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", ON_PIPES, "sh"])
            .args([&to, &from])
            .arg(&program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", place.join("profile").display()))
            .env("HOME", &place);
        let ending = Ending {
            remove: Some(place.clone()),
            ..Ending::default()
        };
        let process = ChildProcess::spawn(&command, place.join("log"), &ending).map_err(failed)?;
        // In the order in which the shell opens them: each waits for the other side.
        let pipe = File::options().write(true).open(&to).map_err(failed)?;
        let answers = File::open(&from).map_err(failed)?;
        let shared = Arc::new(Shared::default());
        let reader = shared.clone();
        thread::spawn(move || reader.read(answers));
        Ok(Self {
            process,
            to: Mutex::new(Writer { pipe, next: 0 }),
            shared,
        })
    }

    /// Sends a command without waiting for its answer.
    pub fn send(&self, session: Option<&str>, method: &str, params: Value) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        let mut to = self.to.lock();
        to.next += 1;
        let mut command = json!({ "id": to.next, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.shared.waiting.lock().insert(to.next, sender);
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        if to.pipe.write_all(&bytes).is_err() {
            self.shared.waiting.lock().clear();
        }
        receiver
    }

    /// Sends a command, and returns its result or the browser's message.
    pub async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, String> {
        let answer = timeout(ANSWER_TIMEOUT, self.send(session, method, params)).await;
        let answer = answer.unwrap_or_else(|_| panic!("the browser does not answer {method}"));
        let Ok(mut answer) = answer else {
            panic!("the browser has ended:\n{}", self.process.log_tail(20));
        };
        match answer.get("error") {
            Some(error) => Err(error["message"].as_str().unwrap_or_default().to_owned()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Returns the scripts of a session that failed since the last call.
    pub fn failures(&self, session: &str) -> Vec<String> {
        self.shared.failures.lock().remove(session).unwrap_or_default()
    }
}

impl Shared {
    fn read(&self, answers: File) {
        for message in BufReader::new(answers).split(0) {
            let Ok(message) = message else { break };
            let Ok(message) = serde_json::from_slice::<Value>(&message) else {
                continue;
            };
            if let Some(id) = message["id"].as_u64() {
                if let Some(sender) = self.waiting.lock().remove(&id) {
                    // Nobody waits for the answer of `send`.
                    let _ = sender.send(message);
                }
            } else if message["method"] == "Runtime.exceptionThrown"
                && let Some(session) = message["sessionId"].as_str()
            {
                let details = &message["params"]["exceptionDetails"];
                let text = details["exception"]["description"].as_str();
                let text = text.or(details["text"].as_str()).unwrap_or_default().to_owned();
                self.failures
                    .lock()
                    .entry(session.to_owned())
                    .or_default()
                    .push(text);
            }
        }
        self.waiting.lock().clear();
    }
}

/// The directory for pictures of the pages, if `SHOTS` names one.
pub fn shots() -> Option<&'static Path> {
    static SHOTS: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
    SHOTS
        .get_or_init(|| std::env::var_os("SHOTS").map(Into::into))
        .as_deref()
}
