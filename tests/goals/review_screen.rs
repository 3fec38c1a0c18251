//! The program for reviewers with 10,000 people: the pages, the search, a decision on the screen, the command, and memory.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use okta_insightful_operator::{
    api::{EmployeeMatch, MatchState, Phase},
    review::PersonView,
};
use reqwest::{Client, header};
use sandbox::{
    company::Company,
    control_plane::child_process::{ChildProcess, Ending},
};
use serde_json::json;

use crate::{figure, first_proposals::no_limits, process, until, world::World};

const PEOPLE: usize = 10_000;
const TIMEOUT: Duration = Duration::from_secs(600);
const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-insightful");

/// The screen, as the browser that opened it.
struct Browser {
    client: Client,
    /// Without a path.
    address: String,
    cookie: String,
    csrf: String,
    process: ChildProcess,
}

impl Browser {
    async fn open(world: &World) -> Self {
        let mut command = Command::new(PROGRAM);
        command
            .args(["review", "--no-browser", "-n", &world.namespace])
            .env("KUBECONFIG", world.plane.admin_kubeconfig())
            .env_remove("HTTPS_PROXY");
        let log = world.plane.directory().join("screen.log");
        let process = ChildProcess::spawn(&command, &log, &Ending::default()).unwrap();
        let started = Instant::now();
        let opened = loop {
            let printed = process.log_tail(10);
            if let Some((_, address)) = printed.split_once("The review screen: ")
                && let Some(address) = address.lines().next()
            {
                break address.to_owned();
            }
            assert!(
                started.elapsed() < TIMEOUT,
                "the screen does not start: {printed}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let answer = client.get(&opened).send().await.unwrap();
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let address = opened.split("/?").next().unwrap().to_owned();
        let mut browser = Self {
            client,
            address,
            cookie,
            csrf: String::new(),
            process,
        };
        let (page, _) = browser.get("/").await;
        let (_, csrf) = page.split_once("name=\"csrf\" value=\"").unwrap();
        browser.csrf = csrf.split('"').next().unwrap().to_owned();
        browser
    }

    /// A page or a fragment, and the time until its first byte.
    async fn get(&self, path: &str) -> (String, Duration) {
        let started = Instant::now();
        let mut request = self
            .client
            .get(format!("{}{path}", self.address))
            .header(header::COOKIE, &self.cookie);
        if path.contains("for=") {
            request = request.header("x-fragment", "1");
        }
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let first_byte = started.elapsed();
        (answer.text().await.unwrap(), first_byte)
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) {
        let fields = [fields, &[("csrf", self.csrf.as_str())]].concat();
        let answer = self
            .client
            .post(format!("{}{path}", self.address))
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, &self.address)
            .header("sec-fetch-site", "same-origin")
            .header("x-fragment", "1")
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap()
        );
    }
}

/// The median and the greatest of some times, in milliseconds.
fn summary(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    format!(
        "{:.0} ms (median of {}; slowest {:.0} ms)",
        milliseconds(times[times.len() / 2]),
        times.len(),
        milliseconds(times[times.len() - 1])
    )
}

pub async fn measure() {
    let world = World::prepared_with(Company::generate(PEOPLE, 1), no_limits()).await;
    world.activate(json!({})).await;
    until(&world, "the review", TIMEOUT, |status| {
        status.phase == Some(Phase::Review)
    })
    .await;
    let matches = world.matches().await;
    let mut sure: Vec<&EmployeeMatch> = matches
        .values()
        .filter(|object| PersonView::new(object).state() == Some(MatchState::Proposed))
        .collect();
    sure.sort_by_key(|object| object.spec.okta_user_id.clone());

    let started = Instant::now();
    let browser = Browser::open(&world).await;
    figure(
        "Start of the review screen, 10,000 people",
        "",
        format!("{:.1} s until its first page", started.elapsed().as_secs_f64()),
    );
    let mut pages = Vec::new();
    for path in [
        "/",
        "/?tab=everybody",
        "/?tab=everybody&page=50&text=a",
        "/plan",
        "/employees",
    ] {
        for _ in 0..4 {
            pages.push(browser.get(path).await.1);
        }
    }
    figure("First byte of a page, 10,000 people", "200 ms", summary(pages));

    let someone = &sure[0].spec.okta_user_id;
    let mut searches = Vec::new();
    for object in sure.iter().step_by(300).take(20) {
        let name = PersonView::new(object).name();
        let word: String = name.chars().take(4).collect();
        let path = format!("/employees?for={someone}&q={word}");
        searches.push(browser.get(&path).await.1);
    }
    figure(
        "Type-ahead over all employees, 10,000 people",
        "50 ms",
        summary(searches),
    );

    let mut effects = Vec::new();
    for object in sure.iter().step_by(400).take(10) {
        let id = object.spec.okta_user_id.as_str();
        browser
            .post("/decide", &[("person", id), ("decision", "Ignore")])
            .await;
        browser.post("/save", &[]).await;
        let saved = Instant::now();
        while !browser
            .get(&format!("/people/{id}"))
            .await
            .0
            .contains("<b>Ignored</b>")
        {
            assert!(saved.elapsed() < TIMEOUT, "{id} shows no effect");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        effects.push(saved.elapsed());
    }
    figure(
        "A decision on the screen after its save, 10,000 people",
        "1 s",
        summary(effects),
    );
    let pid = browser.process.pid();
    figure(
        "Memory of the review screen, 10,000 people",
        "150 MB",
        format!(
            "{} MB, {} MB at most",
            process::memory(pid, "VmRSS:"),
            process::memory(pid, "VmHWM:")
        ),
    );
    browser.process.stop().await.unwrap();

    for (what, by) in [
        (
            "by id",
            (|object| object.spec.okta_user_id.clone()) as fn(&EmployeeMatch) -> String,
        ),
        ("by name", |object| PersonView::new(object).name().to_owned()),
    ] {
        let mut times = Vec::new();
        for object in sure.iter().skip(7).step_by(500).take(10) {
            let started = Instant::now();
            let arguments = ["decide", &by(object), "ignore", "-n", &world.namespace];
            let succeeded = run(&world, &arguments).await;
            let took = started.elapsed();
            // A name may be that of several people: then the question who is meant took as long.
            if succeeded {
                run(
                    &world,
                    &[
                        "decide",
                        &object.spec.okta_user_id,
                        "reset",
                        "-n",
                        &world.namespace,
                    ],
                )
                .await;
            }
            times.push(took);
        }
        figure(
            &format!("`kubectl insightful decide` {what}, 10,000 people"),
            "300 ms",
            summary(times),
        );
    }
}

async fn run(world: &World, arguments: &[&str]) -> bool {
    let mut command = Command::new(PROGRAM);
    command
        .args(arguments)
        .env("KUBECONFIG", world.plane.admin_kubeconfig())
        .env_remove("HTTPS_PROXY")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    output.unwrap().status.success()
}
