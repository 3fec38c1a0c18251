//! Who may use the screen, by HTTP: only the browser that was opened, from the page itself.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, Ipv6Addr},
};

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use okta_insightful_operator::api::{EmployeeMatch, match_name};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::json;

use crate::{
    decisions::BEFORE,
    seed::{Company, person},
    world::{NAME, Screen, World},
};

/// The source of the routes, so that none is forgotten here.
const ROUTES: &str = include_str!("../../src/plugin/screen/serve.rs");

/// The paths that take this method.
fn paths(method: &str) -> BTreeSet<String> {
    let routes = ROUTES
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".route(\""));
    let routes = routes.map(|route| route.split_once("\", ").unwrap());
    let call = format!("{method}(");
    let paths: BTreeSet<String> = routes
        .filter(|(_, handlers)| handlers.split('.').any(|handler| handler.starts_with(&call)))
        .map(|(path, _)| path.replace("{id}", "00uAda"))
        .collect();
    assert!(paths.len() > 5, "{paths:?}");
    paths
}

/// A client without cookies of its own.
fn client() -> Client {
    // The provider is chosen once for the process.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// Somebody who opened the address.
struct Browser<'a> {
    client: Client,
    screen: &'a Screen,
    cookie: String,
    form_token: String,
}

impl<'a> Browser<'a> {
    async fn open(screen: &'a Screen) -> Self {
        let client = client();
        let admitted = client.get(&screen.address).send().await.unwrap();
        assert_eq!(admitted.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            admitted.headers()[LOCATION],
            "/",
            "the token leaves the address bar"
        );
        let cookie = admitted.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let (cookie, _) = cookie.split_once(';').unwrap();
        let mut browser = Self {
            client,
            screen,
            cookie: cookie.to_owned(),
            form_token: String::new(),
        };
        let page = browser.get("/").await.text().await.unwrap();
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let (token, _) = rest.split_once('"').unwrap();
        assert_eq!(token.len(), 43, "256 bits");
        browser.form_token = token.to_owned();
        browser
    }

    async fn get(&self, path: &str) -> Response {
        let request = self
            .client
            .get(self.screen.url(path))
            .header(COOKIE, &self.cookie);
        request.send().await.unwrap()
    }

    /// A form as the page sends it.
    fn post(&self, path: &str, token: &str) -> RequestBuilder {
        let request = self
            .client
            .post(self.screen.url(path))
            .header(COOKIE, &self.cookie)
            .header(ORIGIN, &self.screen.origin)
            .header("sec-fetch-site", "same-origin");
        match path {
            "/import" => {
                let part = |name: &str, more: &str, value: &str| {
                    format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
                };
                let table = "okta_user_id,decision,employee_ids\n00uBen,Create,\n";
                let table = part("table", "; filename=\"t.csv\"", table);
                request
                    .header(CONTENT_TYPE, "multipart/form-data; boundary=x")
                    .body(format!("{}{table}--x--\r\n", part("csrf", "", token)))
            }
            _ => request.form(&[
                ("csrf", token),
                ("person", "00uBen"),
                ("decision", "Ignore"),
                ("keep", "theirs"),
                ("hash", crate::seed::HASH),
                ("of", "SameNameOnly"),
                ("pair", "00uBen=wBen@x"),
            ]),
        }
    }

    /// How many decisions are staged.
    async fn staged(&self) -> String {
        let page = self.get("/").await.text().await.unwrap();
        let (_, rest) = page.split_once("<a href=\"/unsaved\">").unwrap();
        let (staged, _) = rest.split_once("</a>").unwrap();
        staged.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_page_itself_can_write() {
    let world = World::acme().await;
    let admin = world.account("admin", "admin").await;
    let screen = world.screen(&admin).await;
    let browser = Browser::open(&screen).await;
    // Something to save, to discard and to take back.
    let staged = browser
        .post("/decide", &browser.form_token)
        .form(&[
            ("csrf", browser.form_token.as_str()),
            ("person", "00uAda"),
            ("decision", "Ignore"),
        ])
        .send()
        .await
        .unwrap();
    assert_eq!(staged.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.staged().await, "<b>1</b> not saved");

    let (_, port) = screen.origin.rsplit_once(':').unwrap();
    for path in paths("post") {
        let token = browser.form_token.as_str();
        let post = |token: &str| browser.post(&path, token).build().unwrap();
        let with = |name: &'static str, value: Option<&str>| {
            let mut request = post(token);
            match value {
                Some(value) => drop(request.headers_mut().insert(name, value.parse().unwrap())),
                None => drop(request.headers_mut().remove(name)),
            }
            request
        };
        let other_port = format!("127.0.0.1:{}", port.parse::<u16>().unwrap() ^ 1);
        for (what, request) in [
            ("a foreign host", with(HOST.as_str(), Some("evil.example"))),
            (
                "a foreign name with this port",
                with(HOST.as_str(), Some(&format!("evil.example:{port}"))),
            ),
            ("another port", with(HOST.as_str(), Some(&other_port))),
            ("no cookie", with(COOKIE.as_str(), None)),
            (
                "a wrong cookie",
                with(COOKIE.as_str(), Some(&format!("insightful-review-{port}=x"))),
            ),
            (
                "a foreign origin",
                with(ORIGIN.as_str(), Some("https://evil.example")),
            ),
            ("a null origin", with(ORIGIN.as_str(), Some("null"))),
            ("no origin", with(ORIGIN.as_str(), None)),
            (
                "the origin of another port",
                with(ORIGIN.as_str(), Some(&format!("http://{other_port}"))),
            ),
            ("no fetch metadata", with("sec-fetch-site", None)),
            ("another site", with("sec-fetch-site", Some("cross-site"))),
            ("a neighbour", with("sec-fetch-site", Some("same-site"))),
            ("a wrong form token", post("x")),
            ("no form token", post("")),
        ] {
            let answer = browser.client.execute(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} with {what}");
            assert_headers(&answer, &path);
        }
    }
    assert_eq!(browser.staged().await, "<b>1</b> not saved");
    assert_eq!(world.decisions().await, BEFORE);
    let spec = world.integration().await.spec;
    assert!(!spec.finalized && spec.approved_plan.is_none());

    // With everything, it does.
    let saved = browser.post("/save", &browser.form_token).send().await.unwrap();
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    assert_eq!(world.decision("00uAda").await, "Ignore");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_browser_that_was_opened_can_read_and_no_response_has_the_kubeconfigs_token() {
    let world = World::acme().await;
    let reviewer = world.account("reviewer", "reviewer").await;
    let screen = world.screen(&reviewer).await;
    let anybody = client();
    for path in paths("get") {
        let answer = anybody.get(screen.url(&path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} without a cookie");
    }
    let wrong = screen.url("/?token=x");
    assert_eq!(
        anybody.get(&wrong).send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    // A foreign name does not use the token up.
    let foreign = anybody.get(&screen.address).header(HOST, "evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);

    let browser = Browser::open(&screen).await;
    let again = anybody.get(&screen.address).send().await.unwrap();
    assert_eq!(
        again.status(),
        StatusCode::FORBIDDEN,
        "the token is good for one use"
    );

    let (_, port) = screen.origin.rsplit_once(':').unwrap();
    let mut answers = vec![("/", again)];
    let gets = paths("get");
    for path in gets.iter().filter(|path| *path != "/live") {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let request = browser
                .client
                .get(screen.url(path))
                .header(COOKIE, &browser.cookie);
            let answer = request
                .header(HOST, format!("{host}:{port}"))
                .send()
                .await
                .unwrap();
            assert!(
                !answer.status().is_client_error() || path == "/people",
                "{host} {path}: {}",
                answer.status()
            );
            answers.push((path, answer));
        }
        let request = browser
            .client
            .get(screen.url(path))
            .header(COOKIE, &browser.cookie);
        let answer = request
            .header(HOST, format!("evil.example:{port}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        answers.push((path, answer));
    }
    // What is not there, what is no method, and what cannot be done.
    for (path, method) in [
        ("/nothing", Method::GET),
        ("/people/00uNobody", Method::GET),
        ("/people?for=wNobody", Method::GET),
        ("/employees?for=00uNobody", Method::GET),
        ("/decide", Method::GET),
        (
            "/?tab=nothing&page=99&from=x&evidence=x&field=x&open=x",
            Method::GET,
        ),
        ("/api/v1/namespaces/default/secrets", Method::GET),
        ("/../../../../etc/passwd", Method::GET),
    ] {
        let request = browser
            .client
            .request(method, screen.url(path))
            .header(COOKIE, &browser.cookie);
        answers.push((path, request.send().await.unwrap()));
    }
    for path in [
        "/decide",
        "/save",
        "/sheet",
        "/take-back",
        "/resolve",
        "/bulk",
        "/finish",
        "/import",
    ] {
        answers.push((
            path,
            browser.post(path, &browser.form_token).send().await.unwrap(),
        ));
    }
    for (path, answer) in answers {
        assert_headers(&answer, path);
        let headers = format!("{:?}", answer.headers());
        let body = answer.text().await.unwrap();
        assert!(
            !headers.contains(&reviewer.token) && !body.contains(&reviewer.token),
            "{path}"
        );
        assert!(!body.contains("root:x:"), "{path}");
    }
    let mut live = browser.get("/live").await;
    assert_headers(&live, "/live");
    assert_eq!(live.headers()[CONTENT_TYPE], "text/event-stream");
    world
        .set_status("00uAda", serde_json::json!({ "state": "Unmatched" }))
        .await;
    let event = live.chunk().await.unwrap().unwrap();
    let event = String::from_utf8(event.to_vec()).unwrap();
    assert!(
        event.contains("event: changed") && !event.contains("Ada"),
        "{event}"
    );
    let printed = screen.printed();
    assert!(
        !printed.contains(&reviewer.token) && !printed.contains("Ada"),
        "{printed}"
    );
}

#[track_caller]
fn assert_headers(answer: &Response, path: &str) {
    let header = |name: &str| {
        let value = answer
            .headers()
            .get(name)
            .unwrap_or_else(|| panic!("{path} has no {name}"));
        value.to_str().unwrap()
    };
    let policy = header("content-security-policy");
    for part in [
        "default-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(header("cache-control"), "no-store", "{path}");
    assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    assert!(
        answer.headers().get("access-control-allow-origin").is_none(),
        "{path}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_listens_on_loopback_only() {
    let world = World::acme().await;
    let reviewer = world.account("reviewer", "reviewer").await;
    let screen = world.screen(&reviewer).await;
    let pid = screen.process.pid();
    let sockets: BTreeSet<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .filter_map(|link| {
            let link = link
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?
                .to_owned();
            Some(link)
        })
        .collect();
    let mut listening = Vec::new();
    for table in ["tcp", "tcp6"] {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap();
        for line in table.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // State 0A is LISTEN.
            if columns[3] == "0A" && sockets.contains(columns[9]) {
                listening.push(columns[1].to_owned());
            }
        }
    }
    let (_, port) = screen.origin.rsplit_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    // In the order of the machine's bytes, four at a time.
    let words = |bytes: &[u8]| -> String {
        let words = bytes
            .chunks(4)
            .map(|word| u32::from_ne_bytes(word.try_into().unwrap()));
        words.map(|word| format!("{word:08X}")).collect()
    };
    let loopback = [
        format!("{}:{port:04X}", words(&Ipv4Addr::LOCALHOST.octets())),
        format!("{}:{port:04X}", words(&Ipv6Addr::LOCALHOST.octets())),
    ];
    assert!(listening.contains(&loopback[0]), "{listening:?}");
    assert!(
        listening.iter().all(|address| loopback.contains(address)),
        "{listening:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_person_says_who_decided_and_what_was_written() {
    let mut company = Company::acme();
    company
        .people
        .push(person("00uPia", "Pia Pohl").sure("wPia", 99).with(|status| {
            status["applied"] =
                json!({ "employeeIds": ["wPia"], "time": "2026-05-04T08:30:00Z", "created": true });
        }));
    let world = World::with(&company).await;
    // After the decision with `kubectl insightful`, whose annotations stay.
    let api: Api<EmployeeMatch> = Api::namespaced(world.client.clone(), &world.namespace);
    let params = PatchParams {
        field_manager: Some("kubectl-patch".to_owned()),
        ..PatchParams::default()
    };
    let ignore = json!({ "spec": { "decision": "Ignore", "employeeIds": [] } });
    api.patch(&match_name(NAME, "00uHugo"), &params, &Patch::Merge(ignore))
        .await
        .unwrap();
    let reviewer = world.account("reviewer", "reviewer").await;
    let screen = world.screen(&reviewer).await;
    let browser = Browser::open(&screen).await;
    for (id, says, says_not) in [
        ("00uKate", "<b><bdi>ann</bdi></b> decided: ", "somebody"),
        (
            "00uHugo",
            "<b><bdi>somebody with kubectl-patch</bdi></b> decided: ",
            "ann</bdi>",
        ),
        ("00uAda", "<p>Decision: ", " decided: "),
        ("00uJack", "<bdi>Engineering</bdi>", "nothing was written"),
        ("00uPia", "<bdi>invited</bdi>", "nothing was written"),
    ] {
        let page = browser.get(&format!("/people/{id}")).await.text().await.unwrap();
        assert!(
            page.contains(says) && !page.contains(says_not),
            "{id}: {says}: {page}"
        );
    }
}
