//! The programs that are not built here: a Chromium and axe-core. What is missing is got once, into `target/`.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The names under which a Chromium is installed.
const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// Gets a browser without an installer. The last version of it that runs with the Node.js of Debian 12.
const INSTALLER: &str = "@puppeteer/browsers@2.10.10";

/// Rules for accessible pages.
const AXE: &str = "axe-core@4.14.1";

/// The browser: what `CHROME` names, an installed one, or one that npm gets.
pub fn chrome() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("CHROME") {
        return Ok(PathBuf::from(named));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path).collect();
    let installed = NAMES
        .iter()
        .flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    if let Some(installed) = installed.into_iter().find(|program| program.is_file()) {
        return Ok(installed);
    }
    let missing = |why: String| {
        format!(
            "there is no Chromium ({why}): install one with `apt-get install --yes chromium`, or name one in CHROME"
        )
    };
    fetched_chrome().map_err(missing)
}

fn fetched_chrome() -> Result<PathBuf, String> {
    let place = target("chrome")?;
    let record = place.join("program");
    let _lock = lock(&place)?;
    if let Ok(program) = fs::read_to_string(&record) {
        return Ok(PathBuf::from(program));
    }
    let arguments = [
        "--yes",
        INSTALLER,
        "install",
        "chrome-headless-shell@stable",
        "--path",
    ];
    let printed = run(Command::new("npx").args(arguments).arg(&place))?;
    // Such as `chrome-headless-shell@141.0.7390.122 /…/chrome-headless-shell`.
    let line = printed.lines().last().unwrap_or_default();
    let (_, program) = line
        .split_once(' ')
        .ok_or_else(|| format!("unexpected output {printed:?}"))?;
    fs::write(&record, program).map_err(|error| error.to_string())?;
    Ok(PathBuf::from(program))
}

/// The script of axe-core.
pub fn axe() -> Result<String, String> {
    let place = target("axe")?;
    let script = place.join("node_modules/axe-core/axe.min.js");
    let _lock = lock(&place)?;
    let prefix = place.display().to_string();
    let arguments = [
        "install",
        "--no-save",
        "--ignore-scripts",
        "--prefix",
        &prefix,
        AXE,
    ];
    let wanted = format!("\"version\": \"{}\"", AXE.split_once('@').unwrap_or_default().1);
    let is_there = fs::read_to_string(script.with_file_name("package.json"))
        .is_ok_and(|package| package.contains(&wanted));
    if !is_there {
        let missing = |why: String| {
            let command = arguments.join(" ");
            format!("there is no axe-core ({why}): get it with `npm {command}`")
        };
        run(Command::new("npm").args(arguments)).map_err(missing)?;
    }
    fs::read_to_string(&script).map_err(|error| format!("there is no {} ({error})", script.display()))
}

/// A directory of this name in `target/`.
fn target(name: &str) -> Result<PathBuf, String> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(name);
    fs::create_dir_all(&place).map_err(|error| format!("cannot create {}: {error}", place.display()))?;
    Ok(place)
}

/// Held while something is got, since several processes may run the tests.
fn lock(place: &Path) -> Result<File, String> {
    let path = place.join("lock");
    let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| format!("cannot lock {}: {error}", path.display()))
}

fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => {
            let printed = String::from_utf8_lossy(&output.stderr);
            let first = printed.lines().find(|line| !line.trim().is_empty());
            Err(format!("{program} failed: {}", first.unwrap_or_default().trim()))
        }
    }
}
