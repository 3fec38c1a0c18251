//! A sitting of 150 decisions in a company of 3,000 people, by keyboard alone.

use std::collections::BTreeMap;

use serde_json::json;
use tokio::time::Instant;

use crate::{
    page::Page,
    seed::{Company, employee, person},
    world::World,
};

const PEOPLE: usize = 3_000;

/// How many wait for each reason, with the keys of one decision.
const WAITING: [(&str, usize, &[&str]); 5] = [
    ("SameEmailAndName", 30, &["Enter"]),
    ("SameNameOtherEmail", 25, &["Enter"]),
    ("SameNameOnly", 50, &["Enter"]),
    // The second candidate is the right one.
    ("PartialName", 25, &["2", "Enter"]),
    // Nobody fits: they are invited.
    ("", 20, &["c"]),
];

fn company() -> Company {
    let mut company = Company::default();
    for (evidence, count, _) in WAITING {
        for number in 0..count {
            let place = company.people.len();
            let name = format!("Waiting Person{place:04}");
            let mut person = person(&format!("00uw{place:04}"), &name);
            if !evidence.is_empty() {
                let confidence = 95 - i32::try_from(number).unwrap() / 2;
                person = person
                    .review(evidence, &format!("ww{place:04}"), &name, confidence)
                    .candidate(&format!("wx{place:04}"), &format!("W Person{place:04}"), 30)
                    .candidate(&format!("wy{place:04}"), &format!("Person{place:04} W"), 10);
            }
            company.people.push(person);
        }
    }
    for place in company.people.len()..PEOPLE {
        let mut person = person(&format!("00us{place:04}"), &format!("Sure Person{place:04}"))
            .sure(&format!("ws{place:04}"), 99);
        if place % 8 == 0 {
            person = person.changes(json!([{ "field": "team", "from": "Default", "to": "Engineering" }]));
        }
        company.people.push(person);
    }
    for place in 0..40 {
        company.employees.push(employee(
            &format!("wf{place:04}"),
            &format!("Free Employee{place:04}"),
        ));
    }
    company
}

/// Presses keys and counts them.
struct Hands<'a> {
    page: &'a Page,
    presses: usize,
}

impl Hands<'_> {
    async fn press(&mut self, keys: &[&str]) {
        self.presses += keys.len();
        self.page.press(keys).await;
    }

    /// Moves the focus by Tab or Shift+Tab until it is on an element, and presses Enter there.
    async fn activate(&mut self, key: &str, condition: &str) {
        let mut tabs = 0;
        while !self
            .page
            .eval::<bool>(&format!(
                "Boolean(document.activeElement.matches({}))",
                json!(condition)
            ))
            .await
        {
            self.press(&[key]).await;
            tabs += 1;
            assert!(tabs < 200, "{condition} is not reached by {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_fifty_decisions_of_three_thousand_people_are_made_by_keyboard() {
    let company = company();
    let world = World::with(&company).await;
    let (_, _screen, page) = world.review().await;
    let begin = Instant::now();
    let mut hands = Hands {
        page: &page,
        presses: 0,
    };

    // To everybody who waits.
    hands.activate("Tab", "#counts a[href$='tab=waiting']").await;
    hands.presses += 1;
    page.leave(page.press(&["Enter"])).await;
    page.shoot("3000-waiting-light-1280").await;

    let keys = WAITING
        .iter()
        .flat_map(|(_, count, keys)| std::iter::repeat_n(*keys, *count));
    for (place, keys) in keys.enumerate() {
        if place > 0 && !page.has("[data-waits]").await {
            // The next page of the list.
            save(&mut hands).await;
            hands.presses += 1;
            page.leave(page.press(&["]"])).await;
        }
        let row: String = page.eval("document.querySelector('.is-current').id").await;
        hands.press(keys).await;
        page.wait(format!(
            "document.querySelector('#{row}.is-staged:not([aria-busy=true])') && \
             (document.querySelector('.is-current').id !== '{row}' || !document.querySelector('[data-waits]'))"
        ))
        .await;
    }
    save(&mut hands).await;
    let all = begin.elapsed();

    let decided = world.decisions().await;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for decision in &decided {
        // Such as `00uw0130 Match wx0130`: the letters of the employee's id are the place of the candidate.
        let words: Vec<&str> = decision.split(' ').collect();
        let kind = words.get(2).map_or("", |employee| &employee[..2]);
        *kinds.entry(format!("{} {kind}", words[1])).or_default() += 1;
    }
    assert_eq!(
        kinds,
        BTreeMap::from([
            ("Create ".to_owned(), 20),
            ("Match ww".to_owned(), 105),
            ("Match wx".to_owned(), 25)
        ])
    );
    page.assert_sound().await;
    // Visible with --nocapture.
    println!(
        "150 decisions of 3,000 people: {} key presses, {:.1} s to the last saved decision",
        hands.presses,
        all.as_secs_f64()
    );
}

async fn save(hands: &mut Hands<'_>) {
    hands.press(&["s"]).await;
    hands.page.wait_for_text("#staged", "Everything is saved").await;
}
