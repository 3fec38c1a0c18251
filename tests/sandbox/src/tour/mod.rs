//! The tour: the life of one integration from installation to deletion, from the view of the people who install,
//! review and operate it. It checks everything that it shows, so it is also a test.

mod activate;
mod cast;
mod end;
mod failure;
mod finalize;
mod later;
mod review;
mod screen;
mod stage;
mod typed;
mod writes;
mod wrong;

use std::time::Instant;

use sandbox::company::Company;

use crate::{Arguments, Keep};

use cast::Cast;
pub use failure::Failure;
use failure::ensure;
pub use screen::Screen;
use stage::Stage;

/// Runs the tour. Fails if anything differs from what the tour shows.
pub async fn run(arguments: &Arguments, screen: Screen) -> Result<(), Failure> {
    let is_acme = arguments.people.is_none();
    let company = match arguments.people {
        Some(people) => Company::generate(people as usize, arguments.seed),
        None => Company::acme(),
    };
    screen.chapter("Set up");
    screen.say(
        "The tour starts a real Kubernetes control plane, the operator, and emulators of Okta and Insightful. \
         Everything runs on this machine, in a temporary directory, and is removed at the end. The first run builds \
         the control plane, which takes a few minutes.",
    );
    let mut stage = Stage::build(screen, company, is_acme).await?;
    let begin = Instant::now();
    if let Err(failure) = play(&mut stage, arguments.keep).await {
        return Err(match stage.log_tail() {
            Some(log) => Failure::WithLog {
                failure: Box::new(failure),
                log,
            },
            None => failure,
        });
    }
    if arguments.keep.is_some() {
        end::keep_running(&stage);
        // Until Ctrl-C.
        std::future::pending::<()>().await;
    }
    stage.stop().await?;
    screen.say(&format!(
        "The tour is complete, after {} s. Everything was stopped and removed. To keep it running and try it \
         yourself, use `cargo run -p sandbox -- --keep`.",
        begin.elapsed().as_secs()
    ));
    Ok(())
}

async fn play(stage: &mut Stage, keep: Option<Keep>) -> Result<(), Failure> {
    activate::install(stage).await?;
    activate::activate(stage).await?;
    let cast = review::needs_review(stage).await?;
    if keep == Some(Keep::Review) {
        return Ok(());
    }
    review::decide(stage, &cast).await?;
    let preview = review::preview(stage, &cast).await?;
    finalize::finalize(stage, &preview).await?;
    later::rename(stage, &cast).await?;
    if let Some(confused) = &cast.confused {
        wrong::wrong_match(stage, confused).await?;
        wrong::unmatch(stage, confused).await?;
        wrong::right_matches(stage, confused).await?;
    }
    later::departure(stage, &cast).await?;
    if keep.is_none() {
        end::deactivate(stage).await?;
    }
    Ok(())
}
