//! The objects of an installed release.

use serde_json::Value;

/// An installed release.
pub struct Made {
    /// The Deployment, as returned by the API server.
    pub deployment: Value,
    /// All objects of the release, as sent by helm.
    pub objects: Vec<Value>,
    /// The Pod of `helm test`.
    pub check: Value,
    /// The chart's notes.
    pub notes: String,
}

impl Made {
    pub fn pod(&self) -> &Value {
        &self.deployment["spec"]["template"]["spec"]
    }

    pub fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }

    pub fn arguments(&self) -> Vec<&str> {
        texts(&self.container()["args"])
    }

    pub fn name(&self) -> &str {
        self.deployment["metadata"]["name"].as_str().unwrap()
    }

    /// The startup, liveness and readiness probe.
    pub fn probes(&self) -> [&Value; 3] {
        ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| &self.container()[probe])
    }

    /// Returns the value of an environment variable of the operator.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.container()["env"].as_array().unwrap();
        let variable = variables.iter().find(|variable| variable["name"] == name)?;
        variable["value"].as_str()
    }

    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|object| object["kind"] == kind)
            .collect()
    }

    /// Returns the only object of a kind.
    pub fn one(&self, kind: &str) -> &Value {
        let all = self.all(kind);
        assert_eq!(all.len(), 1, "{kind}: {all:#?}");
        all[0]
    }

    /// Returns the spec of the NetworkPolicy that selects a pod with these labels.
    pub fn policy(&self, labels: &Value) -> &Value {
        let selects = |policy: &&Value| {
            let selected = policy["spec"]["podSelector"]["matchLabels"].as_object().unwrap();
            selected.iter().all(|(label, value)| labels[label] == *value)
        };
        let policies = self.all("NetworkPolicy");
        let [policy] = *policies.into_iter().filter(selects).collect::<Vec<_>>() else {
            panic!("one policy for {labels}");
        };
        &policy["spec"]
    }

    /// Returns the spec of the operator's NetworkPolicy.
    pub fn operators_policy(&self) -> &Value {
        self.policy(&self.deployment["spec"]["template"]["metadata"]["labels"])
    }
}

/// Returns the ports that a NetworkPolicy allows for egress.
pub fn open_ports(policy: &Value) -> Vec<i64> {
    let rules = policy["egress"].as_array().unwrap();
    let ports = rules.iter().flat_map(|rule| rule["ports"].as_array().unwrap());
    ports.map(|port| port["port"].as_i64().unwrap()).collect()
}

pub fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}
