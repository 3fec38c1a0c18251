//! Names are from outside: none of them is markup, a formula or a direction on the page or in a table.

use serde_json::json;

use crate::{
    seed::{Company, employee, person},
    world::World,
};

const NAMES: [&str; 6] = [
    "<img src=x onerror=\"window.isHacked=true\">",
    "\"><script>window.isHacked=true</script>",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "\u{1b}[2J\u{1b}]0;gone\u{7}Eve",
    "\u{202e}nimda\u{2066}",
    "</bdi></h3></li></ol>{{ base.csrf }}\r\nSet-Cookie: a=b",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_harmless_text_everywhere() {
    let mut company = Company::default();
    for (place, name) in NAMES.into_iter().enumerate() {
        let (id, worker) = (format!("00u{place}"), format!("w{place}"));
        let row = person(&id, name)
            .review("SameNameOnly", &worker, name, 90)
            .candidate(&format!("x{place}"), name, 20)
            .says("NeedsDecision", name)
            .with(|status| {
                for path in ["person", "employee"] {
                    status[path]["team"] = json!(name);
                    status[path]["email"] = json!(name);
                }
                status["person"]["title"] = json!(name);
                status["person"]["status"] = json!(name);
                for candidate in status["proposal"]["candidates"].as_array_mut().unwrap() {
                    candidate["email"] = json!(name);
                    candidate["team"] = json!(name);
                    candidate["reasons"] = json!([name]);
                }
                status["proposal"]["reasons"] = json!([name]);
            })
            .changes(json!([{ "field": "team", "from": name, "to": name },
                { "field": "name", "from": name, "to": name }, { "field": "email", "from": name, "to": name }]))
            .decided(name, json!({ "note": name, "rejectedEmployeeIds": [format!("r{place}")] }));
        company.people.push(row);
        let free = employee(&format!("f{place}"), name)
            .nearest(&id, name, 12)
            .with(|employee| {
                employee["email"] = json!(name);
                employee["team"] = json!(name);
            });
        company.employees.push(free);
    }
    let world = World::with(&company).await;
    let (_, screen, page) = world.review().await;

    let check = async |what: &str| {
        let found: Vec<String> = page
            .eval(
                "[...document.querySelectorAll('img, script:not([src]), script[src]:not([src=\"/review.js\"]), iframe, svg, \
                 [onerror], [onload], [style]')].map((one) => one.outerHTML)",
            )
            .await;
        assert_eq!(found, Vec::<String>::new(), "{what}");
        assert!(!page.eval::<bool>("Boolean(window.isHacked)").await, "{what}");
        let hidden: Vec<String> = page
            .eval(
                "[...document.documentElement.outerHTML.matchAll(/[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]/g)]\
                 .map((one) => one[0].codePointAt(0).toString(16))",
            )
            .await;
        assert_eq!(hidden, Vec::<String>::new(), "{what}");
        page.assert_sound().await;
    };

    check("the list").await;
    let shown = page.texts(".row h3").await;
    assert!(shown.contains(&NAMES[0].to_owned()), "{shown:?}");
    assert!(
        shown.contains(&"\\u{1b}[2J\\u{1b}]0;gone\\u{7}Eve".to_owned()),
        "{shown:?}"
    );
    assert!(shown.contains(&"\\u{202e}nimda\\u{2066}".to_owned()), "{shown:?}");
    page.shoot("names").await;

    // Staged, with a type-ahead and the question who loses the employee.
    page.click("#r-00u0 .opener").await;
    page.fill("#q-00u0", "f1").await;
    page.wait("document.querySelector('#h-00u0 [role=option]')").await;
    check("the hits of a search").await;
    page.press(&["Enter"]).await;
    page.wait_for_text("#staged", "1 not saved").await;
    page.goto(&screen.url("/?open=00u2")).await;
    page.fill("#q-00u2", "f1").await;
    page.wait("document.querySelector('#h-00u2 [role=option]')").await;
    page.press(&["Enter"]).await;
    page.wait("document.querySelector('#ask').open").await;
    check("the question").await;
    page.press(&["Escape"]).await;

    let paths = [
        "/unsaved",
        "/people/00u0",
        "/people/00u1",
        "/people/00u3",
        "/people/%3Cimg%20src=x%3E",
        "/employees",
        "/employees?for=00u1&q=f",
        "/people?for=f1&q=0",
        "/plan",
        "/?tab=everybody&text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&team=%3Cimg%20src=x%3E",
    ];
    for path in paths {
        page.goto(&screen.url(path)).await;
        check(path).await;
    }
    page.goto(&screen.url("/")).await;
    page.follow("button:text(of this filter…)").await;
    check("the sheet").await;

    let table: String = page
        .eval("fetch('/export.csv?tab=everybody').then((answer) => answer.text())")
        .await;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), NAMES.len());
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        assert!(
            !cell
                .chars()
                .any(|character| character.is_control() || character == '\u{202e}'),
            "{cell:?}"
        );
    }

    // Nothing of them is in what the program prints.
    let printed = screen.printed();
    assert_eq!(printed.lines().count(), 2, "{printed}");
}
