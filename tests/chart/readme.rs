//! The README at the top of the repository, typed into a shell from top to
//! bottom, by somebody who has a cluster and nothing in it; and, once the
//! operator is there, the page that says how it is scraped.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandbox::{company::Company, insightful::Insightful, okta::Okta};
use serde_json::Value;

use crate::{
    eventually,
    monitoring::install_prometheus_operator,
    newcomer::{NAME, Newcomer},
    pages::{DOCS, commands, page},
};

/// Who types, with a kubeconfig whose present namespace they change.
struct Reader {
    newcomer: Newcomer,
    kubeconfig: PathBuf,
    /// What is set in the shell beforehand.
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
            // So that the first plan is one that is held.
            .replace(spec, &format!("{spec}  guard: {{maxTeamMoves: 0}}\n"));
        let examples = newcomer.directory.join("examples");
        fs::create_dir(&examples).unwrap();
        fs::write(examples.join("integration.yaml"), example).unwrap();
        let environment = format!(
            "export ALLOW_HTTP_LOOPBACK=true KUBE_EDITOR='sed -i s/Auto/Ignore/' \
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

    /// Types a command of a page, with what is there in place of its names.
    /// Gives what it prints.
    async fn types(&self, command: &str) -> String {
        // It is waited for afterwards, for it does not end.
        let mut command = command.replace(" --watch", "");
        if command.contains(" NAME ") {
            let (name, employee) = self.somebody(Self::state_for(&command)).await;
            command = command
                .replace(" NAME ", &format!(" {name} "))
                .replace("EMPLOYEE_ID", &employee);
        }
        if command.contains("sha256:…") {
            let hash = self.plain("kubectl get oi acme -o jsonpath='{.status.plan.hash}'");
            command = command.replace("sha256:…", &hash.await);
        }
        if command.starts_with("okta-insightful-operator plan") {
            // With changes to make it ends with 2.
            command = format!("{{ {command}\n}} || [ $? = 2 ]");
        }
        self.plain(&command).await
    }

    async fn plain(&self, command: &str) -> String {
        let script = format!("{}\n{command}", self.environment);
        let said = self.newcomer.types_as(&self.kubeconfig, &script).await;
        said.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The state of somebody whom a command is meant for.
    fn state_for(command: &str) -> &'static str {
        if command.contains(r#""decision":"Create""#) {
            "Unmatched"
        } else if command.contains(r#""employeeIds":[]"#) {
            "Matched"
        } else {
            "Review"
        }
    }

    /// A match in this state that nobody has decided about yet, and the first
    /// employee that may be this person's.
    async fn somebody(&self, state: &str) -> (String, String) {
        let matches = self.plain("kubectl get em -o json").await;
        let matches: Value = serde_json::from_str(&matches).unwrap();
        let is_meant = |object: &&Value| {
            let spec = &object["spec"];
            object["status"]["state"] == state
                && spec["decision"] == "Auto"
                && spec["rejectedEmployeeIds"].is_null()
        };
        let found = matches["items"].as_array().unwrap().iter().find(is_meant);
        let found = found.unwrap_or_else(|| panic!("nobody is {state}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let candidate = &found["status"]["proposal"]["candidates"][0]["employeeId"];
        (text(&found["metadata"]["name"]), text(candidate))
    }

    /// The page that says what scrapes the operator, where the Prometheus operator is.
    async fn has_it_scraped(&self) {
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
        assert!(image.starts_with("REGISTRY/"), "what was set stays: {image}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_can_be_typed_from_top_to_bottom() {
    let company = Company::acme();
    let (okta, insightful) = (Okta::start(&company), Insightful::start(&company));
    insightful.configure(|settings| settings.limit = 100_000);
    let reader = Reader::arrive(&okta, &insightful).await;
    let mut operator = None;
    let mut said = Vec::new();
    for command in commands(&page("README.md")) {
        if command.starts_with("cargo ") {
            // The tour and the tests themselves: tests/documentation knows where each is run.
            continue;
        }
        let text = reader.types(&command).await;
        said.push((command.clone(), text));
        if command.starts_with("helm install") {
            reader.has_it_scraped().await;
            operator = Some(reader.newcomer.start_operator().await);
        }
        if command.contains("--watch") {
            reader.newcomer.wait_for_phase("Review").await;
        }
        if command.contains(r#""finalized":true"#) {
            reader.newcomer.wait_for_phase("Held").await;
            assert_eq!(
                insightful.journal().writes().len(),
                0,
                "nothing before the approval"
            );
        }
        if command.contains("approvedPlan") {
            reader.newcomer.wait_for_phase("InSync").await;
            assert!(!insightful.journal().writes().is_empty());
        }
        if command.contains("delete oi") {
            eventually("the end of the matches", async || {
                reader.plain("kubectl get em -o name").await.is_empty()
            })
            .await;
        }
    }
    assert!(said.len() > 25, "{said:#?}");
    let answer = |part: &str| &said.iter().find(|(command, _)| command.contains(part)).unwrap().1;
    assert!(answer("helm install").contains("STATUS: deployed"));
    assert!(answer("status.state=Review").contains("Review"));
    assert!(answer("-o yaml").contains("proposal:"));
    assert!(answer("custom-columns").contains("CANDIDATE"));
    assert!(answer("kubectl edit").contains("edited"));
    assert!(answer("{.status.plan}").contains("sha256:"));
    assert!(answer("type==\"Held\"").contains("nothing is written"));
    assert!(answer("delete oi").contains("deleted"));
    for plan in ["--cluster", "--integration", "--from"] {
        let plan = answer(&format!("operator plan {plan}"));
        assert!(plan.contains("people shown"), "{plan}");
    }
    let decisions = fs::read_to_string(reader.newcomer.directory.join("decisions.yaml")).unwrap();
    assert!(decisions.contains("kind: EmployeeMatch"));
    operator.unwrap().stop().await.unwrap();
    reader.newcomer.plane.stop().await.unwrap();
}
