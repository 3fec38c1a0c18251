//! Types the commands of the README at the top of the repository from top to
//! bottom, starting with an empty cluster, and after the installation those of
//! the page on monitoring.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandbox::{company::Company, insightful::Insightful, okta::Okta};

use crate::{
    eventually,
    monitoring::install_prometheus_operator,
    newcomer::{NAME, Newcomer},
    pages::{DOCS, commands, page},
};

/// A newcomer with a kubeconfig of their own, whose current namespace changes.
struct Reader {
    newcomer: Newcomer,
    kubeconfig: PathBuf,
    /// Variables that are set in the shell first.
    environment: String,
}

impl Reader {
    async fn arrive(okta: &Okta, insightful: &Insightful) -> Self {
        let newcomer = Newcomer::arrive(okta, insightful).await;
        let kubeconfig = newcomer.directory.join("kubeconfig");
        fs::copy(newcomer.plane.admin_kubeconfig(), &kubeconfig).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/integration.yaml");
        let example = fs::read_to_string(example).unwrap();
        let (spec, org, account) = ("\nspec:\n", "https://acme.okta.com", "\n  insightful:\n");
        assert!([spec, org, account].iter().all(|part| example.contains(part)));
        let example = example
            .replace(org, &okta.url())
            .replace(account, &format!("{account}    url: {}\n", insightful.url()))
            // The first plan is held.
            .replace(spec, &format!("{spec}  guard: {{maxTeamMoves: 0}}\n"));
        let examples = newcomer.directory.join("examples");
        fs::create_dir(&examples).unwrap();
        fs::write(examples.join("integration.yaml"), example).unwrap();
        let environment = format!(
            "export ALLOW_HTTP_LOOPBACK=true \
             OKTA_API_TOKEN={} INSIGHTFUL_API_TOKEN={}",
            okta.token(),
            insightful.token()
        );
        Self {
            newcomer,
            kubeconfig,
            environment,
        }
    }

    /// Types a command of a page, with real names instead of placeholders.
    /// Returns its standard output.
    async fn types(&self, command: &str) -> String {
        // `--watch` never ends; the test waits for the phase afterwards.
        let mut command = command.replace(" --watch", "");
        command = command.replace("jane@acme.com", "jane.doe@acme.com");
        if command.contains("insightful review ") {
            command = command_with(
                "--no-browser",
                &format!("timeout --preserve-status --signal=INT 3 {command}"),
            );
        }
        if command.contains("insightful finalize ") || command.contains("insightful approve ") {
            // There is nobody to ask.
            command = command_with("--yes", &command);
        }
        if command.starts_with("okta-insightful-operator plan") {
            // 2 means that there are changes.
            command = format!("{{ {command}\n}} || [ $? = 2 ]");
        }
        self.plain(&command).await
    }

    async fn plain(&self, command: &str) -> String {
        let script = format!("{}\n{command}", self.environment);
        let output = self.newcomer.types_as(&self.kubeconfig, &script).await;
        output.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Types metrics.md in a cluster with the Prometheus operator.
    async fn enables_monitoring(&self) {
        install_prometheus_operator(&self.newcomer.plane).await;
        let typed = commands(&page(&format!("{DOCS}/metrics.md")));
        assert!(!typed.is_empty());
        for command in typed {
            self.types(&command).await;
        }
        let made = "kubectl get podmonitors,prometheusrules,configmaps --all-namespaces -o name";
        let made = self.plain(made).await;
        for object in [
            format!("podmonitor.monitoring.coreos.com/{NAME}"),
            format!("prometheusrule.monitoring.coreos.com/{NAME}"),
            format!("configmap/{NAME}-dashboard"),
        ] {
            assert!(made.lines().any(|line| line == object), "no {object} in {made}");
        }
        let image = format!("kubectl -n {NAME} get deployment {NAME} -o jsonpath='{{..image}}'");
        let image = self.plain(&image).await;
        assert!(
            image.starts_with("REGISTRY/"),
            "an upgrade keeps the values: {image}"
        );
    }
}

/// Adds a flag before the comment of a command.
fn command_with(flag: &str, command: &str) -> String {
    match command.split_once(" #") {
        Some((command, _)) => format!("{} {flag}", command.trim_end()),
        None => format!("{command} {flag}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_can_be_typed_from_top_to_bottom() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    insightful.configure(|settings| settings.limit = 100_000);
    let reader = Reader::arrive(&okta, &insightful).await;
    let mut operator = None;
    let mut typed = Vec::new();
    for command in commands(&page("README.md")) {
        if command.starts_with("cargo ") {
            // tests/documentation checks where these run.
            continue;
        }
        if command.contains("insightful approve ") {
            // A later plan that exceeds the guard.
            okta.edit(|org| {
                org.remove_member("Engineering", "jane.doe");
                org.add_member("Sales", "jane.doe");
            });
            let request = "kubectl annotate oi acme integrations.insightful.io/sync-requested-at=now";
            reader.plain(request).await;
            reader.newcomer.wait_for_phase("Held").await;
        }
        let text = reader.types(&command).await;
        typed.push((command.clone(), text));
        if command.starts_with("helm install") {
            reader.enables_monitoring().await;
            operator = Some(reader.newcomer.start_operator().await);
        }
        if command.contains("--watch") {
            reader.newcomer.wait_for_phase("Review").await;
        }
        if command.contains("insightful plan ") {
            let writes = insightful.journal().writes();
            assert_eq!(writes.len(), 0, "nothing is written before it is finalized");
        }
        if command.contains("insightful finalize ") || command.contains("insightful approve ") {
            reader.newcomer.wait_for_phase("InSync").await;
            assert!(!insightful.journal().writes().is_empty());
            insightful.journal().clear();
        }
        if command.contains("delete oi") {
            eventually("the removal of the matches", async || {
                reader.plain("kubectl get em -o name").await.is_empty()
            })
            .await;
        }
    }
    assert_eq!(typed.len(), 18, "{typed:#?}");
    let answer = |part: &str| {
        &typed
            .iter()
            .find(|(command, _)| command.contains(part))
            .unwrap()
            .1
    };
    assert!(answer("helm install").contains("STATUS: deployed"));
    assert!(answer("insightful status").contains("kubectl insightful review acme"));
    assert!(answer("insightful review").contains("http://127.0.0.1:"));
    assert!(answer("insightful plan").contains("sha256:"));
    assert!(answer("insightful decide").contains("Ignore"));
    assert!(answer("delete oi").contains("deleted"));
    for plan in ["--integration", "--from"] {
        let plan = answer(&format!("operator plan {plan}"));
        assert!(plan.contains("people shown"), "{plan}");
    }
    operator.unwrap().stop().await.unwrap();
    reader.newcomer.plane.stop().await.unwrap();
}
