//! The tour: one integration from the empty cluster to its deletion, as the
//! people live it who install it, review and keep watch. Whatever it shows it
//! also checks, so that it is a test too.

mod activate;
mod cast;
mod end;
mod failure;
mod finish;
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

/// Shows everything.
///
/// # Errors
/// When something is not as it should be, with what is there instead.
pub async fn run(arguments: &Arguments, screen: Screen) -> Result<(), Failure> {
    let is_acme = arguments.people.is_none();
    let company = match arguments.people {
        Some(people) => Company::generate(people as usize, arguments.seed),
        None => Company::acme(),
    };
    screen.chapter("What is started");
    screen.say(
        "A Kubernetes control plane of the stock programs, the operator, and emulators of Okta and Insightful \
         that are as strict as the services. All of it runs on this machine, under a temporary directory, and \
         ends with this tour. A first run builds the programs of the control plane, which takes minutes.",
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
        end::stay(&stage);
        // Until Ctrl-C, which ends it all.
        std::future::pending::<()>().await;
    }
    stage.stop().await?;
    screen.say(&format!(
        "That was the tour, in {} s. Everything is stopped and removed. `cargo run -p sandbox -- --keep` leaves it \
         up for you to go on.",
        begin.elapsed().as_secs()
    ));
    Ok(())
}

async fn play(stage: &mut Stage, keep: Option<Keep>) -> Result<(), Failure> {
    activate::install(stage).await?;
    activate::activate(stage).await?;
    let cast = review::what_waits(stage).await?;
    if keep == Some(Keep::Review) {
        return Ok(());
    }
    review::decide(stage, &cast).await?;
    let preview = review::preview(stage, &cast).await?;
    finish::finish(stage, &preview).await?;
    later::a_rename(stage, &cast).await?;
    if let Some(confused) = &cast.confused {
        wrong::a_wrong_match(stage, confused).await?;
        wrong::its_undo(stage, confused).await?;
        wrong::the_right_ones(stage, confused).await?;
    }
    later::a_leaver(stage, &cast).await?;
    if keep.is_none() {
        end::deactivate(stage).await?;
    }
    Ok(())
}
